/** The results API: everything an analyst needs to recompute a verdict. Absent numbers are null, never NaN. */

import type { AnalysisPlan, PlanInForce } from './experiments.js';
import type { InstantUs } from './instants.js';
import type { SufficientStatistics } from './sufficient-statistics.js';

export interface ArmResult {
  readonly arm: string;
  readonly isControl: boolean;
  readonly n: number;
  /** Plain decimals in the metric's unit, exact. */
  readonly sum: string;
  readonly sumSquares: string;
  readonly mean: number | null;
  readonly variance: number | null;
  readonly lateEvents: number;
  readonly openUnits: number;
  readonly unconverted: number;
  /** Quantile only: `mean` is the quantile, between two order statistics that bound it at 95 %. Absent without observations. */
  readonly quantile?:
    | {
        readonly level: number;
        readonly of: 'events' | 'units';
        readonly observations: number;
        readonly lower: number;
        readonly upper: number;
      }
    | undefined;
}

export interface Interval {
  readonly lower: number | null;
  readonly upper: number | null;
}

export interface EffectEstimate {
  readonly estimate: number;
  readonly se: number;
  readonly statistic: number;
  readonly df: number | null;
  readonly p: number;
  readonly logP: number;
  readonly ci: Interval;
  readonly baselineNoisy?: boolean;
}
/** Why there is no number: a class of condition from the edge table, never a NaN. */
export interface Refusal {
  readonly refused: string;
  readonly difference?: number;
  /** NOT_ENOUGH_DATA: units of an arm, or the rarer of its two outcomes, and how many it takes. */
  readonly have?: number;
  readonly needed?: number;
}
export type Effect = EffectEstimate | Refusal;

/** Evidence against no effect, and an interval, that hold at every look. Two-sided. */
export interface AnytimeEffect {
  readonly lower: number;
  readonly upper: number;
  /** min(1, 1/E) at this look. */
  readonly p: number;
  readonly logP: number;
  readonly logE: number;
  /** Half of the interval in standard errors; null of a quantile, whose interval lies between order statistics. */
  readonly multiplier: number | null;
}

export interface AnytimeComparison {
  readonly level: number;
  /** N*: units of both arms at which the interval is tightest; frozen with the plan. Null where τ shapes it. */
  readonly tightestAtUnits: number | null;
  /** Method msprt: standard deviation of true effects, in the metric's unit; frozen with the plan. */
  readonly tau?: number;
  /** By how much standard errors are widened: 1 in arms of equal size, more where the smaller arm looks narrower than it may be. */
  readonly widening: number;
  readonly absolute: AnytimeEffect | Refusal;
  readonly relative: AnytimeEffect | Refusal;
  /** First-error metrics: units with an error, against the share that allocation alone would give the treatment. Two-sided; valid from the first unit on. */
  readonly firstError: {
    readonly control: number;
    readonly treatment: number;
    readonly expectedShare: number;
    readonly logE: number;
    readonly p: number;
    readonly logP: number;
  } | null;
}

/** What is believed of an effect on one scale: in the metric's unit, or as a share of the control's mean. */
export interface Belief extends Interval {
  readonly mean: number;
  /** What shipping the treatment is expected to lose, and what keeping the control is; in the direction of the metric. */
  readonly lossIfShipped: number;
  readonly lossIfKept: number;
}

/** The same data read with a prior: for display, unless the plan's method is bayesian. Says nothing about how often such a reading errs. */
export interface BayesianComparison {
  readonly model: 'normal' | 'beta-binomial';
  /** Null: flat. Normal: of the relative effect; beta: of each arm's rate. */
  readonly prior: { readonly mean: number; readonly sd: number } | { readonly a: number; readonly b: number } | null;
  readonly level: number;
  /** That the treatment is better than the control, in the direction of the metric. */
  readonly chanceToWin: number;
  readonly absolute: Belief | Refusal;
  readonly relative: Belief | Refusal;
  /** Treatment's mean over the control's. */
  readonly relativeRisk: (Interval & { readonly estimate: number }) | null;
}

/** An interval that allows for how many are looked at; two-sided. `simultaneous`: all of them hold together. `selected`: of those that were shown. */
export interface AdjustedInterval extends Interval {
  readonly kind: 'simultaneous' | 'selected';
  readonly level: number;
}

/** How likely an effect worth finding would have been found with what is in, and what is missing for the power that was planned. */
export interface PowerReached {
  /** In the metric's unit: the plan's smallest effect worth finding. Null where the metric names none. */
  readonly minimumEffect: number | null;
  readonly power: number | null;
  /** The effect that is found with the planned power by what is in. */
  readonly detectable: { readonly absolute: number; readonly relative: number | null };
  readonly plannedPower: number;
  /** Closed units of the pair now, and how many more until that power; null without a smallest effect, or beyond every plan. */
  readonly units: number;
  readonly furtherUnits: number | null;
  /** At the pace of the last days; null where that is unknown. */
  readonly furtherDays: number | null;
}

export interface Comparison {
  readonly treatment: string;
  readonly control: string;
  readonly absolute: Effect;
  readonly relative: Effect;
  /** Null where the plan has one look. */
  readonly anytime: AnytimeComparison | null;
  /** The same statistic against the standard normal. */
  readonly normal: { readonly p: number; readonly logP: number; readonly ci: Interval } | null;
  /** Two-proportion z test with pooled variance, where all values are 0 or 1. */
  readonly pooledProportion: { readonly se: number; readonly z: number; readonly p: number; readonly logP: number } | null;
  readonly bayesian: BayesianComparison | Refusal;
  /** By the plan's correction over success metrics × comparisons; null for other roles, and where the plan asks for none or corrects e-values. */
  readonly adjustedP: number | null;
  /** The same over the p against the standard normal. */
  readonly adjustedNormalP?: number | null;
  /** Success metrics of a plan that corrects for being many; at every look where the plan is watched, else at its one look. */
  readonly adjustedInterval?: { readonly absolute: AdjustedInterval | null; readonly relative: AdjustedInterval | null };
  /** Judged metrics only. */
  readonly powerReached?: PowerReached | Refusal;
  readonly nonInferiority?:
    | {
        readonly margin: string;
        readonly z: number;
        /** Of the contrast with the margin, in the metric's unit. */
        readonly se: number;
        readonly p: number;
        readonly logP: number;
        readonly nonInferior: boolean;
      }
    | Refusal;
}

export interface CupedResult {
  /** Several: all of them, and `theta` is that of their weighted sum. */
  readonly covariate: string;
  /** Where there are several: the weight of each; null where the others say what it says. */
  readonly slopes?: readonly { readonly covariate: string; readonly theta: number | null }[];
  readonly theta: number;
  readonly thetaKind: 'pooled' | 'within';
  readonly units: number;
  readonly unitsWithoutCovariate: number;
  readonly covariateMean: number;
  readonly correlation: number | null;
  readonly arms: readonly {
    readonly arm: string;
    readonly n: number;
    readonly mean: number;
    readonly variance: number;
    readonly varianceReduction: number | null;
  }[];
  /** `relative` is to the unadjusted control mean, `relativeToAdjusted` to the adjusted one. */
  readonly comparisons: readonly (Comparison & { readonly relativeToAdjusted: Effect })[];
}

/** By the plan's strata: effects per stratum, weighted by the strata's shares. */
export interface StratifiedResult {
  readonly property: string;
  /** The fewest of any comparison: strata in which an arm has no spread are merged into the largest. */
  readonly strataUsed: number;
  readonly comparisons: readonly Comparison[];
}

/** What a metric's caps do, beside the figures that decide: units whose total they changed, and everything as it is without them. */
export interface WithoutCaps {
  readonly arms: readonly {
    readonly arm: string;
    /** Those that the capped figures count; of these so many had more than the upper cap, and so many less than the lower one. */
    readonly units: number;
    readonly lowered: number;
    readonly raised: number;
    readonly mean: number | null;
  }[];
  /** Beside `comparisons` of the result: neither adjusted nor stratified. The interval of one look, and the one for every look where the plan has it. */
  readonly comparisons: readonly UncappedComparison[];
  /** Where a covariate or strata decide: beside what decides. */
  readonly adjusted?: readonly UncappedComparison[];
}

export interface UncappedComparison extends Pick<Comparison, 'treatment' | 'control' | 'absolute' | 'relative'> {
  readonly anytime: Pick<AnytimeComparison, 'level' | 'absolute' | 'relative'> | null;
}

export interface MetricResult {
  readonly metric: string;
  readonly version: number;
  readonly name: string;
  readonly type: string;
  readonly role: 'success' | 'guardrail' | 'secondary';
  readonly direction: 'increase' | 'decrease';
  readonly population: 'exposed' | 'assigned';
  readonly arms: readonly ArmResult[];
  readonly comparisons: readonly Comparison[];
  readonly cuped: CupedResult | Refusal | null;
  /** Of a metric that is capped at quantiles of its own values: in its unit, from the totals of so many units; nothing is decided before they are fixed. */
  readonly caps?: { readonly lower: number | null; readonly upper: number | null; readonly units: number; readonly areFixed: boolean };
  /** Of a capped metric. */
  readonly withoutCaps?: WithoutCaps;
  /** Where at least two segments have enough units. */
  readonly acrossSegments?: readonly AcrossSegments[];
  /** Present where the plan names strata. With a covariate its comparisons are adjusted by it too. */
  readonly stratified?: StratifiedResult | Refusal;
  readonly notes: readonly string[];
}

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

/** The covariate of a metric, which was there before anybody was assigned, between control and a treatment. */
export interface BalanceCheck {
  readonly metric: string;
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

/** One treatment's effect in each segment that has enough units, in the metric's unit, without a covariate. */
export interface AcrossSegments {
  readonly treatment: string;
  readonly segments: readonly {
    readonly segment: number;
    readonly estimate: number;
    readonly se: number;
    /** Drawn to the common effect by how uncertain it is. */
    readonly shrunk: number;
  }[];
  /** Cochran's Q, at one look. */
  readonly heterogeneity: {
    readonly q: number;
    readonly df: number;
    readonly p: number;
    readonly logP: number;
    readonly iSquared: number;
  };
  /** In every segment the other sign than over all. */
  readonly isSimpson: boolean;
  /** Of the effect over the days at which segments began; null where they began together. */
  readonly trend: {
    readonly perDay: number;
    readonly se: number;
    readonly p: number;
    readonly logP: number;
    /** By more than half of the effect from the first segment to the last, p < 0.01. */
    readonly isMoving: boolean;
  } | null;
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
