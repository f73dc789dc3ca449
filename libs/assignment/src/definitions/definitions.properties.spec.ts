import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hash } from '../hashing/bucket.js';
import { compilePayload } from '../payload/compile-payload.js';
import { evaluate, evaluateAll, explain } from '../ruleset/evaluate.js';
import type { Decision, Ruleset } from '../ruleset/ruleset.js';
import { type Context, unitOf } from '../ruleset/unit.js';
import { compileDefinitions, payloadOfDefinitions } from './compile-definitions.js';
import { checkout, halves } from './definitions.examples.js';
import type { Definitions, ExperimentDefinition } from './definitions.js';

/** 500 rulesets × 20 units: compiling is the dear part. */
const runs = { numRuns: 500 };
const UNITS = 20;
const id = fc.integer({ min: 0, max: 1_000_000 }).map((n) => `user-${n}`);
const ids = fc.array(id, { minLength: UNITS, maxLength: UNITS });
const share = fc.oneof(
  fc.integer({ min: 0, max: 10_000 }).map((n) => n / 10_000),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 });
const variants = ['off', 'on', 'c', 'd', 'e'].map((key) => ({ key, value: key }));
const wide = { ...checkout, variants };

const armsOf = (given: readonly number[]): ExperimentDefinition['arms'] =>
  given.map((weight, i) => ({ variant: variants[i]?.key ?? 'off', weight }));
const rulesetOf = (experiment: Partial<ExperimentDefinition>): Ruleset =>
  compileDefinitions({ features: [wide], experiments: [{ ...halves, ...experiment }] });
const decided = (ruleset: Ruleset, unitId: string): Decision => evaluate(ruleset, 'checkout', unitOf({ attributes: { id: unitId } }));
const armIn = (ruleset: Ruleset, unitId: string): number => decided(ruleset, unitId).arm;

describe('coverage', () => {
  it('moves nobody between arms when it is raised, whatever the weights', () => {
    fc.assert(
      fc.property(weights, share, share, ids, (given, a, b, unitIds) => {
        const arms = armsOf(given);
        const low = rulesetOf({ arms, coverage: Math.min(a, b) });
        const high = rulesetOf({ arms, coverage: Math.max(a, b) });
        return unitIds.every((unitId) => [-1, armIn(high, unitId)].includes(armIn(low, unitId)));
      }),
      runs,
    );
  });

  it('assigns every unit at 1 and nobody at 0', () => {
    fc.assert(
      fc.property(weights, ids, (given, unitIds) => {
        const all = rulesetOf({ arms: armsOf(given), coverage: 1 });
        const none = rulesetOf({ arms: armsOf(given), coverage: 0 });
        return unitIds.every((unitId) => armIn(all, unitId) >= 0 && armIn(none, unitId) === -1);
      }),
      runs,
    );
  });

  it('experiment → ramp → experiment: of 100,000 units none changes its arm', () => {
    const stages = [0.02, 0.1, 0.5, 1, 0.3, 1].map((coverage) => rulesetOf({ coverage }));
    let moved = 0;
    let assigned = 0;
    for (let n = 0; n < 100_000; n += 1) {
      const arms = stages.map((stage) => armIn(stage, `unit-${n}`)).filter((arm) => arm >= 0);
      assigned += arms.length;
      if (new Set(arms).size > 1) moved += 1;
    }
    expect(moved).toBe(0);
    // 2 + 10 + 50 + 100 + 30 + 100 per cent of 100,000, within five standard deviations of a draw
    expect(Math.abs(assigned - 292_000)).toBeLessThan(1500);
  });

  it('gives control [0, c) and treatment [.5, .5 + c): the buckets of a 2 % stage say so', () => {
    const stage = rulesetOf({ coverage: 0.02 });
    const seen = [new Set<number>(), new Set<number>()];
    for (let n = 0; n < 20_000; n += 1) {
      const unit = unitOf({ attributes: { id: `u${n}` } });
      seen[evaluate(stage, 'checkout', unit).arm]?.add(unit.bucket);
    }
    const spans = seen.map((buckets) => [
      Math.min(...buckets) >= 5000 ? 5000 : 0,
      Math.max(...buckets) < 100 ? 100 : 5100,
      buckets.size > 70,
    ]);
    expect(spans).toEqual([
      [0, 100, true],
      [5000, 5100, true],
    ]);
    expect(Math.max(...(seen[1] ?? []))).toBeLessThan(5100);
  });
});

const inLayer = (key: string, feature: string, range: readonly [number, number]): ExperimentDefinition => ({
  ...halves,
  key,
  feature,
  seed: key,
  layer: { key: 'page', ranges: [range] },
});

describe('a layer', () => {
  it('gives a unit to one experiment at most', () => {
    const features = ['a', 'b', 'c'].map((key) => ({ ...checkout, key }));
    const cuts = fc.tuple(share, share).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    fc.assert(
      fc.property(cuts, ids, ([first, second], unitIds) => {
        const experiments = [inLayer('x', 'a', [0, first]), inLayer('y', 'b', [first, second]), inLayer('z', 'c', [second, 1])];
        const ruleset = compileDefinitions({ features, experiments, layers: [{ key: 'page', seed: 'page' }] });
        const experimentsOf = (unitId: string) =>
          evaluateAll(ruleset, unitOf({ attributes: { id: unitId } })).filter(({ reason }) => reason === 'SPLIT').length;
        // The three ranges fill the layer: exactly one.
        return unitIds.every((unitId) => experimentsOf(unitId) === 1);
      }),
      runs,
    );
  });
});

describe('a holdout', () => {
  it('keeps its units from every treatment, under experiments, releases and any share', () => {
    let held = 0;
    fc.assert(
      fc.property(share, ids, fc.boolean(), (size, unitIds, isReleased) => {
        const ruleset = compileDefinitions({
          features: [{ ...checkout, ...(isReleased ? { release: { key: 'r', variant: 'on' } } : {}) }],
          experiments: [halves],
          holdouts: [{ key: 'h', seed: 'h', share: size }],
        });
        return unitIds.every((unitId) => {
          const decision = decided(ruleset, unitId);
          const isHeld = (hash('h', unitId, 2) ?? 1) < size;
          if (isHeld) held += 1;
          return isHeld ? decision.reason === 'HOLDOUT' && decision.value === false : decision.reason !== 'HOLDOUT';
        });
      }),
      runs,
    );
    expect(held).toBeGreaterThan(1000);
  });
});

const contexts: fc.Arbitrary<Context> = fc.record(
  {
    attributes: fc.record({ id, country: fc.constantFrom('DE', 'FR'), age: fc.integer({ min: 10, max: 90 }) }, { requiredKeys: [] }),
    choices: fc.record(
      { channel: fc.constantFrom('early', 'slow', 'standard'), features: fc.record({ a: fc.constantFrom('in', 'out', 'later') }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['attributes'] },
) as fc.Arbitrary<Context>;

const platforms: fc.Arbitrary<Definitions> = fc
  .record({ coverage: share, cut: share, held: share, gate: fc.boolean(), release: fc.boolean(), isEnabled: fc.boolean() })
  .map(({ coverage, cut, gate, held, isEnabled, release }) => ({
    features: [
      { ...checkout, key: 'a', choices: { in: 'on', out: 'off', later: 'off', channels: { early: 'on', slow: 'off' } } },
      {
        ...checkout,
        key: 'b',
        prerequisites: [{ id: 'a', condition: { value: true }, gate }],
        ...(release ? { release: { key: 'r', variant: 'on' } } : {}),
      },
      { ...checkout, key: 'c', isEnabled },
    ],
    layers: [{ key: 'page', seed: 'page' }],
    holdouts: [{ key: 'h', seed: 'h', share: held / 4, features: ['a', 'b'] }],
    overrides: [
      { key: 'o', feature: 'b', variant: 'on', units: ['user-1', 'user-2'] },
      { key: 'p', feature: 'a', variant: 'on', condition: { age: { $gt: 80 } } },
    ],
    experiments: [
      { ...inLayer('x', 'a', [0, cut]), coverage, targeting: { country: 'DE' } },
      { ...inLayer('y', 'b', [cut, 1]), coverage },
      { ...halves, key: 'z', feature: 'c', coverage },
    ],
  }));

/** Alone, in bulk and explained. */
const agree = (ruleset: Ruleset, context: Context): boolean => {
  const buckets = new Int32Array(ruleset.list.length);
  const bulk = evaluateAll(ruleset, unitOf(context), [], buckets);
  return ruleset.list.every(({ key }, i) => {
    const unit = unitOf(context);
    const alone = evaluate(ruleset, key, unit);
    const explained = explain(ruleset, key, unitOf(context));
    const bucket = unit.bucket < 0 ? null : unit.bucket / 10_000;
    return alone === bulk[i] && unit.bucket === buckets[i] && explained.decision === alone && explained.bucket === bucket;
  });
};

describe('every way to ask', () => {
  it('explains what evaluation answers, in bulk and alone', () => {
    fc.assert(
      fc.property(platforms, fc.array(contexts, { minLength: UNITS, maxLength: UNITS }), (definitions, given) => {
        const ruleset = compileDefinitions(definitions);
        return given.every((context) => agree(ruleset, context));
      }),
      runs,
    );
  });

  it('answers from the payload of an SDK as from the definitions, for units without choices', () => {
    fc.assert(
      fc.property(platforms, fc.array(contexts, { minLength: UNITS, maxLength: UNITS }), (definitions, given) => {
        const ours = compileDefinitions(definitions);
        const sdk = compilePayload(JSON.parse(JSON.stringify(payloadOfDefinitions(definitions))));
        const isSame = (attributes: Context['attributes'], key: string): boolean => {
          const a = evaluate(ours, key, unitOf({ attributes }));
          const b = evaluate(sdk, key, unitOf({ attributes }));
          return a.value === b.value && a.ruleId === b.ruleId && a.arm === b.arm;
        };
        return given.every(({ attributes = {} }) => ours.list.every(({ key }) => isSame(attributes, key)));
      }),
      { numRuns: 200 },
    );
  });
});
