/** The statistics from sufficient statistics on: tests and intervals per second of one core, beside the public library for the same sums. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asymptoticConfidenceSequence, compareMeans, type Moments, sequenceIntervals } from '@rampart/statistics';
import { remove, repository, scratchFolder } from './engines.js';
import { count, type Measurement, median, ratioOf, unmeasured } from './table.js';

const ROUNDS = 7;
const ALPHA = 0.05;
/** 100 experiments × 20 metrics × 2 treatments × 50 segments. */
const MANY_TESTS = 200_000;
const INTERVALS = 1_000_000;
const OF_THE_PUBLIC = 4_000;
const GBSTATS = 'gbstats==0.8.0';

/** Units, sum and sum of squares of arms as experiments have them: 200 to 50,000 units, no two alike. */
const armsOf = (size: number): readonly (readonly [n: number, sum: number, squares: number])[] => {
  let state = 12_345;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return Array.from({ length: size }, () => {
    const n = 200 + Math.floor(next() * 50_000);
    const mean = 10 + next() / 10;
    return [n, mean * n, (mean * mean + 4 + next()) * n] as const;
  });
};

const momentsOf = ([n, sum, squares]: readonly [number, number, number]): Moments => ({ n, mean: sum / n, m2: squares - (sum / n) * sum });

/** Seconds of the processor, not of the clock: whoever else is running costs nothing then. */
const seconds = (work: () => unknown): number => {
  const began = process.cpuUsage();
  work();
  const { system, user } = process.cpuUsage(began);
  return (user + system) / 1_000_000;
};
const medianSeconds = (work: () => unknown): number => {
  work();
  return median(Array.from({ length: ROUNDS }, () => seconds(work)));
};

const welch = (control: Moments, treatment: Moments) => {
  const effect = compareMeans({ control, treatment, alpha: ALPHA, difference: 'absolute' });
  if (effect.kind !== 'estimate') throw new Error(`no estimate: ${effect.reason}`);
  return effect;
};

const welchSeconds = (tests: number): number => {
  const arms = armsOf(tests + 1).map(momentsOf);
  return medianSeconds(() => {
    let sum = 0;
    for (let at = 0; at < tests; at++) sum += welch(arms[at] as Moments, arms[at + 1] as Moments).p;
    return sum;
  });
};

/** Of many looks at once, and one by one with its evidence. */
const intervalSeconds = (): { readonly many: number; readonly single: number } => {
  const looks = { estimate: new Float64Array(INTERVALS), se: new Float64Array(INTERVALS), n: new Float64Array(INTERVALS) };
  for (let at = 0; at < INTERVALS; at++) {
    looks.estimate[at] = Math.sin(at);
    looks.se[at] = 0.1 + (at % 100) / 1000;
    looks.n[at] = 200 + at;
  }
  const into = { lower: new Float64Array(INTERVALS), upper: new Float64Array(INTERVALS) };
  const many = medianSeconds(() => sequenceIntervals(looks, { alpha: ALPHA }, into));
  const single = medianSeconds(() => {
    let sum = 0;
    for (let at = 0; at < INTERVALS; at++)
      sum += asymptoticConfidenceSequence({
        estimate: looks.estimate[at] ?? 0,
        se: looks.se[at] ?? 0,
        n: looks.n[at] ?? 0,
        alpha: ALPHA,
      }).logE;
    return sum;
  });
  return { many, single };
};

interface PublicAnswer {
  readonly seconds: number;
  readonly tests: readonly (readonly [estimate: number, p: number, lower: number, upper: number])[];
}

/** gbstats from the public index, in a folder of its own that goes again. */
const publicLibrary = (arms: ReturnType<typeof armsOf>): PublicAnswer => {
  const folder = scratchFolder('gbstats');
  const python = (args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) => {
    const { status, stdout, stderr, error } = spawnSync('python3', args, {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, ...env },
    });
    if (status !== 0) throw new Error((error?.message ?? stderr).trim().split('\n').at(-1));
    return stdout;
  };
  try {
    const packages = process.env.RAMPART_BENCH_GBSTATS ?? folder;
    if (!existsSync(join(packages, 'gbstats'))) python(['-m', 'pip', 'install', '--quiet', '--target', packages, GBSTATS]);
    return JSON.parse(
      python([join(repository, 'test/bench/public-library.py')], JSON.stringify({ arms }), { PYTHONPATH: packages }),
    ) as PublicAnswer;
  } finally {
    remove(folder);
  }
};

/** Compared first: another answer would be another question. */
const assertSame = (arms: readonly Moments[], { tests }: PublicAnswer): void => {
  for (const [at, [estimate, p, lower, upper]] of tests.entries()) {
    const ours = welch(arms[at] as Moments, arms[at + 1] as Moments);
    const pairs = [
      [ours.estimate, estimate],
      [ours.p, p],
      [ours.ciLower ?? Number.NaN, lower],
      [ours.ciUpper ?? Number.NaN, upper],
    ] as const;
    // Both give 0 beyond what the other can tell from it: it takes a p as the complement of a distribution function.
    for (const [one, other] of pairs)
      if (!(Math.abs(one - other) <= 1e-9 * Math.max(Math.abs(other), 1e-6)))
        throw new Error(`test ${at}: ${one} is ${other} by ${GBSTATS}`);
  }
};

const besidePublic = (say: (line: string) => void): Measurement => {
  const what = `Welch tests with interval, of one core, beside ${GBSTATS.replace('==', ' ')} on the same sums`;
  const target = '≥ 40 × gbstats';
  try {
    const arms = armsOf(OF_THE_PUBLIC + 1);
    const theirs = publicLibrary(arms);
    assertSame(arms.map(momentsOf), theirs);
    say(`statistics: ${count(theirs.tests.length)} answers are the same`);
    const [ours, other] = [OF_THE_PUBLIC / welchSeconds(OF_THE_PUBLIC), OF_THE_PUBLIC / theirs.seconds];
    return {
      ...{ what, figure: `${count(ours)} tests/s`, target, meets: ours >= 40 * other },
      ...{ yardstick: `gbstats ${count(other)} tests/s`, ratio: ratioOf(ours, other) },
    };
  } catch (error) {
    return unmeasured(what, target, error);
  }
};

export const statisticsBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const forMany = welchSeconds(MANY_TESTS);
  const { many, single } = intervalSeconds();
  const plain = { yardstick: 'time of one core', ratio: '–' };
  return [
    {
      ...{ what: `${count(MANY_TESTS)} Welch tests with p, ln p and interval (100 experiments × 20 metrics × 2 × 50 segments)` },
      ...{ figure: `${Math.round(forMany * 1000)} ms, ${count(MANY_TESTS / forMany)} tests/s`, target: '< 500 ms; ≥ 500,000 tests/s' },
      ...{ meets: forMany < 0.5 && MANY_TESTS / forMany >= 500_000, ...plain },
    },
    {
      ...{ what: 'always-valid intervals, many looks at once', figure: `${(INTERVALS / many / 1e6).toFixed(1)} M/s`, target: '≥ 20 M/s' },
      ...{ meets: INTERVALS / many >= 20e6, ...plain },
    },
    {
      ...{ what: 'the same one by one, each with its evidence', figure: `${(INTERVALS / single / 1e6).toFixed(1)} M/s`, target: 'stated' },
      ...{ meets: true, ...plain },
    },
    besidePublic(say),
  ];
};
