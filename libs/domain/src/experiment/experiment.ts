/** An experiment: a project-wide definition in versions, and what it does in each environment. */
import { unreachable } from '../decider.js';
import type { EnvironmentKind } from '../tenancy/environment.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import type { PlanInForce } from './plan-in-force.js';
import type { Ramp } from './ramp.js';

/** A stretch in which nothing that assigns changed. Segments of equal `comparison` are compared together. */
export interface Segment {
  /** From 1. */
  readonly segment: number;
  /** From 1; the next one has a new seed, since variants or weights changed. */
  readonly comparison: number;
  readonly startedAtUs: number;
  /** Share of the units that can be enrolled; 0 while nobody is. */
  readonly coverage: number;
  readonly seed: string;
  readonly hashVersion: 2;
}

/** Which version of each metric counts, by the metric's key. */
export type MetricVersions = Readonly<Record<string, number>>;

export interface Decision {
  readonly outcome: 'ship' | 'stop' | 'inconclusive';
  /** The treatment that is shipped, null with any other outcome. */
  readonly arm: string | null;
  readonly reason: string;
  /** Id of the decision record that was acted on, null where none was named. */
  readonly record: string | null;
}

export interface Adoption {
  readonly environment: string;
  readonly metricVersions: MetricVersions;
  /** Absent where an earlier program wrote it. */
  readonly planInForce?: PlanInForce;
  /** Of a new comparison, where a plan was replaced that is frozen. */
  readonly segment?: Segment;
}

export type ExperimentEvent =
  | { readonly type: 'ExperimentDefined'; readonly version: number; readonly definition: ExperimentDefinition; readonly atUs: number }
  | {
      readonly type: 'ExperimentRedefined';
      readonly version: number;
      readonly definition: ExperimentDefinition;
      /** Where the new version is in force at once. */
      readonly adoptedIn: readonly Adoption[];
      readonly atUs: number;
    }
  | {
      readonly type: 'ExperimentStarted';
      readonly environment: string;
      readonly kind: EnvironmentKind;
      readonly version: number;
      readonly metricVersions: MetricVersions;
      readonly segment: Segment;
      /** Absent: no rollout moves it. */
      readonly ramp?: Ramp;
      /** Absent where an earlier program wrote it. */
      readonly planInForce?: PlanInForce;
      readonly atUs: number;
    }
  | {
      /** Stopped by its rollout, which begins once more: new units, a new comparison. */
      readonly type: 'ExperimentRestarted';
      readonly environment: string;
      readonly version: number;
      readonly metricVersions: MetricVersions;
      readonly segment: Segment;
      readonly ramp: Ramp;
      readonly planInForce: PlanInForce;
      readonly atUs: number;
    }
  | {
      /** A rollout came to another stage. */
      readonly type: 'RampMoved';
      readonly environment: string;
      readonly segment: Segment;
      readonly ramp: Ramp;
      /** In another run of the rollout, which has another share of α₋. */
      readonly planInForce?: PlanInForce;
      readonly atUs: number;
    }
  | { readonly type: 'ExperimentPaused'; readonly environment: string; readonly segment: Segment; readonly atUs: number }
  | {
      readonly type: 'ExperimentResumed';
      readonly environment: string;
      readonly version: number;
      readonly metricVersions: MetricVersions;
      readonly segment: Segment;
      /** With another comparison, or another version. */
      readonly planInForce?: PlanInForce;
      readonly atUs: number;
    }
  | { readonly type: 'EnrolmentFrozen'; readonly environment: string; readonly segment: Segment; readonly atUs: number }
  | {
      readonly type: 'ExperimentDecided';
      readonly environment: string;
      readonly decision: Decision;
      /** Only rows known up to here count from now on. */
      readonly closedAtUs: number;
      readonly atUs: number;
    }
  | { readonly type: 'ExperimentArchived'; readonly environment: string; readonly atUs: number };

export interface DefinitionVersion {
  readonly version: number;
  readonly definition: ExperimentDefinition;
  readonly definedAtUs: number;
}

interface Begun {
  readonly kind: EnvironmentKind;
  /** Counts the changes in this environment, from 1. */
  readonly revision: number;
  /** Of the definition in force here. */
  readonly version: number;
  readonly metricVersions: MetricVersions;
  /** In order; the last one is in force. */
  readonly segments: readonly [Segment, ...Segment[]];
  /** Present where a rollout moves it, or moved it. */
  readonly ramp?: Ramp;
  /** Absent in runs that an earlier program started: it follows from the definition. */
  readonly planInForce?: PlanInForce;
}

/** What an experiment does in an environment where it was started; a draft has none. */
export type Run =
  | (Begun & { readonly status: 'running' })
  | (Begun & { readonly status: 'paused'; readonly pausedAtUs: number })
  | (Begun & { readonly status: 'enrolment-frozen'; readonly frozenAtUs: number })
  | (Begun & { readonly status: 'decided'; readonly decision: Decision; readonly closedAtUs: number })
  | (Begun & { readonly status: 'archived'; readonly decision: Decision; readonly closedAtUs: number; readonly archivedAtUs: number });

export type ExperimentStatus = 'draft' | Run['status'];

export interface Experiment {
  /** In order, beginning with 1; none: the experiment does not exist. */
  readonly versions: readonly DefinitionVersion[];
  /** By environment; absent: a draft there. */
  readonly runs: Readonly<Record<string, Run>>;
}

export const initialExperiment: Experiment = { versions: [], runs: {} };

/** When the comparison in force began: its first segment's start. */
export const comparisonStartUs = ({ segments }: Pick<Run, 'segments'>): number => {
  const { comparison } = segments.at(-1) ?? segments[0];
  return (segments.find((segment) => segment.comparison === comparison) ?? segments[0]).startedAtUs;
};

export const statusIn = ({ runs }: Experiment, environment: string): ExperimentStatus => runs[environment]?.status ?? 'draft';

export const evolveExperiment = (state: Experiment, event: ExperimentEvent): Experiment => {
  switch (event.type) {
    case 'ExperimentDefined':
      return { ...state, versions: [...state.versions, versionOf(event)] };
    case 'ExperimentRedefined':
      return event.adoptedIn.reduce<Experiment>(
        (experiment, { environment, segment, metricVersions, ...planned }) =>
          changed(experiment, environment, (run) => {
            const segments = segment === undefined ? run.segments : ([...run.segments, segment] as const);
            return { ...run, version: event.version, metricVersions, segments, ...planned };
          }),
        { ...state, versions: [...state.versions, versionOf(event)] },
      );
    case 'ExperimentStarted': {
      const { environment, kind, version, metricVersions, segment, ramp } = event;
      const moved = ramp === undefined ? {} : { ramp };
      const begun: Begun = { kind, revision: 1, version, metricVersions, segments: [segment], ...moved, ...plannedIn(event) };
      const run: Run = { status: 'running', ...begun };
      return { ...state, runs: { ...state.runs, [environment]: run } };
    }
    default:
      return changed(state, event.environment, (run) => evolveRun(run, event));
  }
};

type RunEvent = Exclude<ExperimentEvent, { type: 'ExperimentDefined' | 'ExperimentRedefined' | 'ExperimentStarted' }>;

const evolveRun = (run: Run, event: RunEvent): Run => {
  const begun = begunOf(run);
  switch (event.type) {
    case 'ExperimentPaused':
      return { ...begun, status: 'paused', pausedAtUs: event.atUs, segments: [...run.segments, event.segment] };
    case 'ExperimentResumed': {
      const { version, metricVersions, segment } = event;
      return { ...begun, status: 'running', version, metricVersions, segments: [...run.segments, segment], ...plannedIn(event) };
    }
    case 'ExperimentRestarted': {
      const { version, metricVersions, segment, ramp, planInForce } = event;
      return { ...begun, status: 'running', version, metricVersions, segments: [...run.segments, segment], ramp, planInForce };
    }
    case 'RampMoved':
      return { ...begun, status: 'running', segments: [...run.segments, event.segment], ramp: event.ramp, ...plannedIn(event) };
    case 'EnrolmentFrozen':
      return { ...begun, status: 'enrolment-frozen', frozenAtUs: event.atUs, segments: [...run.segments, event.segment] };
    case 'ExperimentDecided':
      return { ...begun, status: 'decided', decision: event.decision, closedAtUs: event.closedAtUs };
    case 'ExperimentArchived':
      // decide lets only a decided one be archived.
      return run.status === 'decided' ? { ...run, status: 'archived', archivedAtUs: event.atUs } : run;
    default:
      return unreachable(event);
  }
};

const plannedIn = ({ planInForce }: { readonly planInForce?: PlanInForce }) => (planInForce === undefined ? {} : { planInForce });

const begunOf = ({ kind, revision, version, metricVersions, segments, ramp, planInForce }: Run): Begun => ({
  ...{ kind, revision, version, metricVersions, segments },
  ...(ramp === undefined ? {} : { ramp }),
  ...(planInForce === undefined ? {} : { planInForce }),
});

const versionOf = ({
  version,
  definition,
  atUs,
}: Extract<ExperimentEvent, { version: number; definition: unknown }>): DefinitionVersion => ({
  version,
  definition,
  definedAtUs: atUs,
});

const changed = (state: Experiment, environment: string, change: (run: Run) => Run): Experiment => {
  const run = state.runs[environment];
  if (run === undefined) return state;
  return { ...state, runs: { ...state.runs, [environment]: { ...change(run), revision: run.revision + 1 } } };
};
