/** The assignment engine beside a straightforward implementation, GrowthBook's SDK and flagd's core, all in one run and in turns. */
import { GrowthBookClient } from '@growthbook/growthbook';
import { FlagdCore } from '@openfeature/flagd-core';
import { compilePayload, type Decision, evaluate, evaluateAll, type Payload, type Range, type Ruleset, unitOf } from '@rampart/assignment';
import { count, type Measurement, median, ratioOf } from './table.js';

const FLAGS = 100;
const ROUNDS = 9;
/** One flag is asked of this many units a round, all flags of a twentieth; slower contenders get a tenth of both. */
const UNITS = 40_000;

interface Person {
  readonly id: string;
  readonly country: string;
  readonly age: number;
}
const COUNTRIES = ['DE', 'FR', 'US', 'GB'];
/** Ids of 36 characters, the same in every run. */
const people: readonly Person[] = Array.from({ length: UNITS }, (_, n) => ({
  id: `${String(n).padStart(8, '0')}-4a7b-4c3d-9e1f-${String(n * 7919).padStart(12, '0')}`,
  country: COUNTRIES[n % 4] ?? 'DE',
  age: 15 + (n % 60),
}));

/** 100 experiments 50/50; every fifth has two conditions. */
const isTargeted = (n: number): boolean => n % 5 === 0;
const condition = { country: { $in: ['DE', 'FR'] }, age: { $gte: 18 } };
const ranges: readonly Range[] = [
  [0, 0.5],
  [0.5, 1],
];
const payload: Payload = {
  features: Object.fromEntries(
    Array.from({ length: FLAGS }, (_, n) => [
      `flag-${n}`,
      {
        defaultValue: false,
        rules: [
          { key: `exp-${n}`, seed: `exp-${n}`, hashVersion: 2, variations: [false, true], ranges, ...(isTargeted(n) ? { condition } : {}) },
        ],
      },
    ]),
  ),
};

/** What is compared: a boolean per person and flag; and all flags of one person. */
interface Contender {
  readonly name: string;
  readonly one: (person: Person, flag: string) => unknown;
  readonly all: (person: Person) => unknown;
}
const flags = Array.from({ length: FLAGS }, (_, n) => `flag-${n}`);

const engine = (ruleset: Ruleset): Contender => {
  const decisions: Decision[] = [];
  return {
    name: 'our engine',
    one: (person, flag) => evaluate(ruleset, flag, unitOf({ attributes: person as never })).value,
    all: (person) => evaluateAll(ruleset, unitOf({ attributes: person as never }), decisions),
  };
};

const literalFnv = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** The rules as one would write them down: nothing compiled, the hash as its definition reads. */
const straightforward = (): Contender => {
  const one = (person: Person, flag: string): boolean => {
    const rule = payload.features?.[flag]?.rules?.[0];
    if (rule?.condition !== undefined && !(['DE', 'FR'].includes(person.country) && person.age >= 18)) return false;
    const n = (literalFnv(String(literalFnv((rule?.seed ?? flag) + person.id))) % 10_000) / 10_000;
    return (rule?.ranges ?? []).findIndex(([start, end]) => n >= start && n < end) === 1;
  };
  return { name: 'straightforward', one, all: (person) => flags.map((flag) => one(person, flag)) };
};

const growthbook = (): Contender => {
  const client = new GrowthBookClient();
  client.initSync({ payload: payload as never });
  const one = (person: Person, flag: string) => client.evalFeature(flag, { attributes: person as never }).value;
  return { name: 'GrowthBookClient', one, all: (person) => flags.map((flag) => one(person, flag)) };
};

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

const flagd = (): Contender => {
  const fractional = (n: number) => ({ fractional: [{ cat: [{ var: 'targetingKey' }, `exp-${n}`] }, ['off', 50], ['on', 50]] });
  const eligible = { and: [{ in: [{ var: 'country' }, ['DE', 'FR']] }, { '>=': [{ var: 'age' }, 18] }] };
  const core = new FlagdCore(undefined, silent);
  const definitions = flags.map((flag, n) => [
    flag,
    {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: isTargeted(n) ? { if: [eligible, fractional(n), 'off'] } : fractional(n),
    },
  ]);
  core.setConfigurations(JSON.stringify({ flags: Object.fromEntries(definitions) }));
  const contextOf = (person: Person) => ({ targetingKey: person.id, country: person.country, age: person.age });
  return {
    name: 'flagd-core',
    one: (person, flag) => core.resolveBooleanEvaluation(flag, false, contextOf(person), silent).value,
    all: (person) => core.resolveAll(contextOf(person), silent),
  };
};

/** Of the processor, not of the clock: whoever else is running costs nothing then. */
const nanoseconds = (work: () => void): number => {
  const began = process.cpuUsage();
  work();
  const { system, user } = process.cpuUsage(began);
  return (user + system) * 1000;
};

/** Everybody answers about half of the eligible with true, or it isn't the same question. */
const assertSane = ({ name, one }: Contender): void => {
  const share = people.slice(0, 4000).filter((person) => one(person, 'flag-1') === true).length / 4000;
  if (share < 0.45 || share > 0.55) throw new Error(`${name} gave ${share} of all units the treatment instead of a half`);
  const eligible = people.slice(0, 4000).filter((person) => ['DE', 'FR'].includes(person.country) && person.age >= 18).length;
  const treated = people.slice(0, 4000).filter((person) => one(person, 'flag-0') === true).length;
  if (Math.abs(treated / eligible - 0.5) > 0.06) throw new Error(`${name} treated ${treated} of ${eligible} eligible units`);
};

const SLOW = new Set(['GrowthBookClient', 'flagd-core']);

interface Timing {
  readonly one: number[];
  readonly all: number[];
}

const round = (contender: Contender, timing: Timing): void => {
  const few = people.slice(0, SLOW.has(contender.name) ? UNITS / 10 : UNITS);
  const rarer = few.slice(0, few.length / 20);
  const askOne = () => {
    for (const [n, person] of few.entries()) contender.one(person, flags[n % FLAGS] ?? '');
  };
  const askAll = () => {
    for (const person of rarer) contender.all(person);
  };
  timing.one.push(nanoseconds(askOne) / few.length);
  timing.all.push(nanoseconds(askAll) / rarer.length / FLAGS);
};

const TARGETS: Readonly<Record<string, readonly [one: number, all: number]>> = {
  'flagd-core': [2.5, 4],
  GrowthBookClient: [6, 12],
  straightforward: [1, 1],
};

/** Medians of interleaved rounds; ratios are per pair of the same round. */
export const assignmentBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const ours = engine(compilePayload(payload));
  const others = [straightforward(), growthbook(), flagd()];
  for (const contender of [ours, ...others]) assertSane(contender);
  const timings = new Map([ours, ...others].map((contender): [string, Timing] => [contender.name, { one: [], all: [] }]));
  for (let n = 0; n < ROUNDS; n += 1) {
    for (const contender of [ours, ...others]) round(contender, timings.get(contender.name) ?? { one: [], all: [] });
    say(`round ${n + 1} of ${ROUNDS}`);
  }
  const own = timings.get(ours.name) ?? { one: [], all: [] };
  return others.flatMap(({ name }) => {
    const theirs = timings.get(name) ?? { one: [], all: [] };
    return (['one', 'all'] as const).map((kind, i): Measurement => {
      const ratio = median(theirs[kind].slice(2).map((ns, n) => ns / (own[kind][n + 2] ?? Number.NaN)));
      const target = TARGETS[name]?.[i] ?? 1;
      return {
        what: `assignment, ${kind === 'one' ? 'one flag' : `all ${FLAGS} flags, a flag`}`,
        figure: `${count(median(own[kind].slice(2)))} ns`,
        target: `≥ ${target} × ${name}`,
        meets: ratio >= target,
        yardstick: `${count(median(theirs[kind].slice(2)))} ns, ${name}`,
        ratio: ratioOf(ratio, 1),
      };
    });
  });
};
