/** A rollout: an experiment that is shown to more and more units, stage by stage. What can have happened to it, and what is true then. */
import { unreachable } from '../decider.js';
import type { RolloutDefinition } from './rollout-definition.js';

/** What stopped it, beside a person. */
export type FoundCause = 'quality' | 'guardrail' | 'inconclusive' | 'deadline' | 'feature-killed';
export type HoldCause = 'person' | FoundCause;

/** What the process does by itself, and in shadow mode would have done. */
export type ActionKind = 'advance' | 'release' | 'roll-back' | `hold-${FoundCause}`;

interface Happened {
  /** Why, with both numbers. */
  readonly sentence: string;
  readonly atUs: number;
}
interface ActedOn extends Happened {
  /** Id of the decision record that was acted on; null where none was. */
  readonly record: string | null;
}

export type RolloutEvent =
  | { readonly type: 'RolloutDefined'; readonly definition: RolloutDefinition; readonly atUs: number }
  | { readonly type: 'RolloutRedefined'; readonly definition: RolloutDefinition; readonly atUs: number }
  | ({ readonly type: 'RolloutStarted'; readonly run: number } & Happened)
  | ({ readonly type: 'RolloutHeld'; readonly cause: HoldCause } & ActedOn)
  | ({ readonly type: 'RolloutResumed' } & Happened)
  | ({ readonly type: 'RolloutPaused' } & Happened)
  | ({
      readonly type: 'RolloutAdvanced';
      /** Indexes. */
      readonly from: number;
      readonly to: number;
      /** A person went over gates that were not open: what was unmet. */
      readonly forcedOver: readonly string[];
    } & ActedOn)
  | ({ readonly type: 'RolloutApproved'; readonly stage: number; readonly actor: string } & Happened)
  | ({ readonly type: 'RolloutReleased'; readonly actor: string; readonly forcedOver: readonly string[] } & ActedOn)
  | ({ readonly type: 'RolloutRolledBack'; readonly actor: string } & ActedOn)
  | ({ readonly type: 'RolloutWouldHaveActed'; readonly stage: number; readonly action: ActionKind } & ActedOn);

/** The stage in force. */
export interface StageInForce {
  /** From 0. */
  readonly index: number;
  readonly startedAtUs: number;
  /** How long its clock stood still. */
  readonly pausedUs: number;
  readonly approvedBy: string | null;
  /** Causes that a person has seen and gone on from: in this stage they don't hold again. */
  readonly seen: readonly HoldCause[];
  /** Shadow mode: what was said already. */
  readonly told: readonly ActionKind[];
}

export interface Hold {
  readonly cause: HoldCause;
  readonly sinceUs: number;
  readonly sentence: string;
}

export interface End {
  readonly record: string | null;
  readonly actor: string;
  readonly sentence: string;
  readonly atUs: number;
}

interface Begun {
  readonly definition: RolloutDefinition;
  /** From 1. */
  readonly run: number;
  readonly stage: StageInForce;
}

export type Rollout =
  | { readonly status: 'absent' }
  | { readonly status: 'draft'; readonly definition: RolloutDefinition }
  | (Begun & { readonly status: 'running' })
  | (Begun & { readonly status: 'held'; readonly hold: Hold })
  /** `hold`: what held it when it was paused. */
  | (Begun & { readonly status: 'paused'; readonly pausedAtUs: number; readonly hold: Hold | null })
  | (Begun & { readonly status: 'released' | 'rolled-back'; readonly end: End });

export type RolloutStatus = Exclude<Rollout['status'], 'absent'>;
/** Has a stage in force, or had one. */
export type BegunRollout = Extract<Rollout, Begun>;
/** Can still move. */
export type OpenRollout = Extract<Rollout, { readonly status: 'running' | 'held' | 'paused' }>;

export const initialRollout: Rollout = { status: 'absent' };

export const isBegun = (rollout: Rollout): rollout is BegunRollout => rollout.status !== 'absent' && rollout.status !== 'draft';
export const isOpen = (rollout: Rollout): rollout is OpenRollout =>
  rollout.status === 'running' || rollout.status === 'held' || rollout.status === 'paused';

/** From when its bake time and deadline count: pauses shift it. */
export const clockStartUs = ({ startedAtUs, pausedUs }: StageInForce): number => startedAtUs + pausedUs;

export const evolveRollout = (state: Rollout, event: RolloutEvent): Rollout => {
  switch (event.type) {
    case 'RolloutDefined':
      return { status: 'draft', definition: event.definition };
    case 'RolloutRedefined':
      return state.status === 'absent' ? state : { ...state, definition: event.definition };
    case 'RolloutStarted':
      if (state.status !== 'draft' && state.status !== 'rolled-back') return state;
      return { status: 'running', definition: state.definition, run: event.run, stage: freshStage(0, event.atUs) };
    default:
      return isOpen(state) ? evolveOpen(state, event) : state;
  }
};

type OpenEvent = Exclude<RolloutEvent, { type: 'RolloutDefined' | 'RolloutRedefined' | 'RolloutStarted' }>;

const evolveOpen = (state: OpenRollout, event: OpenEvent): Rollout => {
  const { definition, run, stage } = state;
  const begun: Begun = { definition, run, stage };
  switch (event.type) {
    case 'RolloutHeld':
      return { ...begun, status: 'held', hold: { cause: event.cause, sinceUs: event.atUs, sentence: event.sentence } };
    case 'RolloutPaused':
      return { ...begun, status: 'paused', pausedAtUs: event.atUs, hold: state.status === 'held' ? state.hold : null };
    case 'RolloutResumed':
      return { ...begun, status: 'running', stage: resumedStage(state, event.atUs) };
    case 'RolloutAdvanced':
      return { ...begun, status: 'running', stage: freshStage(event.to, event.atUs) };
    case 'RolloutApproved':
      return { ...state, stage: { ...stage, approvedBy: event.actor } };
    case 'RolloutReleased':
    case 'RolloutRolledBack': {
      const { record, actor, sentence, atUs } = event;
      const status = event.type === 'RolloutReleased' ? 'released' : 'rolled-back';
      return { ...begun, status, end: { record, actor, sentence, atUs } };
    }
    case 'RolloutWouldHaveActed':
      return { ...state, stage: { ...stage, told: [...stage.told, event.action] } };
    default:
      return unreachable(event);
  }
};

const freshStage = (index: number, startedAtUs: number): StageInForce => ({
  index,
  startedAtUs,
  pausedUs: 0,
  approvedBy: null,
  seen: [],
  told: [],
});

const resumedStage = (state: OpenRollout, atUs: number): StageInForce => {
  const { stage } = state;
  const hold = state.status === 'running' ? null : state.hold;
  const stoodStillUs = state.status === 'paused' ? Math.max(0, atUs - state.pausedAtUs) : 0;
  const seen = hold === null || stage.seen.includes(hold.cause) ? stage.seen : [...stage.seen, hold.cause];
  return { ...stage, pausedUs: stage.pausedUs + stoodStillUs, seen };
};
