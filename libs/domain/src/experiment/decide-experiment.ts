/** What may be asked of an experiment, and what happens then: draft → running ⇄ paused → enrolment frozen → decided → archived, in each environment. */
import { type Decider, unreachable } from '../decider.js';
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import type { EnvironmentKind } from '../tenancy/environment.js';
import { type ClosingEvidence, closingMoment } from './closing-moment.js';
import {
  type Adoption,
  comparisonStartUs,
  type Decision,
  type DefinitionVersion,
  type Experiment,
  type ExperimentEvent,
  type ExperimentStatus,
  evolveExperiment,
  initialExperiment,
  type Run,
  type Segment,
  statusIn,
} from './experiment.js';
import { armsOf, assignsTheSame, type ExperimentDefinition, reachesTheSame, requireSoundDefinition } from './experiment-definition.js';
import { type PlanBreach, planBreach } from './frozen-plan.js';
import { planInForce } from './plan-in-force.js';
import { planAnew, planOfRun } from './plan-of-run.js';
import { type Governed, type RampStepTaken, requireGovernor } from './ramp.js';
import { requireRampable } from './rampable.js';
import { type PlannedRun, pinnedVersions, type Surroundings, startChecklist } from './start-checklist.js';

export type ExperimentCommand =
  | { readonly type: 'DefineExperiment'; readonly definition: ExperimentDefinition; readonly atUs: number }
  | {
      readonly type: 'RedefineExperiment';
      readonly definition: ExperimentDefinition;
      readonly surroundings: Surroundings;
      /** Of a new comparison, where what is frozen changes: nobody who asks for none gets one. */
      readonly newComparisonSeed?: string | undefined;
      readonly atUs: number;
    }
  | {
      readonly type: 'StartExperiment';
      readonly environment: string;
      readonly kind: EnvironmentKind;
      readonly surroundings: Surroundings;
      readonly seed: string;
      /** Of a rollout that moves it from now on. */
      readonly step?: RampStepTaken | undefined;
      readonly atUs: number;
    }
  | {
      /** Another stage of the rollout that moves it. */
      readonly type: 'MoveRamp';
      readonly environment: string;
      readonly step: RampStepTaken;
      readonly atUs: number;
    }
  | ({ readonly type: 'PauseExperiment'; readonly environment: string; readonly atUs: number } & Governed)
  | ({ readonly type: 'FreezeEnrolment'; readonly environment: string; readonly atUs: number } & Governed)
  | { readonly type: 'ArchiveExperiment'; readonly environment: string; readonly atUs: number }
  | ({
      readonly type: 'ResumeExperiment';
      readonly environment: string;
      readonly surroundings: Surroundings;
      /** Taken only when what assigns has changed. */
      readonly seed: string;
      readonly atUs: number;
    } & Governed)
  | ({
      readonly type: 'DecideExperiment';
      readonly environment: string;
      readonly outcome: Decision['outcome'];
      readonly arm: string | null;
      readonly reason: string;
      readonly evidence: ClosingEvidence;
      readonly atUs: number;
    } & Governed);

type Of<Type extends ExperimentCommand['type']> = Extract<ExperimentCommand, { type: Type }>;

const decide = (command: ExperimentCommand, state: Experiment): readonly ExperimentEvent[] => {
  if (command.type === 'DefineExperiment') return define(command, state);
  const newest = requireDefined(state);
  switch (command.type) {
    case 'RedefineExperiment':
      return redefine(command, state, newest);
    case 'StartExperiment':
      return start(command, state, newest);
    case 'MoveRamp':
      return moveRamp(command, state, newest);
    case 'PauseExperiment':
      return pause(command, state, newest);
    case 'ResumeExperiment':
      return resume(command, state, newest);
    case 'FreezeEnrolment':
      return freeze(command, state, newest);
    case 'DecideExperiment':
      return conclude(command, state, newest);
    case 'ArchiveExperiment':
      requireRun(state, newest, command.environment, ['decided'], 'archived');
      return [{ type: 'ExperimentArchived', environment: command.environment, atUs: command.atUs }];
    default:
      return unreachable(command);
  }
};

const define = ({ definition, atUs }: Of<'DefineExperiment'>, { versions }: Experiment): readonly ExperimentEvent[] => {
  if (versions.length > 0) {
    const message = `there is an experiment "${definition.key}" already, at version ${versions.length}: replace it, or choose another key`;
    throw new DomainError('experiment-exists', message, { path: '/key', experiment: definition.key, version: versions.length });
  }
  requireSoundDefinition(definition);
  return [{ type: 'ExperimentDefined', version: 1, definition, atUs }];
};

/**
 * What assigns nothing is in force at once, everywhere; what assigns waits until a paused run is resumed, and never reaches a frozen one.
 * A plan that is frozen is replaced only together with what was seen under it: where it runs, at once; where it is paused, with its resumption.
 */
const redefine = (command: Of<'RedefineExperiment'>, state: Experiment, newest: DefinitionVersion): readonly ExperimentEvent[] => {
  const { definition, atUs } = command;
  requireSoundDefinition(definition);
  if (isEqual(newest.definition, definition)) return [];
  const adoptedIn = Object.entries(state.runs).flatMap(([environment, run]) => adoption(command, state, environment, run));
  return [{ type: 'ExperimentRedefined', version: newest.version + 1, definition, adoptedIn, atUs }];
};

const adoption = (
  { definition, surroundings, newComparisonSeed, atUs }: Of<'RedefineExperiment'>,
  state: Experiment,
  environment: string,
  run: Run,
): readonly Adoption[] => {
  if (run.status === 'decided' || run.status === 'archived') return [];
  const before = definitionOf(state, run);
  const breach = planBreach(before, definition, { environment, run, atUs });
  if (breach !== null) requireNewComparison(breach, run, newComparisonSeed);
  if (!assignsTheSame(before, definition) || !reachesTheSame(before, definition)) {
    requireNotRunning(definition.key, environment, run);
    // A rollout's stages are one comparison: it would begin anew behind it.
    if (!assignsTheSame(before, definition)) requireGovernor(run, definition.key, environment, undefined);
    return [];
  }
  if (breach !== null && run.status === 'paused') return [];
  const opened = breach === null ? {} : { segment: nextSegment(run, { coverage: lastCoverage(run), atUs, newSeed: newComparisonSeed }) };
  const after = opened.segment === undefined ? run : withSegment(run, opened.segment);
  const planned = plannedRun(run, { definition, environment, surroundings, startsAtUs: comparisonStartUs(after), atUs });
  requireReady(planned);
  const promised = breach === null ? planOfRun(definition, run) : planAnew(definition, after, { before, run, why: replaced(breach) });
  return [{ environment, metricVersions: pinnedVersions(planned), planInForce: promised, ...opened }];
};

/** Of units to come, asked for by name. @throws DomainError plan-frozen, look-is-over */
const requireNewComparison = ({ refusal }: PlanBreach, { status, ramp }: Run, seed: string | undefined): void => {
  if (seed === undefined || status === 'enrolment-frozen' || ramp !== undefined) throw refusal;
};

const start = (command: Of<'StartExperiment'>, state: Experiment, newest: DefinitionVersion): readonly ExperimentEvent[] => {
  const { environment, kind, surroundings, seed, step, atUs } = command;
  const before = state.runs[environment];
  if (before !== undefined && step !== undefined && isStoppedByRunBefore(before, step))
    return restart(command, state, { before, step, newest });
  const status = statusIn(state, environment);
  if (status !== 'draft') throw wrongStatus(newest, environment, status, 'started', ['draft']);
  // History has no beginning: its exposures are older than any start.
  const startedAtUs = kind === 'historical' ? 0 : atUs;
  const planned: PlannedRun = {
    definition: newest.definition,
    environment: { key: environment, kind },
    surroundings,
    metricVersions: {},
    startsAtUs: startedAtUs,
    atUs,
  };
  requireReady(planned);
  if (step !== undefined) requireRampable(newest.definition, planned);
  const coverage = step?.coverage ?? newest.definition.coverage ?? 1;
  const segment: Segment = { segment: 1, comparison: 1, startedAtUs, coverage, seed, hashVersion: 2 };
  const ramp = step === undefined ? {} : { ramp: step.ramp };
  const { version } = newest;
  const promised = planInForce(newest.definition, { kind, comparison: 1, startedAtUs, run: step?.ramp.run ?? null });
  const metricVersions = pinnedVersions(planned);
  return [{ type: 'ExperimentStarted', environment, kind, version, metricVersions, segment, ...ramp, planInForce: promised, atUs }];
};

/** A rollout that went back may begin once more; what it released, a person's decision and another rollout's run stay what they are. */
const isStoppedByRunBefore = (run: Run, { ramp }: RampStepTaken): boolean =>
  run.status === 'decided' && run.decision.outcome !== 'ship' && run.ramp?.rollout === ramp.rollout && run.ramp.run < ramp.run;

/** With another seed: the units of the run before have been treated. */
const restart = (
  { environment, surroundings, seed, atUs }: Of<'StartExperiment'>,
  state: Experiment,
  { before, step, newest }: { readonly before: Run; readonly step: RampStepTaken; readonly newest: DefinitionVersion },
): readonly ExperimentEvent[] => {
  const { definition, version } = newest;
  const planned: PlannedRun = {
    ...plannedRun(before, { definition, environment, surroundings, startsAtUs: atUs, atUs }),
    metricVersions: {},
  };
  requireReady(planned);
  requireRampable(definition, planned);
  const segment = nextSegment(before, { coverage: step.coverage, atUs, newSeed: seed });
  const { ramp } = step;
  const metricVersions = pinnedVersions(planned);
  const after = { ...withSegment(before, segment), ramp };
  const promised = planAnew(definition, after, { before: definitionOf(state, before), run: before, why: 'the rollout begins once more' });
  return [{ type: 'ExperimentRestarted', environment, version, metricVersions, segment, ramp, planInForce: promised, atUs }];
};

/** The same comparison at another coverage: nobody is moved. */
const moveRamp = (
  { environment, step, atUs }: Of<'MoveRamp'>,
  state: Experiment,
  newest: DefinitionVersion,
): readonly ExperimentEvent[] => {
  const run = requireRun(state, newest, environment, ['running'], 'moved by a rollout');
  const { coverage, ramp } = step;
  requireGovernor(run, newest.definition.key, environment, ramp.rollout);
  const last = run.segments.at(-1) ?? run.segments[0];
  if (last.coverage === coverage && isEqual(run.ramp, ramp)) return [];
  const segment = nextSegment(run, { coverage, atUs });
  const isAnotherRun = ramp.run !== run.ramp?.run;
  const promised = isAnotherRun ? { planInForce: planOfRun(definitionOf(state, run), { ...run, ramp }) } : {};
  return [{ type: 'RampMoved', environment, segment, ramp, ...promised, atUs }];
};

const pause = (
  { environment, rollout, atUs }: Of<'PauseExperiment'>,
  state: Experiment,
  newest: DefinitionVersion,
): readonly ExperimentEvent[] => {
  const run = requireRun(state, newest, environment, ['running'], 'paused');
  requireLive(environment, run, 'paused');
  requireGovernor(run, newest.definition.key, environment, rollout);
  return [{ type: 'ExperimentPaused', environment, segment: nextSegment(run, { coverage: 0, atUs }), atUs }];
};

const freeze = (
  { environment, rollout, atUs }: Of<'FreezeEnrolment'>,
  state: Experiment,
  newest: DefinitionVersion,
): readonly ExperimentEvent[] => {
  const run = requireRun(state, newest, environment, ['running', 'paused'], 'closed to new units');
  requireLive(environment, run, 'closed to new units');
  requireGovernor(run, newest.definition.key, environment, rollout);
  return [{ type: 'EnrolmentFrozen', environment, segment: nextSegment(run, { coverage: 0, atUs }), atUs }];
};

const resume = (command: Of<'ResumeExperiment'>, state: Experiment, newest: DefinitionVersion): readonly ExperimentEvent[] => {
  const { environment, surroundings, seed, atUs } = command;
  const run = requireRun(state, newest, environment, ['paused'], 'resumed');
  requireGovernor(run, newest.definition.key, environment, command.rollout);
  const { definition, version } = newest;
  const before = definitionOf(state, run);
  const { breach, isSameComparison } = resumption(before, definition, { environment, run, atUs });
  // Stages of a rollout are one comparison.
  if (breach !== null && run.ramp !== undefined) throw breach.refusal;
  const startsAtUs = isSameComparison ? comparisonStartUs(run) : atUs;
  const planned = plannedRun(run, { definition, environment, surroundings, startsAtUs, atUs });
  requireReady(planned);
  const coverage = run.ramp === undefined ? (definition.coverage ?? 1) : lastCoverage(run);
  const segment = nextSegment(run, { coverage, atUs, ...(isSameComparison ? {} : { newSeed: seed }) });
  const metricVersions = pinnedVersions(planned);
  const why = breach === null ? 'what assigns changed' : replaced(breach);
  const anew = () => ({ planInForce: planAnew(definition, withSegment(run, segment), { before, run, why }) });
  // What may change in it comes with its resumption where coverage changed too.
  const onwards = version === run.version ? {} : { planInForce: planOfRun(definition, run) };
  const promised = isSameComparison ? onwards : anew();
  return [{ type: 'ExperimentResumed', environment, version, metricVersions, segment, ...promised, atUs }];
};

const resumption = (before: ExperimentDefinition, definition: ExperimentDefinition, place: Parameters<typeof planBreach>[2]) => {
  const breach = planBreach(before, definition, place);
  return { breach, isSameComparison: assignsTheSame(before, definition) && breach === null };
};

/** When the comparison begins, or began, that a start or a resumption at this moment would bring the newest version into. */
export const nextStartUs = (state: Experiment, environment: string, atUs: number): number => {
  const [run, newest] = [state.runs[environment], state.versions.at(-1)];
  if (run === undefined || newest === undefined) return atUs;
  if (run.status !== 'paused') return comparisonStartUs(run);
  const { isSameComparison } = resumption(definitionOf(state, run), newest.definition, { environment, run, atUs });
  return isSameComparison ? comparisonStartUs(run) : atUs;
};

const conclude = (command: Of<'DecideExperiment'>, state: Experiment, newest: DefinitionVersion): readonly ExperimentEvent[] => {
  const { environment, outcome, reason, atUs } = command;
  const run = requireRun(state, newest, environment, ['running', 'paused', 'enrolment-frozen'], 'decided');
  requireGovernor(run, newest.definition.key, environment, command.rollout);
  const arm = shippedArm(command, definitionOf(state, run));
  const closedAtUs = closingMoment(command.evidence, { experiment: newest.definition.key, environment, run, atUs });
  const decision: Decision = { outcome, arm, reason, record: command.evidence.record?.id ?? null };
  return [{ type: 'ExperimentDecided', environment, decision, closedAtUs, atUs }];
};

/** Only a treatment is shipped; with one treatment it goes without saying. */
const shippedArm = ({ outcome, arm }: Of<'DecideExperiment'>, definition: ExperimentDefinition): string | null => {
  const path = '/arm';
  const treatments = armsOf(definition).filter((name) => name !== definition.control);
  if (outcome !== 'ship') {
    if (arm === null) return null;
    throw new DomainError('arm-not-shipped', `outcome ${outcome} ships nothing, but arm "${arm}" is named: leave it out`, { path, arm });
  }
  const shipped = arm ?? (treatments.length === 1 ? treatments[0] : undefined);
  if (shipped === undefined) {
    const message = `"${definition.key}" has ${treatments.length} treatments: name the arm to ship, one of ${treatments.join(', ')}`;
    throw new DomainError('arm-missing', message, { path, treatments });
  }
  if (treatments.includes(shipped)) return shipped;
  const isControl = shipped === definition.control;
  const message = isControl
    ? `"${shipped}" is the control, which everybody has already: decide stop to keep it`
    : `arm "${shipped}" is no treatment of "${definition.key}": ${treatments.join(', ')}`;
  throw new DomainError(isControl ? 'arm-is-control' : 'arm-unknown', message, { path, arm: shipped, treatments });
};

/** Of before the pause. */
const lastCoverage = ({ segments }: Run): number => segments.findLast(({ coverage }) => coverage > 0)?.coverage ?? 1;

const nextSegment = (run: Run, change: { coverage: number; atUs: number; newSeed?: string | undefined }): Segment => {
  const { segment, comparison, seed, hashVersion } = run.segments.at(-1) ?? run.segments[0];
  const isNewComparison = change.newSeed !== undefined;
  return {
    segment: segment + 1,
    comparison: isNewComparison ? comparison + 1 : comparison,
    startedAtUs: change.atUs,
    coverage: change.coverage,
    seed: change.newSeed ?? seed,
    hashVersion,
  };
};

const definitionOf = ({ versions }: Experiment, { version }: Run): ExperimentDefinition => {
  const found = versions.find((candidate) => candidate.version === version);
  if (found === undefined) throw new Error(`a run refers to version ${version}, which was never defined`);
  return found.definition;
};

const withSegment = (run: Run, segment: Segment): Run => ({ ...run, segments: [...run.segments, segment] });

const replaced = ({ changed }: PlanBreach): string => `its plan is another (${changed.join(', ')})`;

const plannedRun = (
  { kind, metricVersions }: Run,
  { environment, ...rest }: Omit<PlannedRun, 'environment' | 'metricVersions'> & { environment: string },
): PlannedRun => ({ ...rest, environment: { key: environment, kind }, metricVersions });

const requireDefined = ({ versions }: Experiment): DefinitionVersion => {
  const newest = versions.at(-1);
  if (newest === undefined) throw new DomainError('experiment-not-found', 'there is no such experiment in this project: define it first');
  return newest;
};

const requireRun = (
  state: Experiment,
  newest: DefinitionVersion,
  environment: string,
  allowed: readonly Run['status'][],
  action: string,
): Run => {
  const run = state.runs[environment];
  if (run !== undefined && allowed.includes(run.status)) return run;
  throw wrongStatus(newest, environment, statusIn(state, environment), action, allowed);
};

const wrongStatus = (
  { definition }: DefinitionVersion,
  environment: string,
  status: ExperimentStatus,
  action: string,
  allowed: readonly ExperimentStatus[],
): DomainError => {
  const message = `"${definition.key}" is ${status} in ${environment}: only a ${allowed.join(' or ')} one can be ${action} there`;
  return new DomainError('experiment-status', message, { experiment: definition.key, environment, status, allowed });
};

const requireLive = (environment: string, { kind }: Run, action: string): void => {
  if (kind === 'live') return;
  const message = `${environment} holds history, which has happened and can't be ${action}: decide the experiment, or leave it`;
  throw new DomainError('historical-environment', message, { environment, kind });
};

const requireNotRunning = (experiment: string, environment: string, { status }: Run): void => {
  if (status !== 'running') return;
  const message = `this changes who gets what (feature, unit type, assignment, targeting, layer, coverage or variants), and "${experiment}" is ${status} in ${environment}: pause it there, change it, resume`;
  throw new DomainError('experiment-assigns', message, { path: '/variants', experiment, environment, status });
};

const requireReady = (planned: PlannedRun): void => {
  const refusals = startChecklist(planned).filter(({ level }) => level === 'refusal');
  const [first] = refusals;
  if (first === undefined) return;
  const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more, see the checklist)` : '';
  throw new DomainError(
    'experiment-not-ready',
    `"${planned.definition.key}" can't run in ${planned.environment.key}: ${first.sentence}${more}`,
    {
      path: first.path,
      environment: planned.environment.key,
      checklist: refusals,
    },
  );
};

export const experimentDecider: Decider<Experiment, ExperimentCommand, ExperimentEvent> = {
  initialState: initialExperiment,
  decide,
  evolve: evolveExperiment,
};
