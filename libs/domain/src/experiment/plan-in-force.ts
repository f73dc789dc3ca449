/** What a plan amounts to, computed when a comparison starts and kept with it: levels, N* and looks don't move with a later program. */
import { DEFAULT_TIGHTEST_AT_UNITS, nextGroupSequentialBound, spentAlpha } from '@rampart/statistics';
import type { EnvironmentKind } from '../tenancy/environment.js';
import { alphaMinusOf, type ErrorBudget, errorBudget } from '../verdict/error-budget.js';
import { percent, recorded } from '../verdict/number-texts.js';
import { isWatched, type PlanMethod } from '../verdict/plan-state.js';
import { type LookSchedule, lookSchedule } from '../verdict/planned-looks.js';
import { comparisonStartUs, type Run } from './experiment.js';
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
  /** Sum of their α; null where one of them was Bayesian, which promises no error rate. */
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

/** Of the comparison that it is in, which goes on. */
export const planOfRun = (definition: ExperimentDefinition, run: Run): PlanInForce =>
  planInForce(definition, { ...startOf(run), before: run.planInForce?.before });

/** Of a comparison that begins. */
export const planAnew = (
  definition: ExperimentDefinition,
  begun: Run,
  { before, run, why }: { readonly before: ExperimentDefinition; readonly run: Run; readonly why: string },
): PlanInForce =>
  planInForce(definition, { ...startOf(begun), before: earlierComparisons([before.plan, definition.plan], [run, begun], why) });

const startOf = (run: Run): Start => {
  const { comparison } = run.segments.at(-1) ?? run.segments[0];
  return { kind: run.kind, comparison, startedAtUs: comparisonStartUs(run), run: run.ramp?.run ?? null };
};

type Pair<Value> = readonly [before: Value, after: Value];

const earlierComparisons = (plans: Pair<ExperimentDefinition['plan']>, [run, begun]: Pair<Run>, why: string): EarlierComparisons => {
  const [spent, next] = [alphasOf(plans[0], run), alphasOf(plans[1], begun)];
  const { comparison } = startOf(run);
  // What an earlier program began said nothing of those before it: they count as this one.
  const known = run.planInForce?.before ?? { alpha: times(spent.alpha, comparison - 1), alphaMinus: spent.alphaMinus * (comparison - 1) };
  const [alpha, alphaMinus] = [plus(known.alpha, spent.alpha), recorded(known.alphaMinus + spent.alphaMinus)];
  const others = comparison === 1 ? 'comparison 1' : `comparisons 1 to ${comparison}`;
  const ship = plus(alpha, next.alpha);
  const wrong =
    ship === null
      ? 'no chance of a wrong ship is promised, since a Bayesian plan has none'
      : `what is not better ships with a chance of at most ${percent(ship)}`;
  const sentence = `comparison ${comparison + 1} began since ${why}: units are assigned anew, and what ${others} saw decides nothing here. Each comparison keeps its own error rates; of all ${comparison + 1} together, ${wrong}, and a false alarm for harm or sample ratio has a chance of at most ${percent(alphaMinus + next.alphaMinus)}`;
  return { comparisons: comparison, alpha, alphaMinus, sentence };
};

const alphasOf = ({ method, alpha, alphaMinus }: ExperimentDefinition['plan'], { ramp }: Run) => ({
  alpha: method === 'bayesian' ? null : alpha,
  alphaMinus: alphaMinusOf(alphaMinus, ramp?.run ?? null),
});
const plus = (one: number | null, other: number | null): number | null => (one === null || other === null ? null : recorded(one + other));
const times = (one: number | null, count: number): number | null => (one === null ? null : one * count);

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
