/**
 * What a rollout does next. Level-triggered: it reads the state, not what just happened, so that asking twice, late or out of order changes nothing.
 * Records act, looks only say whether they still stand; harm goes before everything, missing data never lets a stage end.
 */
import { type ActionKind, clockStartUs, type FoundCause, isOpen, type OpenRollout, type Rollout } from './rollout.js';
import { durationText } from './rollout-definition.js';
import { isLastStage, type RolloutFacts, type SeenRecord, stageOf, standingEvidence } from './rollout-facts.js';
import { closedGates, type RolloutWait, waiting } from './stage-gates.js';

export interface RolloutAction {
  readonly kind: ActionKind;
  /** Id of the record that is acted on; null where none is. */
  readonly record: string | null;
  readonly sentence: string;
}

export interface NextStep {
  readonly action: RolloutAction | null;
  /** Why there is none, or, in shadow mode, what a person would wait for. */
  readonly waits: readonly RolloutWait[];
}

export const nextAction = (rollout: Rollout, facts: RolloutFacts): NextStep => {
  if (!isOpen(rollout)) return { action: null, waits: [] };
  const action = harm(rollout, facts) ?? (rollout.status === 'running' ? (found(rollout, facts) ?? ending(rollout, facts)) : undefined);
  const isTold = rollout.definition.mode === 'shadow' && action !== undefined && rollout.stage.told.includes(action.kind);
  if (action !== undefined && !isTold) return { action, waits: [] };
  const own = isTold ? [waiting('person', `in shadow mode this is only said: ${action.sentence}`)] : [];
  return { action: null, waits: [...own, ...standing(rollout), ...closedGates(rollout, facts)] };
};

/** Even while a person holds, and where nothing else is monitored. */
const harm = (rollout: OpenRollout, facts: RolloutFacts): RolloutAction | undefined => {
  const { record } = standingEvidence(rollout, facts);
  return record?.actions.ramp === 'roll-back' ? upon('roll-back', record, record.sentence) : undefined;
};

/** What a person should see before it goes on; once seen, it does not hold this stage again. */
const found = (rollout: OpenRollout, facts: RolloutFacts): RolloutAction | undefined =>
  [killed(facts), monitoredCause(rollout, facts), pastDeadline(rollout, facts)].find(
    (one) => one !== undefined && !rollout.stage.seen.includes(one.cause),
  )?.action;

interface Found {
  readonly cause: FoundCause;
  readonly action: RolloutAction;
}

const killed = ({ isFeatureKilled }: RolloutFacts): Found | undefined =>
  isFeatureKilled
    ? holding('feature-killed', null, 'the feature was killed: everybody gets its default variant, and nobody is exposed')
    : undefined;

const monitoredCause = (rollout: OpenRollout, facts: RolloutFacts): Found | undefined => {
  const { record } = standingEvidence(rollout, facts);
  if (record === null || !stageOf(rollout).monitored) return undefined;
  if (record.actions.ramp === 'hold') return holding(record.verdict === 'invalid' ? 'quality' : 'guardrail', record, record.sentence);
  return record.actions.ramp === 'hold-and-ask' ? holding('inconclusive', record, record.sentence) : undefined;
};

const pastDeadline = (rollout: OpenRollout, { nowUs }: RolloutFacts): Found | undefined => {
  const { deadlineSeconds, name } = stageOf(rollout);
  if (deadlineSeconds === null) return undefined;
  const passedSeconds = (nowUs - clockStartUs(rollout.stage)) / 1e6;
  if (passedSeconds < deadlineSeconds) return undefined;
  const sentence = `stage "${name}" has taken ${durationText(passedSeconds)}, its deadline is ${durationText(deadlineSeconds)}: go on, or roll back`;
  return holding('deadline', null, sentence);
};

const holding = (of: FoundCause, record: SeenRecord | null, sentence: string): Found => ({
  cause: of,
  action: { kind: `hold-${of}`, record: record?.id ?? null, sentence },
});

const ending = (rollout: OpenRollout, facts: RolloutFacts): RolloutAction | undefined => {
  if (closedGates(rollout, facts).length > 0) return undefined;
  const { record } = standingEvidence(rollout, facts);
  const kind = isLastStage(rollout) ? 'release' : 'advance';
  if (stageOf(rollout).monitored) return record === null ? undefined : upon(kind, record, record.sentence);
  return { kind, record: null, sentence: `stage "${stageOf(rollout).name}" is over, and was not monitored` };
};

const upon = (kind: ActionKind, { id }: SeenRecord, sentence: string): RolloutAction => ({ kind, record: id, sentence });

const standing = (rollout: OpenRollout): readonly RolloutWait[] => {
  if (rollout.status === 'running') return [];
  const why =
    rollout.status === 'held'
      ? `it is held (${rollout.hold.cause}): ${rollout.hold.sentence}`
      : 'it is paused, and everybody gets the default variant';
  return [waiting('person', `${why}; resume it, or roll back`)];
};
