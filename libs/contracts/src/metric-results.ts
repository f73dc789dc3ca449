/** What is said of one metric: arms, effects and what holds at every look. Numbers that can't be had are null, or a refusal; never NaN. */

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
