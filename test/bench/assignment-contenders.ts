/** The question of the assignment bench, and who answers it: our engine, the hash alone, a straightforward implementation, and public SDKs. */
import { GrowthBookClient } from '@growthbook/growthbook';
import { init, TestData } from '@launchdarkly/node-server-sdk';
import { FlagdCore } from '@openfeature/flagd-core';
import { compilePayload, type Decision, evaluate, evaluateAll, hash, type Payload, type Range, unitOf } from '@rampart/assignment';
import { Unleash } from 'unleash-client';

export const FLAGS = 100;

export interface Person {
  readonly id: string;
  readonly country: string;
  readonly age: number;
}
const COUNTRIES = ['DE', 'FR', 'US', 'GB'];
/** Ids of 36 characters, the same in every run. */
export const peopleOf = (units: number): readonly Person[] =>
  Array.from({ length: units }, (_, n) => ({
    id: `${String(n).padStart(8, '0')}-4a7b-4c3d-9e1f-${String(n * 7919).padStart(12, '0')}`,
    country: COUNTRIES[n % 4] ?? 'DE',
    age: 15 + (n % 60),
  }));
export const isEligible = ({ country, age }: Person): boolean => ['DE', 'FR'].includes(country) && age >= 18;

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
export interface Contender {
  readonly name: string;
  /** Of each flag for a round's first people: SDKs that only promise their answers are awaited one by one. */
  readonly one: (person: Person, flag: string) => unknown;
  readonly all: (person: Person) => unknown;
  /** Same specification: every single answer must be ours. */
  readonly isSameRule?: boolean;
  readonly isSlow?: boolean;
  readonly isAsync?: boolean;
  readonly close?: () => unknown;
}
export const flags = Array.from({ length: FLAGS }, (_, n) => `flag-${n}`);

export const engine = (): Contender => {
  const ruleset = compilePayload(payload);
  const decisions: Decision[] = [];
  return {
    name: 'our engine',
    one: (person, flag) => evaluate(ruleset, flag, unitOf({ attributes: person as never })).value,
    all: (person) => evaluateAll(ruleset, unitOf({ attributes: person as never }), decisions),
  };
};

/** The least that any of them must do: no rule, no condition. */
export const rawHash = (): Contender => {
  const seeds = flags.map((_, n) => `exp-${n}`);
  const one = (person: Person, flag: string) => (hash(`exp-${flag.slice(5)}`, person.id, 2) ?? 0) >= 0.5;
  return { name: 'the raw hash', one, all: (person) => seeds.map((seed) => (hash(seed, person.id, 2) ?? 0) >= 0.5) };
};

const literalFnv = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** The rules as one would write them down: nothing compiled, the hash as its definition reads. */
export const straightforward = (): Contender => {
  const one = (person: Person, flag: string): boolean => {
    const rule = payload.features?.[flag]?.rules?.[0];
    if (rule?.condition !== undefined && !(['DE', 'FR'].includes(person.country) && person.age >= 18)) return false;
    const n = (literalFnv(String(literalFnv((rule?.seed ?? flag) + person.id))) % 10_000) / 10_000;
    return (rule?.ranges ?? []).findIndex(([start, end]) => n >= start && n < end) === 1;
  };
  return { name: 'straightforward', isSameRule: true, one, all: (person) => flags.map((flag) => one(person, flag)) };
};

export const growthbook = (): Contender => {
  const client = new GrowthBookClient();
  client.initSync({ payload: payload as never });
  const one = (person: Person, flag: string) => client.evalFeature(flag, { attributes: person as never }).value;
  return { name: 'GrowthBookClient', isSameRule: true, isSlow: true, one, all: (person) => flags.map((flag) => one(person, flag)) };
};

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

export const flagd = (): Contender => {
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
    isSlow: true,
    one: (person, flag) => core.resolveBooleanEvaluation(flag, false, contextOf(person), silent).value,
    all: (person) => core.resolveAll(contextOf(person), silent),
  };
};

/** Offline: flags from memory, no events sent. Its answers are promises. */
export const launchDarkly = async (): Promise<Contender> => {
  const data = new TestData();
  const halves = {
    rollout: {
      variations: [
        { variation: 0, weight: 50_000 },
        { variation: 1, weight: 50_000 },
      ],
    },
  };
  const clause = (attribute: string, op: string, values: readonly unknown[]) => ({
    attribute,
    op,
    values: [...values],
    contextKind: 'user',
  });
  const eligible = [clause('country', 'in', ['DE', 'FR']), clause('age', 'greaterThanOrEqual', [18])];
  for (const [n, key] of flags.entries()) {
    const shared = { key, version: 1, on: true, salt: `exp-${n}`, variations: [false, true], offVariation: 0 };
    const rules = isTargeted(n) ? [{ id: 'eligible', clauses: eligible, ...halves }] : [];
    await data.usePreconfiguredFlag({ ...shared, rules, fallthrough: isTargeted(n) ? { variation: 0 } : halves } as never);
  }
  const logger = { ...silent };
  const client = init('sdk-bench', { updateProcessor: data.getFactory(), sendEvents: false, diagnosticOptOut: true, logger });
  await client.waitForInitialization({ timeout: 10 });
  const contextOf = ({ id, country, age }: Person) => ({ kind: 'user', key: id, country, age });
  return {
    name: 'LaunchDarkly',
    isSlow: true,
    isAsync: true,
    one: (person, flag) => client.variation(flag, contextOf(person), false),
    all: (person) => client.allFlagsState(contextOf(person)),
    close: () => client.close(),
  };
};

/** Offline: bootstrapped, no metrics. */
export const unleash = async (): Promise<Contender> => {
  const constraints = [
    { contextName: 'country', operator: 'IN', values: ['DE', 'FR'], inverted: false },
    { contextName: 'age', operator: 'NUM_GTE', value: '18', values: [], inverted: false },
  ];
  const features = flags.map((name, n) => ({
    ...{ name, enabled: true, type: 'experiment', stale: false, impressionData: false, variants: [] },
    strategies: [
      {
        name: 'flexibleRollout',
        parameters: { rollout: '50', stickiness: 'userId', groupId: `exp-${n}` },
        constraints: isTargeted(n) ? constraints : [],
      },
    ],
  }));
  const client = new Unleash({
    ...{ url: 'http://127.0.0.1:9/', appName: 'bench', disableMetrics: true, refreshInterval: 0, skipInstanceCountWarning: true },
    bootstrap: { data: features as never },
    bootstrapOverride: true,
    disableAutoStart: true,
  });
  client.on('error', () => undefined);
  client.on('warn', () => undefined);
  await client.start();
  const contextOf = ({ id, country, age }: Person) => ({ userId: id, properties: { country, age: String(age) } });
  return {
    name: 'Unleash',
    isSlow: true,
    one: (person, flag) => client.isEnabled(flag, contextOf(person)),
    all: (person) => {
      const context = contextOf(person);
      return flags.map((flag) => client.isEnabled(flag, context));
    },
    close: () => client.destroy(),
  };
};
