/** The results API: everything an analyst needs to recompute a verdict. Absent numbers are null, never NaN. */

import type { AnalysisPlan, PlanInForce } from './experiments.js';
import type { InstantUs } from './instants.js';
import type { AnytimeEffect, Effect, MetricResult, Refusal } from './metric-results.js';
import type { SufficientStatistics } from './sufficient-statistics.js';

export interface SrmResult {
  readonly observed: Readonly<Record<string, number>>;
  readonly weights: Readonly<Record<string, number | null>>;
  readonly test:
    | { readonly chi2: number; readonly df: number; readonly p: number; readonly logP: number; readonly failed: boolean }
    | Refusal;
  /** The test that decides where the plan is looked at continuously; it alarms at E ≥ `alarmAtE`. Null without a designed ratio, or with one look. */
  readonly anytime: {
    readonly logE: number;
    readonly p: number;
    readonly logP: number;
    readonly alarmAtE: number;
    readonly failed: boolean;
  } | null;
  /** Which units were counted. */
  readonly note?: string;
}

/** A test of quality: p of one look, or evidence that holds at every look. */
export interface QualityTest {
  readonly p: number;
  readonly logP: number;
  /** Null with one look. */
  readonly logE: number | null;
  readonly failed: boolean;
}

/** A covariate of a metric, which was there before anybody was assigned, between control and a treatment. */
export interface BalanceCheck {
  readonly metric: string;
  /** Of several covariates: the event of this one. */
  readonly covariate?: string;
  readonly treatment: string;
  readonly means: { readonly control: number | null; readonly treatment: number | null };
  readonly test: QualityTest | Refusal;
}

/**
 * Units by arm at one step of their way; `assigned` where a metric counts the assigned; `tracked`: of which any event that the metrics read has come.
 */
export interface HopRatio {
  readonly hop: 'assigned' | 'exposed' | 'tracked';
  readonly observed: Readonly<Record<string, number>>;
  readonly test: QualityTest | Refusal;
}

export interface SegmentRatio extends Omit<HopRatio, 'hop'> {
  readonly segment: number;
}

/** What is shown beside `srm`, and decides nothing but through it and `multipleExposure`. */
export interface QualityResult {
  readonly balance: readonly BalanceCheck[];
  readonly hops: readonly HopRatio[];
  /** The first hop whose ratio is off. Never `tracked`: a treatment may change who does anything. */
  readonly brokenHop: 'assigned' | 'exposed' | null;
  readonly segments: readonly SegmentRatio[];
  readonly multipleExposure: { readonly units: number; readonly of: number; readonly failed: boolean };
}

/** Per cell: who was seen, who is counted, and why others are not. */
export interface PopulationRow {
  readonly variant: string;
  readonly arm: string;
  readonly exposed: number;
  readonly counted: number;
  readonly excluded: Readonly<
    Record<'own-choice' | 'override' | 'unknown-variant' | 'reason-unknown' | 'two-arms' | 'not-randomised', number>
  >;
}
export interface Population {
  readonly units: number;
  readonly counted: number;
  readonly rows: readonly PopulationRow[];
  readonly crossedLate: number;
  readonly lateExposures: number;
  readonly duplicates: { readonly accepted: number; readonly stored: number; readonly duplicates: number; readonly idsReused: number };
}

export type VerdictKind = 'go' | 'no-go' | 'continue' | 'inconclusive' | 'invalid';
export interface Verdict {
  readonly verdict: VerdictKind;
  readonly rule: string;
  /** Says the deciding rule with both numbers. */
  readonly sentence: string;
  readonly arms: readonly { readonly arm: string; readonly verdict: VerdictKind; readonly rule: string; readonly sentence: string }[];
  readonly findings: readonly {
    readonly kind: 'quality' | 'harm' | 'success' | 'non-inferiority' | 'waiting';
    readonly metric: string | null;
    readonly arm: string | null;
    readonly holds: boolean;
    readonly sentence: string;
  }[];
}

/** What each kind of reader does upon a verdict; of all findings of a look the most severe action counts. */
export interface Actions {
  readonly ramp: 'advance' | 'stay' | 'hold' | 'hold-and-ask' | 'roll-back';
  readonly experiment: 'recommend-shipping' | 'stay' | 'recommend-control' | 'recommend-repair' | 'recommend-stopping';
  readonly gate: 'go' | 'wait' | 'no-go';
}

/** A boundary that was crossed once and stays crossed, whatever comes after: evidence that is valid at any time is not taken back. */
export interface Crossing {
  readonly test: 'sample-ratio' | 'harm' | 'go';
  readonly metric: string | null;
  readonly arm: string | null;
  /** W of the look that crossed. */
  readonly knownUntilUs: InstantUs;
  /** ln E of the e-process; the one-sided p of a go. */
  readonly value: number;
  /** Of a go in a ramp: it is one of that step, and says nothing of the next. */
  readonly ramp?: { readonly rollout: string; readonly run: number; readonly stage: string; readonly policy: 'stage' | 'ship' };
}

/** A gain or a kept margin at a planned look, turned so that more is better. An interval that holds at all looks: estimate ± bound · se. */
export interface LookTest {
  readonly test: 'superiority' | 'non-inferiority';
  readonly metric: string;
  readonly arm: string;
  /** One-sided α of all looks together. */
  readonly level: number;
  /** Null where there was no result. */
  readonly estimate: number | null;
  readonly se: number | null;
  readonly statistic: number | null;
  /** α used up by this look and those before it. */
  readonly spent: number;
  /** The statistic that shows it; null: nothing could be shown at this look. */
  readonly bound: number | null;
  /** Of a margin: the largest loss that is not excluded, on the margin's scale. */
  readonly couldLose: number | null;
}

/** A planned look that was taken: recorded once, and never computed anew. */
export interface TakenLook {
  /** From 1, of `looks`. */
  readonly look: number;
  readonly looks: number;
  /** The moment that was planned. */
  readonly knownUntilUs: InstantUs;
  readonly tests: readonly LookTest[];
}

/** Units that had this value of the property at their first exposure, compared by themselves. */
export interface DimensionValue {
  /** As a text; the empty one stands for units without the property. Null: all values that have no row of their own. */
  readonly value: string | null;
  /** Counted units. */
  readonly units: number;
  /** At the level of one of as many tests as there are values. */
  readonly srm: SrmResult;
  /** `adjustedP` is that of the dimension's family. */
  readonly metrics: readonly MetricResult[];
}

/** Do the values differ in their effect by more than chance (Cochran's Q)? Of one look. */
export interface DimensionHeterogeneity {
  readonly metric: string;
  readonly treatment: string;
  readonly control: string;
  /** With an effect. */
  readonly values: number;
  readonly q: number;
  readonly df: number;
  readonly p: number;
  /** Share of the variation beyond chance, 0 to 1. */
  readonly iSquared: number;
  /** The effect over all values has the sign of none of them. */
  readonly isSimpson: boolean;
}

/** For display: no verdict is made of it. */
export interface DimensionBreakdown {
  readonly property: string;
  /** Benjamini–Hochberg over all values, metrics and comparisons. */
  readonly correction: 'bh';
  readonly tests: number;
  /** Most units first, the rest last. */
  readonly values: readonly DimensionValue[];
  readonly heterogeneity: readonly DimensionHeterogeneity[];
}

/** By how much the effect of an arm is higher among units that have an arm of another experiment than among those that have its control. */
export interface MetricInteraction {
  readonly metric: string;
  readonly treatment: string;
  readonly control: string;
  /** Arms of the other experiment. */
  readonly otherTreatment: string;
  readonly otherControl: string;
  /** Difference of differences in the metric's unit, against the standard normal: of one look. */
  readonly absolute: Effect;
  /** At any look; null where the plan has one, and of quantiles. */
  readonly anytime: AnytimeEffect | Refusal | null;
  /** Over all that are tested here; where the plan is looked at continuously by the p at any look, and null where there is none. */
  readonly adjustedP: number | null;
}

/** Whether another experiment on the same units alters what this one does. For display: no verdict is made of it. */
export interface Interaction {
  readonly experiment: string;
  readonly definitionVersion: number;
  /** Effects among the units of each arm there, its control first; `value: null`: units that are not counted there. */
  readonly arms: readonly DimensionValue[];
  /** Whether the arms here hold the arms there in equal shares: of one look. */
  readonly independence:
    | { readonly chi2: number; readonly df: number; readonly p: number; readonly logP: number; readonly failed: boolean }
    | Refusal;
  /** Benjamini–Hochberg over all of `interactions`. */
  readonly correction: 'bh';
  readonly tests: number;
  readonly interactions: readonly MetricInteraction[];
  readonly notes: readonly string[];
}

/** One metric that the experiment's plan does not know, on the units that it compares. Nothing is stored, and no verdict is made of it. */
export interface Exploration
  extends Pick<
    Results,
    'project' | 'environment' | 'experiment' | 'definitionVersion' | 'comparison' | 'status' | 'asOf' | 'watermark' | 'control' | 'warnings'
  > {
  readonly exploratory: true;
  /** Benjamini–Hochberg over the comparisons of this metric and all of the plan's: `adjustedP`. */
  readonly correction: 'bh';
  readonly tests: number;
  readonly metric: MetricResult;
  readonly sufficientStatistics: readonly SufficientStatistics[];
}

export interface Results {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  readonly definitionVersion: number;
  readonly comparison: number;
  /** `importing`: the history is not complete yet, no number is final. */
  readonly status: 'importing' | 'complete' | 'running' | 'not-started';
  readonly asOf: string | null;
  readonly watermark: string | null;
  readonly watermarkAgeMs: number | null;
  readonly plan: AnalysisPlan;
  /** Levels, N* and looks as they were promised at the start; null before it. */
  readonly planInForce: PlanInForce | null;
  readonly control: string;
  readonly srm: SrmResult;
  readonly quality: QualityResult;
  readonly population: Population;
  readonly metrics: readonly MetricResult[];
  /** Where a dimension was asked for. */
  readonly dimension?: DimensionBreakdown;
  /** Where another experiment was named. */
  readonly interaction?: Interaction;
  readonly verdict: Verdict;
  readonly actions: Actions;
  /** Boundaries crossed up to here; harm and sample ratio stay crossed. */
  readonly latched: readonly Crossing[];
  /** Of a plan of several looks, those that were taken; null in other plans. */
  readonly looks: readonly TakenLook[] | null;
  readonly sufficientStatistics: readonly SufficientStatistics[];
  /** SHA-256 of the canonical definition and sums: equal after any redelivery or order. */
  readonly evidenceDigest: string;
  /** Of verdict, rule, crossings and the numbers they were made of; equal on the same engine version. */
  readonly conclusionDigest: string;
  readonly warnings: readonly string[];
}
