/** From sums to verdict: one function for results, looks, records and replays, so that they can't say different things. */
import type { Actions, Crossing, SufficientStatistics, Verdict } from '@rampart/contracts';
import {
  isWatched,
  judge,
  type LookSchedule,
  lookDue,
  type PlanState,
  type TakenLook,
  takeLook,
  withLooks,
  withUnits,
} from '@rampart/domain';
import type { ComparisonQuery, ComparisonSums, DuplicateCount } from '@rampart/feedback-store';
import { type DefinitionInForce, scheduleOf } from '../definitions/definition-in-force.js';
import { sufficientStatistics } from './arm-sums.js';
import { canonicalDigest } from './canonical-digest.js';
import { numbersOf } from './conclusion-numbers.js';
import { evidenceDigest } from './evidence-digest.js';
import { askedAtLooks, budgetOf, type Figures, lookOf } from './look-of-results.js';
import { metricResults } from './metric-results.js';
import { populationOf, sampleRatio } from './population.js';
import { quantilesCounted } from './quantile-tests.js';

export interface Concluding {
  readonly definition: DefinitionInForce;
  readonly query: Pick<ComparisonQuery, 'cells' | 'quantiles'>;
  readonly sums: ComparisonSums;
  /** By time alone (`planState`); what the sums say about it is added here. */
  readonly plan: PlanState;
  /** Names of events that had arrived in the day before W, in a history ever: their silence means zero. */
  readonly seenEvents: ReadonlySet<string>;
  /** All crossings of the comparison before this look. */
  readonly latchedBefore: readonly Crossing[];
  /** Of a plan of several looks: those that were taken before. Absent: none. */
  readonly looksBefore?: readonly TakenLook[];
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
  /** Of a plan of several looks, those taken up to and with this one; null in other plans. */
  readonly looks: readonly TakenLook[] | null;
  /** What the verdict was made of, to 12 significant digits; sorted by name. */
  readonly numbers: Readonly<Record<string, string>>;
  readonly evidenceDigest: string;
  readonly conclusionDigest: string;
}

/** Pure: the same arguments give the same bits, on the same engine version. */
export const conclude = (concluding: Concluding): Conclusion => {
  const { definition, query, sums, seenEvents, latchedBefore, knownUntilUs } = concluding;
  const figures = figuresOf(concluding);
  const statistics = sufficientStatistics(query.cells, definition.metrics, sums, query.quantiles === true);
  const units = pairUnits(definition, figures);
  const schedule = concluding.plan.method === 'group-sequential' ? scheduleOf(definition) : null;
  const looks = schedule === null ? null : looksWith(concluding, schedule, figures, units);
  // Those before this moment: a comparison may be closed as of one that lies before its last look.
  const known = looks?.filter((taken) => taken.knownUntilUs <= knownUntilUs) ?? [];
  const counted = withUnits(concluding.plan, units, definition.experiment.plan.plannedUnits ?? null);
  const plan = schedule === null ? counted : withLooks(counted, schedule, known, units);
  const quantiles = quantilesCounted(definition, query, sums);
  const look = lookOf(definition, figures, { plan, knownUntilUs, isSeen: (event) => seenEvents.has(event), looks: known, quantiles });
  const { verdict, actions, latched } = judge(look, latchedBefore);
  const numbers = numbersOf(look, figures, budgetOf(definition));
  return {
    figures,
    statistics,
    plan,
    verdict,
    actions,
    latched,
    looks,
    numbers,
    evidenceDigest: evidenceDigest(definition, statistics, figures.population.rows),
    conclusionDigest: conclusionDigest({ verdict, latched, looks, numbers }),
  };
};

/** With this one, where it is due at this very moment. */
const looksWith = (
  { definition, plan, knownUntilUs, looksBefore = [] }: Concluding,
  schedule: LookSchedule,
  figures: Figures,
  units: number,
): readonly TakenLook[] => {
  const look = plan.isDue ? lookDue(schedule, looksBefore, { knownUntilUs, units }) : undefined;
  if (look === undefined) return looksBefore;
  return [...looksBefore, takeLook(schedule, looksBefore, { look, knownUntilUs, asked: askedAtLooks(definition, figures) })];
};

/** Units that the planned units are compared with: closed, of control and the largest treatment, in every judged metric. */
export const countedUnits = ({ definition, query, sums }: Pick<Concluding, 'definition' | 'query' | 'sums'>): number =>
  pairUnits(definition, { metrics: metricResults(definition, query, sums) });

/** SHA-256 (hex) of what was decided and of the numbers it was made of; sentences may be worded anew. */
export const conclusionDigest = ({ verdict, latched, looks, numbers }: Concluded): string =>
  canonicalDigest({ verdict: verdict.verdict, rule: verdict.rule, latched, ...(looks == null ? {} : { looks }), numbers });

interface Concluded extends Pick<Conclusion, 'verdict' | 'latched' | 'numbers'> {
  /** Absent or null in plans that have none. */
  readonly looks?: Conclusion['looks'];
}

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
const pairUnits = ({ metrics }: DefinitionInForce, figures: Pick<Figures, 'metrics'>): number => {
  const judged = figures.metrics.filter((_, index) => metrics[index]?.use.role !== 'secondary');
  const pairs = judged.map(({ arms }) => {
    const largest = Math.max(0, ...arms.filter(({ isControl }) => !isControl).map(({ n }) => n));
    return (arms.find(({ isControl }) => isControl)?.n ?? 0) + largest;
  });
  return pairs.length === 0 ? 0 : Math.min(...pairs);
};
