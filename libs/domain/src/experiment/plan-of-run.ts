/** What the plan of a run amounts to: of the comparison that goes on, and of one that begins behind others. */
import { alphaMinusOf } from '../verdict/error-budget.js';
import { percent, recorded } from '../verdict/number-texts.js';
import { comparisonStartUs, type Run } from './experiment.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import { type EarlierComparisons, type PlanInForce, planInForce } from './plan-in-force.js';

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

const startOf = (run: Run) => {
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
