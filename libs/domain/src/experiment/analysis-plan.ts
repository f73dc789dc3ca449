/** How an experiment is analysed, and what it measures: chosen before it starts. */
import type { Multiplicity } from '../verdict/error-budget.js';
import type { Margin } from '../verdict/look.js';
import type { PlanMethod } from '../verdict/plan-state.js';
import type { OnHarm } from '../verdict/policies.js';

export type PlannedSpending = 'obrien-fleming' | 'pocock' | { readonly power: number };

export type PlannedLooks = { readonly atUs: readonly number[] } | { readonly informationFractions: readonly number[] };

export interface BayesianPlan {
  readonly model: 'normal' | 'beta-binomial';
  readonly prior: 'flat' | { readonly mean: number; readonly sd: number };
  readonly betaPrior: { readonly a: number; readonly b: number };
  /** Closed units an arm. */
  readonly minimumUnits: number;
  /** Share of the control's mean. */
  readonly expectedLoss: number;
  readonly chanceToWin: number;
}

export interface MetricUse {
  readonly metric: string;
  /** Absent: the newest when the experiment starts. */
  readonly version?: number | undefined;
  readonly role: 'success' | 'guardrail' | 'secondary';
  readonly margin?: Margin | undefined;
  /** Of a guardrail; absent: roll-back. */
  readonly onHarm?: OnHarm | undefined;
  /** Method msprt: standard deviation of true effects, in the metric's unit. */
  readonly tau?: number | undefined;
  /** The smallest effect worth finding. */
  readonly minimumEffect?: Margin | undefined;
}

export interface AnalysisPlan {
  readonly method: PlanMethod;
  /** Group-sequential only; absent: obrien-fleming. */
  readonly spending?: PlannedSpending | undefined;
  /** Group-sequential only. */
  readonly looks?: PlannedLooks | undefined;
  readonly bayesian?: BayesianPlan | undefined;
  readonly alpha: number;
  readonly beta: number;
  readonly alphaMinus: number;
  readonly intervalLevel: number;
  readonly allowedLatenessUs: number;
  readonly minimumRunUs: number;
  readonly plannedEndUs?: number | undefined;
  /** Sequential: the most units of control and one treatment together. */
  readonly plannedUnits?: number | undefined;
  /** Policy stage: the largest loss, as a share of control's mean, that may still be possible at a go. */
  readonly harmBound?: number | undefined;
  readonly multipleExposure: 'exclude' | 'first';
  readonly comparisons: 'to-control' | 'all-pairs';
  readonly multiplicity: Multiplicity;
  readonly cupedTheta: 'pooled' | 'within';
  readonly srmAlpha: number;
  /** Post-stratification by a property of first exposures. */
  readonly stratum?: { readonly property: string; readonly values: readonly string[] } | undefined;
}
