/** What may be asked of a rollout, by people and by its process: draft → running ⇄ held | paused → released | rolled back. */
import { type Decider, unreachable } from '../decider.js';
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { nextAction, type RolloutAction } from './next-action.js';
import {
  evolveRollout,
  type FoundCause,
  initialRollout,
  isOpen,
  type OpenRollout,
  type Rollout,
  type RolloutEvent,
  type RolloutStatus,
} from './rollout.js';
import { percent, type RolloutDefinition, type RolloutStage, requireSameBeginning, requireSoundRollout } from './rollout-definition.js';
import { isLastStage, type RolloutFacts, stageOf, standingEvidence } from './rollout-facts.js';
import { type RolloutSurroundings, requireMovable, requireStartable } from './rollout-surroundings.js';
import { closedGates, type RolloutWait, waiting } from './stage-gates.js';

interface ByPerson {
  readonly actor: string;
  /** As the person gave it. */
  readonly reason: string | null;
  readonly atUs: number;
}

/** What a person asks of one stage must not meet the next one, to which somebody else was faster. */
interface OfStage extends ByPerson {
  /** The stage in force when it was asked; null: none was. */
  readonly meantStage: number | null;
}

/** One command for each of the types. */
type Each<Type extends string, Rest> = Type extends string ? { readonly type: Type } & Rest : never;

export type RolloutCommand =
  | Each<
      'DefineRollout' | 'RedefineRollout',
      { readonly definition: RolloutDefinition; readonly surroundings: RolloutSurroundings; readonly atUs: number }
    >
  | ({ readonly type: 'StartRollout'; readonly surroundings: RolloutSurroundings } & ByPerson)
  | Each<'HoldRollout' | 'PauseRollout' | 'ResumeRollout' | 'RollBack', ByPerson>
  | ({ readonly type: 'ApproveStage' } & OfStage)
  /** To the next stage, or to everybody. Gates that are closed are passed over by force alone. */
  | Each<'AdvanceStage' | 'CompleteRollout', { readonly isForced: boolean; readonly facts: RolloutFacts } & OfStage>
  /** The process's own: whatever state and facts require, decided here and now. */
  | { readonly type: 'FollowEvidence'; readonly facts: RolloutFacts; readonly atUs: number };

type Of<Type extends RolloutCommand['type']> = Extract<RolloutCommand, { type: Type }>;

/** Who acts where nobody asked. */
export const ROLLOUT_PROCESS = 'rollout-process';

const decide = (command: RolloutCommand, state: Rollout): readonly RolloutEvent[] => {
  if (command.type === 'DefineRollout') return define(command, state);
  if (state.status === 'absent') throw new DomainError('rollout-not-found', 'there is no such rollout in this project: define it first');
  switch (command.type) {
    case 'RedefineRollout':
      return redefine(command, state);
    case 'StartRollout':
      return start(command, state);
    case 'HoldRollout':
      return hold(command, state);
    case 'PauseRollout':
      return pause(command, state);
    case 'ResumeRollout':
      return resume(command, state);
    case 'ApproveStage':
      return approve(command, state);
    case 'AdvanceStage':
      return advance(command, state);
    case 'CompleteRollout':
      return complete(command, state);
    case 'RollBack':
      return rollBack(command, state);
    case 'FollowEvidence':
      return follow(command, state);
    default:
      return unreachable(command);
  }
};

type Defined = Exclude<Rollout, { status: 'absent' }>;

const define = ({ definition, surroundings, atUs }: Of<'DefineRollout'>, state: Rollout): readonly RolloutEvent[] => {
  if (state.status !== 'absent') {
    const message = `there is a rollout "${definition.key}" already, ${state.status}: replace it, or choose another key`;
    throw new DomainError('rollout-exists', message, { path: '/key', rollout: definition.key, status: state.status });
  }
  requireSoundRollout(definition);
  requireMovable(definition, surroundings, atUs);
  return [{ type: 'RolloutDefined', definition, atUs }];
};

const redefine = ({ definition, surroundings, atUs }: Of<'RedefineRollout'>, state: Defined): readonly RolloutEvent[] => {
  if (isEqual(state.definition, definition)) return [];
  if (state.status !== 'draft') {
    const open = requireOpen(state, ['running', 'held', 'paused'], 'changed');
    requireSameBeginning(open.definition, definition, open.stage.index);
  }
  requireSoundRollout(definition);
  requireMovable(definition, surroundings, atUs);
  return [{ type: 'RolloutRedefined', definition, atUs }];
};

const start = ({ surroundings, actor, reason, atUs }: Of<'StartRollout'>, state: Defined): readonly RolloutEvent[] => {
  if (state.status !== 'draft' && state.status !== 'rolled-back') throw wrongStatus(state, ['draft', 'rolled-back'], 'started');
  const { definition } = state;
  const run = state.status === 'rolled-back' ? state.run + 1 : 1;
  requireBudgetLeft(definition, run);
  requireMovable(definition, surroundings, atUs);
  const [first] = definition.stages;
  const again = run === 1 ? '' : ` again, run ${run}, whose tests for harm have half of the run before`;
  const began = `${actor} started it${again}: stage 1 of ${definition.stages.length}, "${first?.name}", ${percent(first?.coverage ?? 0)} of the eligible units`;
  const event: RolloutEvent = { type: 'RolloutStarted', run, sentence: because(began, reason), atUs };
  requireStartable(evolveRollout(state, event), surroundings, atUs);
  return [event];
};

/** Run k has α₋·2⁻ᵏ: beyond this many its tests would need evidence that no rollout brings. */
const MOST_RUNS = 16;

const requireBudgetLeft = ({ key, experiment }: RolloutDefinition, run: number): void => {
  if (run <= MOST_RUNS) return;
  const message = `"${key}" was started ${MOST_RUNS} times, and each run halves what its tests for harm may go wrong by: define another experiment than "${experiment}", and a rollout for it`;
  throw new DomainError('too-many-runs', message, { rollout: key, run, most: MOST_RUNS });
};

const hold = ({ actor, reason, atUs }: Of<'HoldRollout'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held'], 'held');
  if (rollout.status === 'held' && rollout.hold.cause === 'person') return [];
  return [{ type: 'RolloutHeld', cause: 'person', record: null, sentence: because(`${actor} holds it ${at(rollout)}`, reason), atUs }];
};

const pause = ({ actor, reason, atUs }: Of<'PauseRollout'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held', 'paused'], 'paused');
  if (rollout.status === 'paused') return [];
  const sentence = because(`${actor} paused it ${at(rollout)}: everybody gets the default variant, clocks stand still`, reason);
  return [{ type: 'RolloutPaused', sentence, atUs }];
};

const resume = ({ actor, reason, atUs }: Of<'ResumeRollout'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held', 'paused'], 'resumed');
  if (rollout.status === 'running') return [];
  return [{ type: 'RolloutResumed', sentence: because(`${actor} resumed it ${at(rollout)}`, reason), atUs }];
};

/** Given at any time of the stage, and asked for last. */
const approve = ({ actor, reason, atUs, meantStage }: Of<'ApproveStage'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held', 'paused'], 'approved');
  requireStage(rollout, meantStage);
  const { requiresApproval, name } = stageOf(rollout);
  if (!requiresApproval) {
    const message = `stage "${name}" asks for no approval: it ends when its other gates are open; to go on at once, advance it with force`;
    throw new DomainError('approval-not-asked', message, { rollout: rollout.definition.key, stage: name });
  }
  if (rollout.stage.approvedBy !== null) return [];
  const sentence = because(`${actor} approved the end of stage "${name}"`, reason);
  return [{ type: 'RolloutApproved', stage: rollout.stage.index, actor, sentence, atUs }];
};

const advance = (command: Of<'AdvanceStage'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held'], 'advanced');
  requireStage(rollout, command.meantStage);
  const { definition, stage } = rollout;
  if (isLastStage(rollout)) {
    const message = `"${stageOf(rollout).name}" is the last of ${definition.stages.length} stages: complete the rollout to give its variant to everybody`;
    throw new DomainError('last-stage', message, { rollout: definition.key, stage: stageOf(rollout).name });
  }
  const unmet = requireOpenGates(unmetGates(rollout, command.facts), command, rollout);
  const sentence = because(`${command.actor} advanced it ${forcedText(unmet)}: ${towards(rollout, stage.index + 1)}`, command.reason);
  const record = goRecord(rollout, command.facts);
  return [
    { type: 'RolloutAdvanced', from: stage.index, to: stage.index + 1, forcedOver: texts(unmet), record, sentence, atUs: command.atUs },
  ];
};

const complete = (command: Of<'CompleteRollout'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held'], 'completed');
  requireStage(rollout, command.meantStage);
  const { definition, stage } = rollout;
  const left = definition.stages.length - 1 - stage.index;
  const skipped = left === 0 ? [] : [waiting('verdict', `${left} of ${definition.stages.length} stages are still to come`)];
  const unmet = requireOpenGates([...unmetGates(rollout, command.facts), ...skipped], command, rollout);
  const sentence = because(`${command.actor} released it ${at(rollout)} ${forcedText(unmet)}`, command.reason);
  // A result that is closed at a record says what that record says: only a go of the last stage is one to ship by.
  const record = left === 0 && unmet.length === 0 ? goRecord(rollout, command.facts) : null;
  return [{ type: 'RolloutReleased', actor: command.actor, forcedOver: texts(unmet), record, sentence, atUs: command.atUs }];
};

const rollBack = ({ actor, reason, atUs }: Of<'RollBack'>, state: Defined): readonly RolloutEvent[] => {
  const rollout = requireOpen(state, ['running', 'held', 'paused'], 'rolled back');
  return [{ type: 'RolloutRolledBack', actor, record: null, sentence: because(`${actor} rolled it back ${at(rollout)}`, reason), atUs }];
};

/** Refused where nothing is to be done: an empty answer would be remembered under the action's key, and keep the same action from ever happening. */
const follow = ({ facts, atUs }: Of<'FollowEvidence'>, state: Defined): readonly RolloutEvent[] => {
  const { action } = nextAction(state, facts);
  if (action === null || !isOpen(state))
    throw new DomainError('nothing-to-do', `"${state.definition.key}" is ${state.status}, and nothing is to be done`);
  const { kind, record, sentence } = action;
  if (state.definition.mode === 'shadow')
    return [{ type: 'RolloutWouldHaveActed', stage: state.stage.index, action: kind, record, sentence, atUs }];
  return [acted(state, action, atUs)];
};

const acted = (rollout: OpenRollout, { kind, record, sentence }: RolloutAction, atUs: number): RolloutEvent => {
  const from = rollout.stage.index;
  switch (kind) {
    case 'advance':
      return {
        type: 'RolloutAdvanced',
        from,
        to: from + 1,
        forcedOver: [],
        record,
        sentence: `${towards(rollout, from + 1)}: ${sentence}`,
        atUs,
      };
    case 'release':
      return { type: 'RolloutReleased', actor: ROLLOUT_PROCESS, forcedOver: [], record, sentence, atUs };
    case 'roll-back':
      return { type: 'RolloutRolledBack', actor: ROLLOUT_PROCESS, record, sentence, atUs };
    default:
      return { type: 'RolloutHeld', cause: kind.slice('hold-'.length) as FoundCause, record, sentence, atUs };
  }
};

const unmetGates = (rollout: OpenRollout, facts: RolloutFacts): readonly RolloutWait[] => {
  const held = rollout.status === 'held' ? [waiting('person', `it is held (${rollout.hold.cause}): ${rollout.hold.sentence}`)] : [];
  return [...held, ...closedGates(rollout, facts)];
};

/** @returns what is passed over. @throws DomainError gates-closed */
const requireOpenGates = (
  unmet: readonly RolloutWait[],
  { isForced, type }: Of<'AdvanceStage' | 'CompleteRollout'>,
  rollout: OpenRollout,
): readonly RolloutWait[] => {
  if (unmet.length === 0 || isForced) return unmet;
  const what = type === 'AdvanceStage' ? 'advance' : 'be released';
  const message = `"${rollout.definition.key}" can't ${what} ${at(rollout)}, ${unmet.length} gates are closed: ${texts(unmet).join('; ')}. Wait for them, or go over them with force: true, which is recorded`;
  throw new DomainError('gates-closed', message, { path: '/force', rollout: rollout.definition.key, unmet });
};

const goRecord = (rollout: OpenRollout, facts: RolloutFacts): string | null => {
  const { record } = standingEvidence(rollout, facts);
  return record?.verdict === 'go' ? record.id : null;
};

const texts = (waits: readonly RolloutWait[]): readonly string[] => waits.map(({ sentence }) => sentence);
const forcedText = (unmet: readonly RolloutWait[]): string =>
  unmet.length === 0 ? 'with all gates open' : `over ${unmet.length} closed gates`;
const because = (what: string, reason: string | null): string => (reason === null ? what : `${what}: ${reason}`);
const at = (rollout: OpenRollout): string =>
  `at stage ${rollout.stage.index + 1} of ${rollout.definition.stages.length} ("${stageOf(rollout).name}", ${percent(stageOf(rollout).coverage)})`;
const towards = ({ definition }: OpenRollout, index: number): string => {
  const next: RolloutStage | undefined = definition.stages[index];
  return `stage ${index + 1} of ${definition.stages.length} begins ("${next?.name}", ${percent(next?.coverage ?? 0)})`;
};

const requireOpen = (state: Defined, allowed: readonly OpenRollout['status'][], action: string): OpenRollout => {
  if (isOpen(state) && allowed.includes(state.status)) return state;
  throw wrongStatus(state, allowed, action);
};

const requireStage = (rollout: OpenRollout, meantStage: number | null): void => {
  if (meantStage === null || meantStage === rollout.stage.index) return;
  const { key, stages } = rollout.definition;
  const message = `"${key}" has left stage "${stages[meantStage]?.name}" and is ${at(rollout)} by now: look again, and decide anew`;
  throw new DomainError('stage-left', message, { rollout: key, stage: stageOf(rollout).name });
};

const wrongStatus = (state: Defined, allowed: readonly RolloutStatus[], action: string): DomainError => {
  const { key } = state.definition;
  const message = `"${key}" is ${state.status}: only a ${allowed.join(' or ')} rollout can be ${action}`;
  return new DomainError('rollout-status', message, { rollout: key, status: state.status, allowed });
};

export const rolloutDecider: Decider<Rollout, RolloutCommand, RolloutEvent> = {
  initialState: initialRollout,
  decide,
  evolve: evolveRollout,
};
