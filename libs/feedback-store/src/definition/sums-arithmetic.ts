/** Sums are exact integers over disjoint units: they are added and subtracted, and nothing is lost. */
import type { CellSums, ComparisonSums, JointSums, MetricSums, PopulationCount } from '../feedback-store.js';
import { byCell, byPopulation } from './sums-order.js';

/** The sums that a recount would give, in its order: cells and groups that nobody is in any more are gone. */
export const addSums = (base: ComparisonSums, delta: ComparisonSums): ComparisonSums => {
  const { cells, population, ...counts } = combined(base, delta, 1);
  const caps = delta.caps ?? base.caps;
  return {
    cells: cells.filter(({ metrics }) => metrics.some(({ units, openUnits }) => units + openUnits > 0)),
    population: population.filter(({ units }) => units > 0),
    ...counts,
    ...(caps === undefined ? {} : { caps }),
  };
};

/** What is to be added to `earlier` to have `later`: signed, with the cells and groups that differ. */
export const subtractSums = (later: ComparisonSums, earlier: ComparisonSums): ComparisonSums => {
  const { cells, population, ...counts } = combined(later, earlier, -1);
  return {
    cells: cells.filter(({ metrics }) => metrics.some(hasAny)),
    population: population.filter(({ units }) => units !== 0),
    ...counts,
    ...(later.caps === undefined ? {} : { caps: later.caps }),
  };
};

type Sign = 1 | -1;

const combined = (a: ComparisonSums, b: ComparisonSums, sign: Sign): ComparisonSums => ({
  cells: merged(a.cells, b.cells, cellKey, (one, other) => combinedCells(one, other, sign)).sort(byCell),
  population: merged(a.population, b.population, populationKey, (one, other) => combinedCounts(one, other, sign)).sort(byPopulation),
  lateExposures: a.lateExposures + sign * b.lateExposures,
  crossedLate: a.crossedLate + sign * b.crossedLate,
});

const cellKey = ({ cell, segment, stratum }: CellSums): string => `${cell} ${segment} ${stratum}`;
const populationKey = ({ cell, segment, kind, stratum }: PopulationCount): string => `${cell} ${segment} ${kind} ${stratum}`;

const merged = <T>(
  a: readonly T[],
  b: readonly T[],
  key: (one: T) => string,
  combine: (one: T | undefined, other: T | undefined) => T,
): T[] => {
  const others = new Map(b.map((one) => [key(one), one]));
  const own = new Set(a.map(key));
  return [
    ...a.map((one) => combine(one, others.get(key(one)))),
    ...b.filter((one) => !own.has(key(one))).map((one) => combine(undefined, one)),
  ];
};

const combinedCounts = (a: PopulationCount | undefined, b: PopulationCount | undefined, sign: Sign): PopulationCount => ({
  ...present(a, b),
  units: (a?.units ?? 0) + sign * (b?.units ?? 0),
});

const combinedCells = (a: CellSums | undefined, b: CellSums | undefined, sign: Sign): CellSums => {
  const one = present(a, b);
  return { ...one, metrics: one.metrics.map((_, index) => combinedMetrics(a?.metrics[index], b?.metrics[index], sign)) };
};

const present = <T>(a: T | undefined, b: T | undefined): T => {
  const one = a ?? b;
  if (one === undefined) throw new RangeError('two sums to combine, got none');
  return one;
};

type Numbers = Readonly<Record<string, number | bigint>>;

const combinedNumbers = (a: Numbers | undefined, b: Numbers | undefined, sign: Sign): Numbers =>
  Object.fromEntries(
    Object.entries(present(a, b)).map(([name, value]) => {
      if (typeof value === 'bigint') return [name, BigInt(a?.[name] ?? 0) + BigInt(sign) * BigInt(b?.[name] ?? 0)];
      return [name, Number(a?.[name] ?? 0) + sign * Number(b?.[name] ?? 0)];
    }),
  );

const combinedMetrics = (a: MetricSums | undefined, b: MetricSums | undefined, sign: Sign): MetricSums => {
  const { covariate, joint } = present(a, b);
  return {
    ...(combinedNumbers(plain(a), plain(b), sign) as unknown as Omit<MetricSums, 'covariate' | 'joint'>),
    covariate:
      covariate === null
        ? null
        : (combinedNumbers(a?.covariate ?? undefined, b?.covariate ?? undefined, sign) as unknown as MetricSums['covariate']),
    ...(joint === undefined ? {} : { joint: combinedJoint(a?.joint, b?.joint, sign) }),
  };
};

const combinedJoint = (a: JointSums | undefined, b: JointSums | undefined, sign: Sign): JointSums => {
  const list = (of: (joint: JointSums) => readonly bigint[]) => {
    const [one, other] = [a === undefined ? [] : of(a), b === undefined ? [] : of(b)];
    return of(present(a, b)).map((_, place) => (one[place] ?? 0n) + BigInt(sign) * (other[place] ?? 0n));
  };
  return { units: (a?.units ?? 0) + sign * (b?.units ?? 0), sums: list(({ sums }) => sums), products: list(({ products }) => products) };
};

const plain = (sums: MetricSums | undefined): Numbers | undefined => {
  if (sums === undefined) return undefined;
  const { covariate: _, joint: __, ...numbers } = sums;
  return numbers;
};

const hasAny = (sums: MetricSums): boolean =>
  [...Object.values(plain(sums) ?? {}), ...Object.values(sums.covariate ?? {}), ...jointNumbers(sums.joint)].some(
    (value) => Number(value) !== 0,
  );

const jointNumbers = (joint: JointSums | undefined): readonly (number | bigint)[] =>
  joint === undefined ? [] : [joint.units, ...joint.sums, ...joint.products];
