/** Which definition a result is about: the port to the replica of `definitions.v1`, and the store's query that follows from it. */
import type {
  EnvironmentDefinition,
  ExperimentDefinition,
  ExperimentState,
  MetricDefinition,
  MetricUse,
  PlanInForce,
  Segment,
} from '@rampart/contracts';
import {
  DomainError,
  isWatched,
  type LookSchedule,
  lookSchedule,
  type PlanState,
  type Policy,
  planInForce,
  planState,
} from '@rampart/domain';
import type { ComparisonQuery, DesignCell } from '@rampart/feedback-store';

/** A metric in its role, in the version that the experiment uses. */
export interface MetricInUse {
  readonly use: MetricUse;
  readonly version: number;
  readonly definition: MetricDefinition;
}

export interface DefinitionInForce {
  readonly project: string;
  readonly environment: EnvironmentDefinition;
  readonly experiment: ExperimentDefinition;
  readonly version: number;
  /** Null: never started in this environment. */
  readonly state: ExperimentState | null;
  /** Parallel to the experiment's; none before the start. */
  readonly metrics: readonly MetricInUse[];
}

/** What a go means now: a step of a ramp has a policy of its own. */
export const policyOf = ({ experiment, state }: Pick<DefinitionInForce, 'experiment' | 'state'>): Policy =>
  state?.ramp?.policy ?? experiment.policy;

/**
 * How far the plan is, by time alone. A step that only asks whether anything is worse has no minimum run: its bake time is the ramp's.
 * @param importing  a history that is not complete
 */
export const planOf = (
  { environment, experiment, state }: DefinitionInForce,
  { importing, knownUntilUs }: { readonly importing: boolean; readonly knownUntilUs: number | null },
): PlanState =>
  planState({
    historical: environment.kind === 'historical',
    importing,
    method: experiment.plan.method,
    startedAtUs: state?.startedAtUs ?? null,
    minimumRunUs: state?.ramp?.policy === 'stage' ? 0 : experiment.plan.minimumRunUs,
    plannedEndUs: experiment.plan.plannedEndUs ?? null,
    closedAtUs: state?.closedAtUs ?? null,
    knownUntilUs,
  });

/** What the plan of the newest comparison was said to amount to when it started; undefined where an earlier program started it. */
export const promisedPlan = ({ state }: Pick<DefinitionInForce, 'state'>): PlanInForce | undefined => {
  const promised = state?.planInForce;
  return promised?.comparison === comparedSegments(state)?.[0].comparison ? promised : undefined;
};

/** That, or what it amounts to by this program; null before the start. */
export const planInForceOf = (definition: DefinitionInForce): PlanInForce | null => {
  const { environment, experiment, state } = definition;
  const first = comparedSegments(state)?.[0];
  if (first === undefined) return null;
  const { comparison, startedAtUs } = first;
  const start = { kind: environment.kind, comparison, startedAtUs, run: state?.ramp?.run ?? null };
  return promisedPlan(definition) ?? planInForce(experiment, start);
};

/** When the looks of a plan of several looks are, and what each may spend. */
export const scheduleOf = ({ experiment, state }: Pick<DefinitionInForce, 'experiment' | 'state'>): LookSchedule =>
  lookSchedule(experiment.plan, comparedSegments(state)?.[0].startedAtUs ?? 0);

/** An experiment that was started in an environment. */
export interface Run {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
}

/** What is in force, as far as this process has read `definitions.v1`. */
export abstract class Definitions {
  /**
   * The last revision known at `atUs` (null = now).
   * @throws DomainError project-not-found, environment-not-found, experiment-not-found, metric-not-found
   */
  abstract inForce(project: string, environment: string, experiment: string, atUs: number | null): DefinitionInForce;
  abstract runs(): readonly Run[];
  /** @throws DomainError project-not-found, environment-not-found */
  abstract environment(project: string, environment: string): EnvironmentDefinition;
}

/** Codes of refusals that say: there was no such experiment at that moment. */
export const NOT_THERE: ReadonlySet<string> = new Set(['experiment-not-found', 'experiment-not-yet-defined']);

/** Segments with equal seed, weights and variants as the newest one: what is compared together. */
export const comparedSegments = (state: ExperimentState | null): readonly [Segment, ...Segment[]] | undefined => {
  const newest = state?.segments.at(-1);
  if (state === null || newest === undefined) return undefined;
  const [first = newest, ...rest] = state.segments.filter((segment) => segment.comparison === newest.comparison);
  return [first, ...rest];
};

export const designCells = (experiment: ExperimentDefinition): readonly DesignCell[] =>
  experiment.variants.map(({ key, arm }) => ({ variant: key, arm: arm ?? key }));

/** Arms in the order of the design, control first. */
export const armsOf = (experiment: ExperimentDefinition): readonly string[] => {
  const arms = new Set(designCells(experiment).map((cell) => cell.arm));
  return [experiment.control, ...[...arms].filter((arm) => arm !== experiment.control)];
};

const timelineOf = (first: Segment, state: ExperimentState | null): ComparisonQuery['timeline'] => {
  const start = ({ segment, startedAtUs }: Segment) => ({ segment, fromUs: startedAtUs });
  const [earliest = first, ...later] = state?.segments ?? [];
  return [start(earliest), ...later.map(start)];
};

export const hasQuantiles = ({ metrics }: Pick<DefinitionInForce, 'metrics'>): boolean =>
  metrics.some(({ definition }) => definition.type === 'quantile');

/** Judged at one look, they are counted as evidence at that look; judged at every one, always. What else shows them asks besides. */
const decidesOnQuantiles = (definition: DefinitionInForce, knownUntilUs: number): boolean => {
  if (!hasQuantiles(definition)) return false;
  if (definition.environment.kind === 'historical') return true;
  if (definition.experiment.plan.method === 'fixed-horizon') return planOf(definition, { importing: false, knownUntilUs }).isDue;
  return definition.metrics.some(({ use, definition: { type } }) => type === 'quantile' && use.role !== 'secondary');
};

/** Of several looks, caps are the same ones at each, and quantiles have ladders. */
const isWatchedLive = ({ environment, experiment }: DefinitionInForce): boolean =>
  environment.kind !== 'historical' && isWatched(experiment.plan.method);

/** What whoever shows quantiles asks for, whether they decide or not. */
export const shownQuantiles = (definition: DefinitionInForce): Pick<ComparisonQuery, 'quantiles' | 'quantileLadder'> =>
  hasQuantiles(definition) ? { quantiles: true, ...(isWatchedLive(definition) ? { quantileLadder: true } : {}) } : {};

/**
 * @param knownUntilUs  rows known later are not there
 * @param completedAtUs  of a history: when the log knew its completion; what came later is not there either. Null while it is being imported
 * @throws DomainError not-started
 */
export const comparisonQuery = (
  definition: DefinitionInForce,
  knownUntilUs: number,
  completedAtUs: number | null = null,
): ComparisonQuery => {
  const { experiment, environment, metrics } = definition;
  const segments = comparedSegments(definition.state);
  if (segments === undefined) {
    const message = `${experiment.key} has not started in ${environment.key}: 0 segments; start it with POST /v1/experiments/${experiment.key}/start`;
    throw new DomainError('not-started', message, { experiment: experiment.key, environment: environment.key });
  }
  return {
    project: definition.project,
    environment: environment.key,
    historical: environment.kind === 'historical',
    experiment: experiment.key,
    unitType: experiment.unitType,
    cells: designCells(experiment),
    segments: segments.map((segment) => segment.segment),
    timeline: timelineOf(segments[0], definition.state),
    reasonWhenMissing: experiment.assignment === 'external' ? 'SPLIT' : 'unknown',
    multipleExposure: experiment.plan.multipleExposure,
    allowedLatenessUs: experiment.plan.allowedLatenessUs,
    knownUntilUs,
    ...(experiment.plan.stratum === undefined ? {} : { strata: experiment.plan.stratum }),
    ...(isWatchedLive(definition) && metrics.some(({ definition: { capQuantile } }) => capQuantile !== undefined)
      ? { capsOf: 'first-closed' as const }
      : {}),
    ...(decidesOnQuantiles(definition, knownUntilUs) ? shownQuantiles(definition) : {}),
    ...(environment.kind === 'historical' && completedAtUs !== null ? { loggedUntilUs: completedAtUs } : {}),
    metrics: metrics.map(({ version, definition: metric }) => ({ version, definition: metric })),
  };
};
