/** The assignment engine beside the hash alone, a straightforward implementation and public SDKs, all in one run and in turns. */
import {
  type Contender,
  engine,
  FLAGS,
  flagd,
  flags,
  growthbook,
  isEligible,
  launchDarkly,
  peopleOf,
  rawHash,
  straightforward,
  unleash,
} from './assignment-contenders.js';
import { count, type Measurement, median, ratioOf } from './table.js';

const ROUNDS = 9;
/** One flag is asked of this many units a round, all flags of a twentieth; slower contenders get a tenth of both. */
const UNITS = 40_000;
const people = peopleOf(UNITS);

/** Of the processor, not of the clock: whoever else is running costs nothing then. */
const nanoseconds = async (work: () => unknown): Promise<number> => {
  const began = process.cpuUsage();
  await work();
  const { system, user } = process.cpuUsage(began);
  return (user + system) * 1000;
};

/** Everybody answers about half of the eligible with true, or it isn't the same question; who has our rules has our answers. */
const assertSane = async ({ name, one, isSameRule }: Contender, ours: Contender): Promise<void> => {
  const some = people.slice(0, 4000);
  const treated = async (flag: string) => {
    let sum = 0;
    for (const person of some) if ((await one(person, flag)) === true) sum += 1;
    return sum;
  };
  const share = (await treated('flag-1')) / some.length;
  if (share < 0.45 || share > 0.55) throw new Error(`${name} gave ${share} of all units the treatment instead of a half`);
  if (name !== 'the raw hash') {
    const eligible = some.filter(isEligible).length;
    const half = await treated('flag-0');
    if (Math.abs(half / eligible - 0.5) > 0.06) throw new Error(`${name} treated ${half} of ${eligible} eligible units`);
  }
  if (isSameRule !== true) return;
  for (const person of some.slice(0, 400))
    for (const flag of flags)
      if (one(person, flag) !== ours.one(person, flag)) throw new Error(`${name} answers ${flag} for ${person.id} otherwise than we do`);
};

interface Timing {
  readonly one: number[];
  readonly all: number[];
}

const round = async (contender: Contender, timing: Timing): Promise<void> => {
  const few = people.slice(0, contender.isSlow === true ? UNITS / 10 : UNITS);
  const rarer = few.slice(0, few.length / 20);
  const { one, all, isAsync } = contender;
  const askOne = () => {
    for (const [n, person] of few.entries()) one(person, flags[n % FLAGS] ?? '');
  };
  const askAll = () => {
    for (const person of rarer) all(person);
  };
  const awaitOne = async () => {
    for (const [n, person] of few.entries()) await one(person, flags[n % FLAGS] ?? '');
  };
  const awaitAll = async () => {
    for (const person of rarer) await all(person);
  };
  timing.one.push((await nanoseconds(isAsync === true ? awaitOne : askOne)) / few.length);
  timing.all.push((await nanoseconds(isAsync === true ? awaitAll : askAll)) / rarer.length / FLAGS);
};

const TARGETS: Readonly<Record<string, readonly [one: number, all: number]>> = {
  'flagd-core': [2.5, 4],
  GrowthBookClient: [6, 12],
  straightforward: [1, 1],
  LaunchDarkly: [1, 1],
  Unleash: [1, 1],
};

/** Medians of interleaved rounds; ratios are per pair of the same round. */
export const assignmentBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const ours = engine();
  const others = [rawHash(), straightforward(), growthbook(), flagd(), await launchDarkly(), await unleash()];
  for (const contender of [ours, ...others]) await assertSane(contender, ours);
  const timings = new Map([ours, ...others].map((contender): [string, Timing] => [contender.name, { one: [], all: [] }]));
  for (let n = 0; n < ROUNDS; n += 1) {
    for (const contender of [ours, ...others]) await round(contender, timings.get(contender.name) ?? { one: [], all: [] });
    say(`round ${n + 1} of ${ROUNDS}`);
  }
  for (const { close } of others) await close?.();
  const own = timings.get(ours.name) ?? { one: [], all: [] };
  return others.flatMap(({ name }) => {
    const theirs = timings.get(name) ?? { one: [], all: [] };
    return (['one', 'all'] as const).map((kind, i): Measurement => {
      const ratio = median(theirs[kind].slice(2).map((ns, n) => ns / (own[kind][n + 2] ?? Number.NaN)));
      const target = TARGETS[name]?.[i];
      return {
        what: `assignment, ${kind === 'one' ? 'one flag' : `all ${FLAGS} flags, a flag`}`,
        figure: `${count(median(own[kind].slice(2)))} ns`,
        target: target === undefined ? 'stated' : `≥ ${target} × ${name}`,
        meets: target === undefined || ratio >= target,
        yardstick: `${count(median(theirs[kind].slice(2)))} ns, ${name}`,
        ratio: ratioOf(ratio, 1),
      };
    });
  });
};
