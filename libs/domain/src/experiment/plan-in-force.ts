/** What a plan amounts to, computed when a comparison starts and kept with it: levels, N* and looks don't move with a later program. */
import { DEFAULT_TIGHTEST_AT_UNITS, nextGroupSequentialBound, spentAlpha } from '@rampart/statistics';
import type { EnvironmentKind } from '../tenancy/environment.js';
import { alphaMinusOf, type ErrorBudget, errorBudget } from '../verdict/error-budget.js';
import { recorded } from '../verdict/number-texts.js';
import { isWatched, type PlanMethod } from '../verdict/plan-state.js';
import { type LookSchedule, lookSchedule } from '../verdict/planned-looks.js';
import { armsOf, type ExperimentDefinition } from './experiment-definition.js';

export interface PlanInForce {
  /** Of which it is the plan: other variants or weights begin another one. */
  readonly comparison: number;
  /** History has one look whatever its definition says. */
  readonly method: PlanMethod;
  /** N*; null with one look. */
  readonly tightestAtUnits: number | null;
  /** One-sided level of each test; of harm in this run of a rollout. */
  readonly levels: ErrorBudget;
  /** Power that each test of a gain or a margin needs, for the whole plan to miss with β at most: 1 − (β − α₋)/(G + 1); null where β ≤ α₋. */
  readonly powerOfEach: number | null;
  /** Of a plan of several looks: with the bounds that they have if information comes as it is planned. */
  readonly looks: readonly PlannedBounds[];
  /** Absent in the first comparison of a run. */
  readonly before?: EarlierComparisons;
}

/** What the comparisons before it could err with: each keeps its own levels, and who begins anew tries once more. */
export interface EarlierComparisons {
  readonly comparisons: number;
  /** Sum of their α; null where one of them promises no such chance: Bayesian, or several gains by a false discovery rate. */
  readonly alpha: number | null;
  /** Sum of their α₋. */
  readonly alphaMinus: number;
  /** Why another one began, and what that does to validity. */
  readonly sentence: string;
}

export interface PlannedBounds {
  readonly look: number;
  /** Null: as of the first whole hour at which `units` are in. */
  readonly atUs: number | null;
  readonly units: number | null;
  readonly share: number;
  /** z of a gain and of a margin; null where nothing can be shown yet. */
  readonly superiority: number | null;
  readonly nonInferiority: number | null;
}

interface Start {
  readonly kind: EnvironmentKind;
  readonly comparison: number;
  /** Of the comparison. */
  readonly startedAtUs: number;
  /** Of a rollout, whose runs share its α₋; null without one. */
  readonly run: number | null;
  readonly before?: EarlierComparisons | undefined;
}

export const planInForce = (definition: ExperimentDefinition, { kind, comparison, startedAtUs, run, before }: Start): PlanInForce => {
  const { plan } = definition;
  const method = kind === 'historical' ? 'fixed-horizon' : plan.method;
  const levels = levelsOf(definition, run);
  return {
    comparison,
    method,
    tightestAtUnits: isWatched(method) ? tightestAtUnitsOf(plan) : null,
    levels,
    powerOfEach: powerOfEach(definition),
    looks: method === 'group-sequential' ? plannedBounds(lookSchedule(plan, startedAtUs), levels) : [],
    ...(before === undefined ? {} : { before }),
  };
};

/** N*: half of the planned units, where an interval that holds at every look is tightest. */
export const tightestAtUnitsOf = ({ plannedUnits }: Pick<ExperimentDefinition['plan'], 'plannedUnits'>): number =>
  plannedUnits === undefined ? DEFAULT_TIGHTEST_AT_UNITS : plannedUnits / 2;

/** Levels of all tests: plan data alone. */
export const levelsOf = (
  definition: Pick<ExperimentDefinition, 'plan' | 'metrics' | 'variants' | 'control'>,
  run: number | null,
): ErrorBudget => errorBudget(budgetedTests(definition, run));

/** A run of a rollout has its share of α₋; an experiment that none moves has all of it. */
export const budgetedTests = (
  { plan, metrics, variants, control }: Pick<ExperimentDefinition, 'plan' | 'metrics' | 'variants' | 'control'>,
  run: number | null,
) => ({
  alpha: plan.alpha,
  alphaMinus: alphaMinusOf(plan.alphaMinus, run),
  metrics: metrics.flatMap(({ role }) => (role === 'secondary' ? [] : [{ role }])),
  ratioTests: variants.some(({ weight }) => weight === null) ? 0 : 1,
  treatments: armsOf({ variants }).filter((arm) => arm !== control),
});

const powerOfEach = ({ plan: { beta, alphaMinus }, metrics }: ExperimentDefinition): number | null => {
  const success = metrics.filter(({ role }) => role === 'success').length;
  const mustAllHold = metrics.filter(({ margin }) => margin !== undefined).length + Math.min(1, success);
  return beta <= alphaMinus || mustAllHold === 0 ? null : recorded(1 - (beta - alphaMinus) / mustAllHold);
};

const plannedBounds = (schedule: LookSchedule, levels: ErrorBudget): readonly PlannedBounds[] => {
  const [gain, margin] = [boundsAt(schedule, levels.superiority), boundsAt(schedule, levels.nonInferiority)];
  return schedule.looks.map(({ atUs, units, share }, index) => ({
    look: index + 1,
    atUs,
    units,
    share: recorded(share),
    superiority: gain[index] ?? null,
    nonInferiority: margin[index] ?? null,
  }));
};

const boundsAt = ({ looks, spending }: LookSchedule, level: number): readonly (number | null)[] => {
  const past: { information: number; bound: number | null }[] = [];
  let spent = 0;
  return looks.map(({ share }) => {
    if (!(share > 0)) return null;
    const next = nextGroupSequentialBound({ past, information: share, spend: spentAlpha(spending, level, share) - spent, sides: 'upper' });
    spent += next.spent;
    past.push({ information: share, bound: next.bound });
    return next.bound === null ? null : recorded(next.bound);
  });
};
