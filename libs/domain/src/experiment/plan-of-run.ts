/** What the plan of a run amounts to: of the comparison that goes on, and of one that begins behind others. */
import { alphaMinusOf } from '../verdict/error-budget.js';
import { percent, recorded } from '../verdict/number-texts.js';
import { comparisonStartUs, type Run } from './experiment.js';
import { armsOf, type ExperimentDefinition } from './experiment-definition.js';
import { type EarlierComparisons, type PlanInForce, planInForce } from './plan-in-force.js';

/** Of the comparison that it is in, which goes on. */
export const planOfRun = (definition: ExperimentDefinition, run: Run): PlanInForce =>
  planInForce(definition, { ...startOf(run), before: run.planInForce?.before });

/** Of a comparison that begins. */
export const planAnew = (
  definition: ExperimentDefinition,
  begun: Run,
  { before, run, why }: { readonly before: ExperimentDefinition; readonly run: Run; readonly why: string },
): PlanInForce => planInForce(definition, { ...startOf(begun), before: earlierComparisons([before, definition], [run, begun], why) });

const startOf = (run: Run) => {
  const { comparison } = run.segments.at(-1) ?? run.segments[0];
  return { kind: run.kind, comparison, startedAtUs: comparisonStartUs(run), run: run.ramp?.run ?? null };
};

type Pair<Value> = readonly [before: Value, after: Value];

const earlierComparisons = ([was, is]: Pair<ExperimentDefinition>, [run, begun]: Pair<Run>, why: string): EarlierComparisons => {
  const [spent, next] = [alphasOf(was, run), alphasOf(is, begun)];
  const { comparison } = startOf(run);
  const known = run.planInForce?.before ?? unsaid(was, run);
  const [alpha, alphaMinus] = [plus(known.alpha, spent.alpha), recorded(known.alphaMinus + spent.alphaMinus)];
  const others = comparison === 1 ? 'comparison 1' : `comparisons 1 to ${comparison}`;
  const units =
    is.assignment === 'rampart'
      ? 'units are assigned anew'
      : 'units must be assigned anew where that is done, or what chance did to the arms is counted again and no sum below holds';
  const alarm = `a false alarm for harm or sample ratio has a chance of at most ${chance(alphaMinus + next.alphaMinus)}`;
  const sentence = `comparison ${comparison + 1} began since ${why}: ${units}, and what ${others} saw decides nothing here. Each comparison keeps its own error rates; of all ${comparison + 1} together, ${wrongGo(is, plus(alpha, next.alpha))}, and ${alarm}`;
  return { comparisons: comparison, alpha, alphaMinus, sentence };
};

const wrongGo = ({ policy }: ExperimentDefinition, alpha: number | null): string => {
  if (policy === 'stage') return 'a wrong go has no bound, since policy stage asks only whether anything is worse';
  if (alpha === null) return 'no chance of a wrong go is promised, since one of them has none (Bayesian, or by a false discovery rate)';
  return `a treatment without the gain or the margins that its plan asks for gets a go under ship with a chance of at most ${chance(alpha)}`;
};

/** What an earlier program began said nothing of those before it: they count as this one, in a rollout each as its run. */
const unsaid = (definition: ExperimentDefinition, run: Run) => {
  const earlier = startOf(run).comparison - 1;
  const { alpha } = alphasOf(definition, run);
  const runs = Array.from({ length: earlier }, (_, index) => (run.ramp === undefined ? null : Math.max(1, run.ramp.run - earlier + index)));
  const alphaMinus = runs.reduce<number>((sum, one) => sum + alphaMinusOf(definition.plan.alphaMinus, one), 0);
  return { alpha: alpha === null && earlier > 0 ? null : (alpha ?? 0) * earlier, alphaMinus };
};

const alphasOf = (definition: ExperimentDefinition, { ramp }: Run) => ({
  alpha: promisesAlpha(definition) ? definition.plan.alpha : null,
  alphaMinus: alphaMinusOf(definition.plan.alphaMinus, ramp?.run ?? null),
});

/** A false discovery rate bounds a share: beside true gains, a treatment without one ships more often than α. */
const promisesAlpha = ({ plan: { method, multiplicity }, metrics, variants }: ExperimentDefinition): boolean => {
  const gains = metrics.filter(({ role }) => role === 'success').length * (armsOf({ variants }).length - 1);
  return method !== 'bayesian' && (gains < 2 || !['bh', 'by', 'e-bh'].includes(multiplicity));
};

const plus = (one: number | null, other: number | null): number | null => (one === null || other === null ? null : recorded(one + other));
const chance = (sum: number): string => percent(Math.min(1, sum));
