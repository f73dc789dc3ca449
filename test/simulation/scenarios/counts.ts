/** Exact e-processes on counts: the sample ratio, and the first error per unit. */
import { type AllocationPeriod, firstErrorHarm, srmChiSquare, srmSequential } from '@rampart/statistics';
import type { Random } from '../random.js';
import { above, atMost, type Line, type Look, type Scenario, scenario } from '../scenario.js';
import { SMALL_LEVEL } from './sequences.js';

interface Cells extends Look {
  units: number;
  readonly periods: readonly { readonly observed: number[]; readonly weights: readonly number[] }[];
}

const RATIO_LOOKS = 500;
const UNITS_PER_RATIO_LOOK = 100;

/** @param periods  weights one after the other, each for an equal part of the looks */
function* assigned(random: Random, periods: readonly (readonly number[])[]): Generator<Cells> {
  const seen = periods.map((weights) => ({ observed: weights.map(() => 0), weights }));
  const cells: Cells = { units: 0, periods: seen };
  for (let look = 0; look < RATIO_LOOKS; look++) {
    const now = seen[Math.floor((look * seen.length) / RATIO_LOOKS)];
    for (let unit = 0; unit < UNITS_PER_RATIO_LOOK; unit++) {
      const cell = drawn(random, now?.weights ?? []);
      if (now !== undefined) now.observed[cell] = (now.observed[cell] ?? 0) + 1;
    }
    cells.units += UNITS_PER_RATIO_LOOK;
    yield cells;
  }
}

const drawn = (random: Random, weights: readonly number[]): number => {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let cell = 0; cell < weights.length - 1; cell++) {
    left -= weights[cell] ?? 0;
    if (left < 0) return cell;
  }
  return weights.length - 1;
};

const started = (periods: readonly AllocationPeriod[]) => periods.filter(({ observed }) => observed.some((count) => count > 0));

/** E ≥ 1/level, said in p. */
const ratioAlarms = (cells: Cells, level: number): boolean => srmSequential(started(cells.periods)).p <= level;

const sampleRatio = (name: string, title: string, periods: readonly (readonly number[])[], more: readonly Line<Cells>[] = []): Scenario =>
  scenario<Cells>({
    name,
    title,
    looks: RATIO_LOOKS,
    runs: { default: 3_000, long: 20_000 },
    msPerRun: 3,
    unfold: (random) => assigned(random, periods),
    lines: [
      { method: 'sample ratio, alarm at E ≥ 1,000', claim: atMost(0.001), alarms: (cells) => ratioAlarms(cells, 0.001) },
      { method: 'the same at E ≥ 20', claim: atMost(0.05), alarms: (cells) => ratioAlarms(cells, 0.05) },
      ...more,
    ],
  });

const peekedChiSquare: Line<Cells> = {
  method: 'wrong: χ², p < 0.001 at every look',
  claim: above(0.001),
  alarms: ({ periods: [cells] }) => {
    if (cells === undefined) return false;
    const test = srmChiSquare(cells.observed, cells.weights);
    return test.kind === 'tested' && test.p < 0.001;
  },
};

const lastWeights: Line<Cells> = {
  method: 'wrong: totals against the last weights',
  claim: above(0.001),
  alarms: ({ periods }) => {
    const begun = started(periods);
    const weights = begun.at(-1)?.weights ?? [];
    const observed = weights.map((_, cell) => begun.reduce((sum, period) => sum + (period.observed[cell] ?? 0), 0));
    return srmSequential([{ observed, weights }]).p <= 0.001;
  },
};

interface Errors extends Look {
  units: number;
  /** Units with at least one error, and errors, as [control, treatment]. */
  readonly erring: [number, number];
  readonly events: [number, number];
}

const ERROR_LOOKS = 200;
const UNITS_PER_ERROR_LOOK = 100;

/** @param rate  chance that a unit errs, at a share of the run; @param cluster  mean number of errors of a unit that errs */
function* erring(random: Random, rate: (progress: number) => number, cluster: number): Generator<Errors> {
  const errors: Errors = { units: 0, erring: [0, 0], events: [0, 0] };
  for (let look = 0; look < ERROR_LOOKS; look++) {
    const chance = rate(look / ERROR_LOOKS);
    for (let unit = 0; unit < UNITS_PER_ERROR_LOOK; unit++) {
      const arm = random.happens(0.5) ? 1 : 0;
      if (!random.happens(chance)) continue;
      errors.erring[arm] += 1;
      errors.events[arm] += random.geometric(cluster);
    }
    errors.units += UNITS_PER_ERROR_LOOK;
    yield errors;
  }
}

export const firstErrorAlarms = (observed: readonly number[], alpha: number): boolean =>
  firstErrorHarm({ periods: [{ observed, weights: [1, 1] }], alpha }).isHarm;

const RAW_COUNTS: Line<Errors> = {
  method: 'wrong: every error counted',
  claim: above(SMALL_LEVEL),
  alarms: ({ events }) => firstErrorAlarms(events, SMALL_LEVEL),
};

const firstError = (name: string, title: string, rate: (progress: number) => number, cluster: number, more: readonly Line<Errors>[] = []) =>
  scenario<Errors>({
    name,
    title,
    looks: ERROR_LOOKS,
    runs: { default: 3_000, long: 20_000 },
    msPerRun: 2.4,
    unfold: (random) => erring(random, rate, cluster),
    lines: [
      { method: 'first error, at a share of α₋', claim: atMost(SMALL_LEVEL), alarms: (at) => firstErrorAlarms(at.erring, SMALL_LEVEL) },
      { method: 'first error, at 0.05', claim: atMost(0.05), alarms: (at) => firstErrorAlarms(at.erring, 0.05) },
      ...more,
    ],
  });

const daily = (progress: number): number => 0.02 + 0.02 * Math.sin(progress * 14 * Math.PI) + (progress > 0.5 ? 0.2 : 0);

export const counts: readonly Scenario[] = [
  sampleRatio('sample-ratio', 'A/A, 50,000 units, half and half', [[1, 1]], [peekedChiSquare]),
  sampleRatio('sample-ratio-cells', 'A/A, four cells 97:1:1:1', [[97, 1, 1, 1]]),
  sampleRatio(
    'sample-ratio-ramp',
    'A/A, weights 99:1, then 9:1, then 1:1',
    [
      [99, 1],
      [9, 1],
      [1, 1],
    ],
    [lastWeights],
  ),
  firstError('first-error', 'A/A, 2 % of units err, 10 errors each', () => 0.02, 10, [RAW_COUNTS]),
  firstError('first-error-pairs', 'A/A, 2 % of units err, 3 errors each', () => 0.02, 3, [RAW_COUNTS]),
  firstError('first-error-rare', 'A/A, 0.2 % of units err, once each', () => 0.002, 1),
  firstError('first-error-frequent', 'A/A, 40 % of units err, 2 errors each', () => 0.4, 2),
  firstError('first-error-drift', 'A/A, the error rate follows the day and jumps tenfold half-way', daily, 3),
];
