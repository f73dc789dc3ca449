/** Long tails: a cap that the first units fix, and quantiles of events that come in units. */
import { coMomentsFromIntegerSums, compareMeans, normal, quantileMoments, quantileRanks, varianceOfMean } from '@rampart/statistics';
import { emptyPair, hundredths, type Pair } from '../arm.js';
import type { Random } from '../random.js';
import { about, above, atMost, type Look, type Scenario, scenario } from '../scenario.js';
import { LOOKS, meanAlarms, TIGHTEST, UNITS_PER_LOOK } from './sequences.js';

const COHORT = 1_000;
const CAP_LEVEL = 0.99;

/** Log-normal: one unit in a thousand is worth two hundred others. */
const spent = (chance: Random): number => Math.exp(0.5 + 1.75 * chance.normal());

interface Capped extends Look {
  units: number;
  /** By the cap that the first units of both arms have fixed. */
  readonly together: Pair;
  /** By the cap that the first units of each arm have fixed for it. */
  readonly apart: Pair;
}

interface Spending {
  readonly isTreatment: boolean;
  readonly value: number;
}

const capOf = (units: readonly Spending[]): number => {
  const sorted = units.map(({ value }) => value).sort((a, b) => a - b);
  return sorted[Math.ceil(CAP_LEVEL * sorted.length) - 1] ?? 0;
};

function* capped(random: Random): Generator<Capped> {
  const world: Capped = { units: 0, together: emptyPair(), apart: emptyPair() };
  const draw = (): Spending => ({ isTreatment: random.happens(0.5), value: spent(random) });
  const first = Array.from({ length: COHORT }, draw);
  const cap = capOf(first);
  const [ofControl, ofTreatment] = [false, true].map((arm) => capOf(first.filter(({ isTreatment }) => isTreatment === arm)));
  const add = ({ isTreatment, value }: Spending) => {
    const arm = isTreatment ? 'treatment' : 'control';
    world.together[arm].add(hundredths(Math.min(cap, value)));
    world.apart[arm].add(hundredths(Math.min((isTreatment ? ofTreatment : ofControl) ?? cap, value)));
    world.units += 1;
  };
  first.forEach(add);
  yield world;
  for (let look = COHORT / UNITS_PER_LOOK; look < LOOKS; look++) {
    for (let unit = 0; unit < UNITS_PER_LOOK; unit++) add(draw());
    yield world;
  }
}

const sequence = { alpha: 0.05, tightestAtUnits: TIGHTEST };

const caps = scenario<Capped>({
  name: 'capped',
  title: 'A/A, log-normal metric, capped at its 99th percentile among the first 1,000 units, 20,000 units',
  looks: LOOKS - COHORT / UNITS_PER_LOOK + 1,
  runs: { default: 600, long: 6_000 },
  msPerRun: 10,
  unfold: capped,
  lines: [
    { method: 'sequence, two-sided, one cap of both arms', claim: atMost(0.05), alarms: ({ together }) => meanAlarms(together, sequence) },
    { method: 'wrong: a cap of each arm’s own', claim: above(0.05), alarms: ({ apart }) => meanAlarms(apart, sequence) },
  ],
});

const UNITS_PER_ARM = 500;
const EVENTS = 5;
const NU = 0.9;

/** Latencies of one arm: those of a unit are alike. */
interface Latencies extends Look {
  readonly units: number;
  readonly arms: readonly (readonly (readonly number[])[])[];
}

function* latencies(random: Random): Generator<Latencies> {
  const unit = () => {
    const own = random.normal();
    return Array.from({ length: EVENTS }, () => hundredths(Math.exp(4 + 0.5 * own + 0.3 * random.normal())));
  };
  const arm = () => Array.from({ length: UNITS_PER_ARM }, unit);
  yield { units: 2 * UNITS_PER_ARM, arms: [arm(), arm()] };
}

const quantileOf = (units: readonly (readonly number[])[], isClustered: boolean) => {
  const sorted = units.flat().sort((a, b) => a - b);
  const n = sorted.length;
  const ranks = quantileRanks(n, NU);
  const at = (rank: number) => sorted[Math.min(n, Math.max(1, rank)) - 1] ?? 0;
  const quantile = at(Math.ceil(NU * n));
  const pairs = units.map((own) => [BigInt(own.length), BigInt(own.filter((value) => value <= quantile).length)] as const);
  const total = (of: (x: bigint, y: bigint) => bigint) => pairs.reduce((sum, [x, y]) => sum + of(x, y), 0n);
  const clusters = coMomentsFromIntegerSums({
    ...{ n: units.length, sumX: total((x) => x), sumY: total((_, y) => y), scale: 1 },
    ...{ sumSquaresX: total((x) => x * x), sumSquaresY: total((_, y) => y * y), sumProducts: total((x, y) => x * y) },
  });
  const sample = { n, nu: NU, quantile, lower: at(Math.floor(ranks.lower)), upper: at(Math.ceil(ranks.upper)) };
  const found = quantileMoments(sample, isClustered ? clusters : undefined);
  if (found.kind === 'refused') throw new RangeError(`a quantile of ${n} values was refused: ${found.reason}`);
  // As the platform hands it on: units are what was drawn.
  return { n: units.length, mean: found.moments.mean, m2: varianceOfMean(found.moments) * units.length * (units.length - 1) };
};

const differs = ({ arms: [a = [], b = []] }: Latencies, isClustered: boolean): boolean => {
  const [control, treatment] = [quantileOf(a, isClustered), quantileOf(b, isClustered)];
  const effect = compareMeans({ control, treatment, alpha: 0.05, difference: 'absolute' });
  return effect.kind !== 'refused' && Math.abs(effect.statistic) >= normal.isf(0.025);
};

const quantiles = scenario<Latencies>({
  name: 'quantile',
  title:
    'A/A, 90th percentile of latencies, five requests of each unit that are alike, one look at 1,000 units: intervals that miss the truth',
  looks: 1,
  runs: { default: 1_000, long: 10_000 },
  msPerRun: 8,
  unfold: latencies,
  lines: [
    { method: '95 % interval, events taken together by unit', claim: about(0.05, 0.02), alarms: (at) => differs(at, true) },
    { method: 'wrong: events as if each were drawn by itself', claim: above(0.05), alarms: (at) => differs(at, false) },
  ],
});

export const tails: readonly Scenario[] = [caps, quantiles];
