/** A rollout: an experiment that is shown to more and more units, stage by stage, for as long as nothing speaks against it. */
import { z } from 'zod';
import { slug } from './metrics.js';
import type { VerdictKind } from './results.js';

const seconds = z
  .int()
  .min(0)
  .max(90 * 86_400);

export const rolloutStage = z.strictObject({
  name: slug.optional().describe('default: stage-1, stage-2, …'),
  coverage: z
    .number()
    .gt(0)
    .lte(1)
    .describe('share of the eligible units that takes part; half of it gets the treatment, half the control'),
  bakeSeconds: seconds.describe('the shortest time at this stage: its look must know everything up to its end'),
  minUnits: z.int().min(0).max(1_000_000_000).default(0).describe('exposed units, both arms together, before the next stage'),
  requiresApproval: z.boolean().default(false).describe('a person says yes, last of all'),
  deadlineSeconds: seconds.nullish().describe('still here after this: hold, and ask; null: never, as answers say it'),
  monitored: z.boolean().default(true).describe('false = only time, units and approval; harm rolls back all the same'),
});
export type RolloutStageInput = z.input<typeof rolloutStage>;

export const ROLLOUT_TEMPLATES = ['careful', 'standard', 'fast'] as const;
export type RolloutTemplate = (typeof ROLLOUT_TEMPLATES)[number];

export const rolloutInput = z
  .strictObject({
    key: slug,
    name: z.string().min(1).max(200),
    experiment: slug.describe('two arms of equal weight, assigned by rampart, on a feature whose default variant is the control'),
    environment: slug,
    template: z.enum(ROLLOUT_TEMPLATES).optional().describe('stages made for you; or name them'),
    stages: z.array(rolloutStage).min(1).max(20).optional(),
    freshnessSeconds: z.int().min(5).max(86_400).default(60).describe('a look older than this is missing data, and missing data holds'),
    mode: z.enum(['act', 'shadow']).default('act').describe('shadow = say what would have been done, and do nothing'),
  })
  .refine(({ template, stages }) => (template === undefined) !== (stages === undefined), {
    error: 'give either stages or a template (careful, standard, fast)',
    path: ['stages'],
  });
export type RolloutInput = z.infer<typeof rolloutInput>;
export type RolloutRequest = z.input<typeof rolloutInput>;

/** Body of start, hold, resume, pause, advance, approve, roll-back and complete: may be left out. */
export const rolloutActionInput = z
  .strictObject({
    reason: z.string().min(1).max(2000).optional().describe('why: kept in the history'),
    force: z.boolean().default(false).describe('advance and complete: over gates that are closed; recorded as forced'),
  })
  .prefault({});
export type RolloutActionInput = z.infer<typeof rolloutActionInput>;

/** As it is kept: every default filled in, a template replaced by its stages. Coverage never falls from stage to stage. */
export interface RolloutStage {
  readonly name: string;
  readonly coverage: number;
  readonly bakeSeconds: number;
  readonly minUnits: number;
  readonly requiresApproval: boolean;
  readonly deadlineSeconds: number | null;
  readonly monitored: boolean;
}

export interface RolloutDefinition {
  readonly key: string;
  readonly name: string;
  readonly experiment: string;
  readonly environment: string;
  readonly stages: readonly RolloutStage[];
  readonly freshnessSeconds: number;
  readonly mode: 'act' | 'shadow';
}

export const ROLLOUT_STATUSES = ['draft', 'running', 'held', 'paused', 'released', 'rolled-back'] as const;
/**
 * `held`: stays at its stage, keeps enrolling, rolls back on harm. `paused`: everybody gets the default variant, clocks stand still.
 * `released`: everybody gets the treatment. `rolled-back`: everybody gets the control.
 */
export type RolloutStatus = (typeof ROLLOUT_STATUSES)[number];

export type HoldCause = 'person' | 'quality' | 'guardrail' | 'inconclusive' | 'deadline' | 'feature-killed';

/** Something a stage waits for, or why nothing is done; a person can read it. */
export interface RolloutWait {
  readonly what: 'data' | 'freshness' | 'verdict' | 'bake-time' | 'units' | 'approval' | 'person' | 'experiment';
  /** When it is expected to be over; null where time alone does not end it. */
  readonly until: string | null;
  readonly have: number | null;
  readonly needed: number | null;
  readonly sentence: string;
}

/** `GET /v1/rollouts/{key}`. */
export interface RolloutDocument extends RolloutDefinition {
  readonly project: string;
  readonly revision: number;
  readonly status: RolloutStatus;
  readonly run: number;
  /** Null before the start; the last stage stays after the end. */
  readonly stage: { readonly index: number; readonly name: string; readonly startedAt: string; readonly approved: boolean } | null;
  readonly hold: { readonly cause: HoldCause; readonly since: string; readonly sentence: string } | null;
  readonly waits: readonly RolloutWait[];
  /** The newest look at the stage in force. */
  readonly look: {
    readonly verdict: VerdictKind;
    readonly sentence: string;
    readonly knownUntil: string;
    readonly ageSeconds: number;
    readonly units: number;
    readonly record: string | null;
  } | null;
  /** How it ended: the record acted on, and the sentence. */
  readonly end: { readonly at: string; readonly record: string | null; readonly actor: string; readonly reason: string } | null;
}

/** One line of `GET /v1/rollouts/{key}/history`, oldest first. */
export interface RolloutHistoryEntry {
  readonly revision: number;
  readonly at: string;
  readonly type: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly sentence: string;
  readonly record: string | null;
}

/** `GET|POST /v1/rollouts/{key}/gate`: 200 go, 409 no-go, 425 wait; `?as=metric` is always 200, `?as=rollback` is 200 on no-go alone. */
export interface GateAnswer {
  readonly verdict: 'go' | 'no-go' | 'wait';
  /** With both numbers. */
  readonly reason: string;
  readonly rollout: string;
  readonly status: RolloutStatus;
  readonly stage: string | null;
  readonly decisionId: string | null;
  readonly knownUntil: string | null;
}

/** `GET /v1/stream`, server-sent events named by `kind`: something changed, read it again. Nothing is promised: after a reconnect, read everything. */
export type StreamNotice =
  | {
      readonly kind: 'look';
      readonly environment: string;
      readonly experiment: string;
      readonly verdict: VerdictKind;
      readonly knownUntil: string;
    }
  | { readonly kind: 'record'; readonly environment: string; readonly experiment: string; readonly id: string }
  | {
      readonly kind: 'changed';
      readonly resource: 'rollout' | 'experiment' | 'feature' | 'metric' | 'environment';
      readonly key: string;
      readonly revision: number;
    };
