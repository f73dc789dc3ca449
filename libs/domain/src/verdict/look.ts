/** What one look at a comparison knows: numbers of tests, not yet judged. */
import type { ErrorBudget, Multiplicity } from './error-budget.js';
import type { Evidence, Known, NoResult } from './evidence.js';
import type { PlanState } from './plan-state.js';
import type { OnHarm, Policy } from './policies.js';

export interface Look {
  readonly policy: Policy;
  /** The step of a rollout that is looked at; null for an experiment that none moves. */
  readonly ramp: RampStep | null;
  readonly alpha: number;
  /** Of this run. */
  readonly alphaMinus: number;
  /** At one look. `none`: the success tests get α/(S·k) each, as they do in a watched plan unless it says `e-bh`; the error budget is never left out. */
  readonly multiplicity: Multiplicity;
  readonly plan: PlanState;
  /** W: everything known by then is counted. */
  readonly knownUntilUs: number;
  readonly treatments: readonly string[];
  /** As they were promised when the comparison started; absent: they follow from what is here. */
  readonly levels?: ErrorBudget;
  /** Q of the error budget: 1 where the design states a ratio. */
  readonly ratioTests: number;
  /** Policy stage: no go while a metric could still lose this share of control's mean. */
  readonly harmBound: number | null;
  readonly quality: readonly QualityCheck[];
  /** Success metrics and guardrails; secondary metrics are shown, not judged. */
  readonly metrics: readonly MonitoredMetric[];
}

/** Names a step among all of an experiment: a go is one of its step. */
export interface RampStep {
  readonly rollout: string;
  readonly run: number;
  readonly stage: string;
}

export interface QualityCheck {
  readonly check: 'sample-ratio' | 'multiple-exposure';
  readonly outcome: 'passed' | 'failed' | 'not-tested';
  /** The arm that it concerns, null for the whole comparison. */
  readonly arm: string | null;
  readonly sentence: string;
  /** Of a test that holds at any look: its alarm is latched. */
  readonly logE?: number;
}

export interface MonitoredMetric {
  readonly metric: string;
  readonly role: 'success' | 'guardrail';
  /** Guardrails with a margin must be shown to be non-inferior. */
  readonly margin: Margin | null;
  readonly onHarm: OnHarm;
  /** One entry a treatment. */
  readonly arms: readonly ArmTest[];
}

export type Margin = { readonly relative: number } | { readonly absolute: number };

/** Treatment − control, turned so that positive is better: as a share of control's mean, or in the metric's unit where that is 0. */
export type Gain = { readonly relative: number } | { readonly absolute: number };

export type ArmTest =
  | {
      readonly kind: 'tested';
      readonly arm: string;
      /** Null where only harm can be told yet. */
      readonly gain: Gain | null;
      readonly better: Evidence;
      readonly worse: Evidence;
      /** Set where harm is told from units with a first error. */
      readonly firstError: FirstError | null;
      readonly nonInferiority: NonInferiorityTest | null;
      /** The largest loss that α does not exclude, as a share of control's mean; null where it is unknown or unbounded. */
      readonly couldLose: number | null;
    }
  /** Both arms have the same constant value: nothing is worse, if the event is known to arrive at all. */
  | { readonly kind: 'equal-constants'; readonly arm: string; readonly isEventSeen: boolean }
  | ({ readonly kind: 'no-result'; readonly arm: string } & NoResult);

/** Units that had at least one, and the share that allocation alone gives the treatment. */
export interface FirstError {
  readonly control: number;
  readonly treatment: number;
  readonly expectedShare: number;
}

export type NonInferiorityTest =
  | {
      readonly kind: 'tested';
      readonly evidence: Known;
      /** The largest loss that α does not exclude, in the margin's scale (negative: a gain is certain); null where it is unbounded. */
      readonly couldLose: number | null;
    }
  | ({ readonly kind: 'no-result' } & NoResult);

/** Units seen in two arms point at broken assignment from both of these on. */
export const MULTIPLE_EXPOSURE_ALARM = { share: 0.01, units: 10 } as const;
