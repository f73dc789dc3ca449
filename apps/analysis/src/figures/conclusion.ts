/** From sums to verdict: one function for results, looks, records and replays, so that they can't say different things. */
import type { Actions, Crossing, SufficientStatistics, Verdict } from '@rampart/contracts';
import { isWatched, judge, type PlanState, withUnits } from '@rampart/domain';
import type { ComparisonQuery, ComparisonSums, DuplicateCount } from '@rampart/feedback-store';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { sufficientStatistics } from './arm-sums.js';
import { canonicalDigest } from './canonical-digest.js';
import { numbersOf } from './conclusion-numbers.js';
import { evidenceDigest } from './evidence-digest.js';
import { budgetOf, type Figures, lookOf } from './look-of-results.js';
import { metricResults } from './metric-results.js';
import { populationOf, sampleRatio } from './population.js';

export interface Concluding {
  readonly definition: DefinitionInForce;
  readonly query: Pick<ComparisonQuery, 'cells'>;
  readonly sums: ComparisonSums;
  /** By time alone (`planState`); what the sums say about it is added here. */
  readonly plan: PlanState;
  /** Names of events that had arrived in the day before W, in a history ever: their silence means zero. */
  readonly seenEvents: ReadonlySet<string>;
  /** All crossings of the comparison before this look. */
  readonly latchedBefore: readonly Crossing[];
  /** W. */
  readonly knownUntilUs: number;
  /** For the population table only. */
  readonly duplicates?: DuplicateCount;
}

export interface Conclusion {
  readonly figures: Figures;
  readonly statistics: readonly SufficientStatistics[];
  /** With what the sums say: a sequential plan ends with its planned units. */
  readonly plan: PlanState;
  readonly verdict: Verdict;
  readonly actions: Actions;
  /** All crossings up to and with this look. */
  readonly latched: readonly Crossing[];
  /** What the verdict was made of, to 12 significant digits; sorted by name. */
  readonly numbers: Readonly<Record<string, string>>;
  readonly evidenceDigest: string;
  readonly conclusionDigest: string;
}

/** Pure: the same arguments give the same bits, on the same engine version. */
export const conclude = (concluding: Concluding): Conclusion => {
  const { definition, query, sums, seenEvents, latchedBefore, knownUntilUs } = concluding;
  const figures = figuresOf(concluding);
  const statistics = sufficientStatistics(query.cells, definition.metrics, sums);
  const plan = withUnits(concluding.plan, pairUnits(definition, figures), definition.experiment.plan.plannedUnits ?? null);
  const look = lookOf(definition, figures, { plan, knownUntilUs, isSeen: (event) => seenEvents.has(event) });
  const { verdict, actions, latched } = judge(look, latchedBefore);
  const numbers = numbersOf(look, figures, budgetOf(definition));
  return {
    figures,
    statistics,
    plan,
    verdict,
    actions,
    latched,
    numbers,
    evidenceDigest: evidenceDigest(definition, statistics, figures.population.rows),
    conclusionDigest: conclusionDigest({ verdict, latched, numbers }),
  };
};

/** SHA-256 (hex) of what was decided and of the numbers it was made of; sentences may be worded anew. */
export const conclusionDigest = ({ verdict, latched, numbers }: Pick<Conclusion, 'verdict' | 'latched' | 'numbers'>): string =>
  canonicalDigest({ verdict: verdict.verdict, rule: verdict.rule, latched, numbers });

const figuresOf = ({ definition, query, sums, plan, duplicates = NO_DUPLICATES }: Concluding): Figures => {
  const population = populationOf(definition.experiment, sums, duplicates);
  const alarmAtE = isWatched(plan.method) ? budgetOf(definition).ratioAlarmAtE : null;
  return {
    srm: sampleRatio(definition.experiment, population, alarmAtE),
    population,
    metrics: metricResults(definition, query, sums),
  };
};

const NO_DUPLICATES = { accepted: 0, stored: 0, duplicates: 0, idsReused: 0 };

/** Units of control and the largest treatment, closed for every judged metric. */
const pairUnits = ({ metrics }: DefinitionInForce, figures: Figures): number => {
  const judged = figures.metrics.filter((_, index) => metrics[index]?.use.role !== 'secondary');
  const pairs = judged.map(({ arms }) => {
    const largest = Math.max(0, ...arms.filter(({ isControl }) => !isControl).map(({ n }) => n));
    return (arms.find(({ isControl }) => isControl)?.n ?? 0) + largest;
  });
  return pairs.length === 0 ? 0 : Math.min(...pairs);
};
