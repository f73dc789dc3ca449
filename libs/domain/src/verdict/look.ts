/** What one look at a comparison knows: numbers of tests, not yet judged. */
import type { PlanState } from './plan-state.js';

export interface Look {
  readonly alpha: number;
  readonly alphaMinus: number;
  /** `none`: the success tests get α/(S·k) each; the error budget is never left out. */
  readonly multiplicity: 'holm' | 'none';
  readonly plan: PlanState;
  readonly treatments: readonly string[];
  readonly quality: readonly QualityCheck[];
  /** Success metrics and guardrails; secondary metrics are shown, not judged. */
  readonly metrics: readonly MonitoredMetric[];
}

export interface QualityCheck {
  readonly check: 'sample-ratio' | 'multiple-exposure';
  readonly outcome: 'passed' | 'failed' | 'not-tested';
  /** The arm that it concerns, null for the whole comparison. */
  readonly arm: string | null;
  readonly sentence: string;
}

export interface MonitoredMetric {
  readonly metric: string;
  readonly role: 'success' | 'guardrail';
  /** Guardrails with a margin must be shown to be non-inferior. */
  readonly margin: Margin | null;
  /** One entry a treatment. */
  readonly arms: readonly ArmTest[];
}

export type Margin = { readonly relative: number } | { readonly absolute: number };

export type ArmTest =
  | {
      readonly kind: 'tested';
      readonly arm: string;
      /** Treatment − control, turned so that positive is better: as a share of control's mean, or in the metric's unit where that is 0. */
      readonly gain: { readonly relative: number } | { readonly absolute: number };
      /** One-sided: of a gain at least as large without a real one; of a loss as large without a real one. */
      readonly pBetter: number;
      readonly pWorse: number;
      readonly nonInferiority: NonInferiorityTest | null;
    }
  /** Both arms have the same constant value: nothing is worse, if the event is known to arrive at all. */
  | { readonly kind: 'equal-constants'; readonly arm: string; readonly isEventSeen: boolean }
  /** A class of condition from the edge table, e.g. INSUFFICIENT_UNITS. */
  | { readonly kind: 'no-result'; readonly arm: string; readonly refused: string };

export type NonInferiorityTest =
  | {
      readonly kind: 'tested';
      readonly p: number;
      /** The largest loss that α does not exclude, in the margin's scale (negative: a gain is certain); null where it is unbounded. */
      readonly couldLose: number | null;
    }
  | { readonly kind: 'no-result'; readonly refused: string };

/** Units seen in two arms point at broken assignment from both of these on. */
export const MULTIPLE_EXPOSURE_ALARM = { share: 0.01, units: 10 } as const;
