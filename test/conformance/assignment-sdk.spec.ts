/** The engine against the public JavaScript SDK, on random payloads and units: small domains, so that rules, conditions and ranges meet. */
import { GrowthBook } from '@growthbook/growthbook';
import { describe, expect, it, jest } from '@jest/globals';
import {
  type Context,
  compilePayload,
  compileRun,
  evaluate,
  evaluateAll,
  explain,
  featureResult,
  holds,
  type Payload,
  run,
  type StickyDocuments,
  unitOf,
} from '@rampart/assignment';
import fc from 'fast-check';
import { isEqual } from './assignment-cases.js';

// The SDK tells the console about conditions and settings that it can't read.
jest.spyOn(console, 'error').mockImplementation(() => undefined);

type GrowthBookOptions = ConstructorParameters<typeof GrowthBook>[0];

const scalar = fc.constantFrom<unknown>(
  'a',
  'A',
  'b',
  '',
  '1',
  '5',
  'true',
  'null',
  0,
  1,
  5,
  -1,
  2.5,
  true,
  false,
  null,
  '1.2.3',
  'v1.2.10',
  '1.2.3-rc.1',
  '2.0.0+x',
);
const anyValue = fc.oneof(
  { weight: 6, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.constantFrom<unknown>({ x: 1 }, { x: 'a', y: null }, {}),
);
const names = fc.constantFrom('id', 'name', 'tags', 'deep.x', 'deep.y.z', 'missing', 'tags.length');
const attributes = fc.record(
  {
    id: fc.oneof(fc.integer({ min: 0, max: 3000 }).map(String), fc.integer({ min: 0, max: 50 }), scalar),
    device: fc.integer({ min: 0, max: 500 }).map((n) => `d${n}`),
    name: anyValue,
    tags: fc.array(anyValue, { maxLength: 3 }),
    deep: fc.record({ x: anyValue, y: fc.oneof(anyValue, fc.record({ z: anyValue })) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

const { condition } = fc.letrec((tie) => {
  const operator = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.constantFrom('$eq', '$ne', '$lt', '$lte', '$gt', '$gte', '$exists', '$size', '$not', '$nope'), anyValue),
    },
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom('$veq', '$vne', '$vlt', '$vlte', '$vgt', '$vgte'), anyValue) },
    {
      weight: 6,
      arbitrary: fc.tuple(
        fc.constantFrom('$in', '$nin', '$ini', '$nini', '$all', '$alli'),
        fc.oneof(fc.array(scalar, { maxLength: 3 }), scalar),
      ),
    },
    fc.tuple(fc.constantFrom('$inGroup', '$notInGroup'), fc.constantFrom('g', 'h', 'unknown')),
    fc.tuple(fc.constantFrom('$regex', '$regexi'), fc.constantFrom('^a', '[0-9]+\\.', '(a|b)*$', '(', '^(a+)+$', '^\\w+$', 'null', 'a/b')),
    fc.tuple(fc.constant('$type'), fc.constantFrom('string', 'number', 'boolean', 'array', 'object', 'null')),
    fc.tuple(fc.constantFrom('$elemMatch', '$not', '$size'), tie('operators')),
    fc.tuple(fc.constant('$elemMatch'), tie('condition')),
    fc.tuple(fc.constantFrom('$all', '$alli'), fc.array(tie('value'), { maxLength: 2 })),
  );
  return {
    operators: fc.array(operator, { minLength: 1, maxLength: 2 }).map((entries) => Object.fromEntries(entries)),
    value: fc.oneof({ maxDepth: 3 }, anyValue, tie('operators')),
    condition: fc
      .array(
        fc.oneof(
          { maxDepth: 4 },
          { weight: 6, arbitrary: fc.tuple(names, tie('value')) },
          fc.tuple(fc.constantFrom('$or', '$nor', '$and'), fc.array(tie('condition'), { maxLength: 3 })),
          fc.tuple(fc.constant('$not'), tie('condition')),
        ),
        { maxLength: 2 },
      )
      .map((entries) => Object.fromEntries(entries)),
  };
}) as { condition: fc.Arbitrary<Record<string, unknown>> };

/** As many names as variations: a name beyond them is the one thing in which the engine differs on purpose. */
const named = <R extends object>(one: R): R => {
  const { contextualVariations, meta, variations: own } = one as { readonly [name: string]: readonly unknown[] | undefined };
  return meta === undefined ? one : { ...one, meta: meta.slice(0, (own ?? contextualVariations ?? []).length) };
};
const savedGroups = { g: ['a', 1, '5'], h: [] };
const share = fc.oneof(
  fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
  fc.constantFrom(0.501, 1, 0, 1.5, -1, 1 / 3),
);
const range = fc.tuple(share, share);
const seed = fc.constantFrom('s', 't', 'f1');
const version = fc.constantFrom(1, 2, 2, 3, 0);
const attribute = fc.constantFrom('id', 'device', 'missing');
const filters = fc.array(
  fc.record({ seed, ranges: fc.array(range, { maxLength: 2 }), hashVersion: version, attribute }, { requiredKeys: ['seed', 'ranges'] }),
  { maxLength: 2 },
);
const namespace = fc.tuple(seed, share, share);
const featureKeys = ['f1', 'f2', 'f3'];
const parents = fc.array(
  fc.record(
    {
      id: fc.constantFrom(...featureKeys, 'unknown'),
      condition: fc.oneof(
        condition,
        scalar.map((value) => ({ value })),
        fc.constant({ value: { $exists: true } }),
      ),
      gate: fc.boolean(),
    },
    { requiredKeys: ['id', 'condition'] },
  ),
  { minLength: 1, maxLength: 2 },
);
const metas = fc.array(
  fc.record({ key: fc.constantFrom('0', '1', 'x', 'y'), name: fc.constantFrom('n', ''), passthrough: fc.boolean() }, { requiredKeys: [] }),
  { minLength: 3, maxLength: 3 },
);
const assigning = {
  key: fc.constantFrom('e1', 'e2'),
  weights: fc.constantFrom([0.5, 0.5], [0.1, 0.9], [0.2, 0.3, 0.5], [0.9], [0.7, 0.7]),
  coverage: share,
  ranges: fc.array(range, { minLength: 1, maxLength: 2 }),
  meta: metas,
  filters,
  namespace,
  seed,
  hashVersion: version,
  hashAttribute: attribute,
  fallbackAttribute: fc.constantFrom('device', 'id'),
  disableStickyBucketing: fc.boolean(),
  bucketVersion: fc.constantFrom(0, 1, 2),
  minBucketVersion: fc.constantFrom(0, 1),
  condition,
  name: fc.constant('n'),
  phase: fc.constant('1'),
};
const variations = fc.constantFrom<unknown[]>([0, 1], ['a', 'b', 'c'], [true, false], ['only'], [{ x: 1 }, null]);
const mostly = { requiredKeys: ['variations'] as ['variations'] };
const rule = fc.oneof(
  fc.record(
    {
      id: fc.constant('r'),
      force: scalar,
      condition,
      coverage: share,
      range,
      seed,
      hashVersion: version,
      hashAttribute: attribute,
      filters,
      parentConditions: parents,
    },
    { requiredKeys: ['force'] },
  ),
  fc.record({ id: fc.constant('r'), variations, parentConditions: parents, foo: fc.constant('bar'), ...assigning }, mostly).map(named),
  fc
    .record(
      { contextualVariations: variations, contextualBanditRef: fc.constantFrom('b', 'unknown'), ...assigning },
      { requiredKeys: ['contextualVariations', 'contextualBanditRef'] },
    )
    .map(named),
  // With all of those demands a forced value is rare: this one has few.
  fc.record({ force: scalar, condition, coverage: share }, { requiredKeys: ['force'] }),
  { weight: 2, arbitrary: fc.record({ parentConditions: parents }) },
);
const feature = fc.record({ defaultValue: anyValue, rules: fc.array(rule, { maxLength: 3 }) }, { requiredKeys: [] });
const features = fc.record({ f1: feature, f2: feature, f3: feature }, { requiredKeys: [] });
const contextualBandits = fc.constantFrom(
  {
    b: {
      banditVersion: 1,
      contexts: [
        { leafId: 4, condition: { id: '1' }, weights: [1, 0] },
        { leafId: 5, condition: { name: { $exists: true } }, weights: [0, 1] },
      ],
    },
  },
  { b: { contexts: [] } },
  { b: {} },
);
const payload = fc.record({ features, contextualBandits }).map((one): Payload => ({ ...one, savedGroups }) as unknown as Payload);
const unitInput: fc.Arbitrary<Context> = fc.record(
  {
    attributes,
    url: fc.constantFrom('http://a.com/p?e1=1', 'http://a.com/?e2=9#e1=0', 'http://a.com', 'x'),
    forcedVariations: fc.constantFrom({ e1: 1 }, { e2: 7 }, { f1: 0 }),
    qaMode: fc.boolean(),
    enabled: fc.boolean(),
  },
  { requiredKeys: ['attributes'] },
) as fc.Arbitrary<Context>;
/** Few ids and always keys of variations, so that earlier assignments are found. */
const fewIds = fc.record(
  { id: fc.integer({ min: 0, max: 4 }).map(String), device: fc.integer({ min: 0, max: 4 }).map((n) => `d${n}`), name: scalar },
  { requiredKeys: ['device'] },
);
const { filters: _filters, hashVersion: _hashVersion, ...unfiltered } = assigning;
const stickyRule = fc
  .record(
    { variations: fc.constantFrom([0, 1], ['a', 'b', 'c']), ...unfiltered, meta: fc.constant([{ key: '0' }, { key: '1' }, { key: 'x' }]) },
    { requiredKeys: ['variations', 'meta', 'key'] },
  )
  .map(named);
const stickyPayload = fc
  .array(stickyRule, { minLength: 1, maxLength: 2 })
  .map((rules) => ({ features: { f1: { defaultValue: 'd', rules } }, savedGroups }) as unknown as Payload);
const stickyInput: fc.Arbitrary<Context> = fc.record({ attributes: fewIds, qaMode: fc.boolean() }, { requiredKeys: ['attributes'] });
const documents = fc
  .array(
    fc.tuple(
      fc.constantFrom('id', 'device'),
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom('e1', 'e2'),
      fc.constantFrom(0, 0, 1, 2),
      fc.constantFrom('0', '1', 'x'),
    ),
    { minLength: 3, maxLength: 12 },
  )
  .map(
    (list): StickyDocuments =>
      Object.fromEntries(
        list.map(([attributeName, n, experiment, v, variation]) => {
          const attributeValue = attributeName === 'id' ? String(n) : `d${n}`;
          return [
            `${attributeName}||${attributeValue}`,
            { attributeName, attributeValue, assignments: { [`${experiment}__${v}`]: variation } },
          ];
        }),
      ),
  );

const runs = (numRuns: number) => ({ numRuns });
/** The SDK keeps what it assigns in the documents that it is given. */
const copyOf = <T>(value: T): T => structuredClone(value);
const sdkOptions = (options: object): GrowthBookOptions => copyOf(options) as unknown as GrowthBookOptions;
const sticking = (stickyBuckets: StickyDocuments) => ({
  stickyBucketAssignmentDocs: copyOf(stickyBuckets),
  stickyBucketService: { saveAssignments: () => Promise.resolve(), getAllAssignments: () => new Promise(() => undefined) },
});

describe('the engine answers as the public SDK does', () => {
  it('on any condition', () => {
    const gb = (attributesOfUnit: object, asked: object) =>
      new GrowthBook(
        sdkOptions({
          attributes: attributesOfUnit,
          savedGroups,
          features: { f: { defaultValue: 0, rules: [{ force: 1, condition: asked }] } },
        }),
      ).evalFeature('f').value === 1;
    let held = 0;
    fc.assert(
      fc.property(condition, attributes, (asked, unitAttributes) => {
        const answer = holds(asked, unitAttributes, savedGroups);
        if (answer) held += 1;
        return answer === gb(unitAttributes, asked);
      }),
      runs(10_000),
    );
    expect(held).toBeGreaterThan(1500);
  });

  it('on any feature, with everything that its result says, alone and in bulk', () => {
    const sources = new Map<string, number>();
    fc.assert(
      fc.property(payload, unitInput, (given, input) => {
        const ruleset = compilePayload(given);
        const gb = new GrowthBook(sdkOptions({ ...given, ...input }));
        for (const key of [...featureKeys, 'unknown']) {
          const unit = unitOf(input);
          const ours = featureResult(evaluate(ruleset, key, unit), unit);
          const theirs = gb.evalFeature(key);
          sources.set(ours.source, (sources.get(ours.source) ?? 0) + 1);
          if (!isEqual(theirs, ours)) throw new Error(`${key}: expected ${JSON.stringify(theirs)}, got ${JSON.stringify(ours)}`);
        }
        const bulk = evaluateAll(ruleset, unitOf(input));
        return ruleset.list.every(({ key }, i) => bulk[i] !== undefined && isEqual(gb.evalFeature(key).value, bulk[i]?.value));
      }),
      runs(2000),
    );
    for (const source of ['force', 'experiment', 'defaultValue', 'prerequisite', 'cyclicPrerequisite', 'unknownFeature']) {
      expect({ source, isSeen: (sources.get(source) ?? 0) > 3 }).toEqual({ source, isSeen: true });
    }
  });

  it('with sticky buckets, and keeps the same documents', () => {
    let used = 0;
    fc.assert(
      fc.property(
        fc.oneof(payload, stickyPayload, stickyPayload),
        fc.oneof(unitInput, stickyInput, stickyInput),
        documents,
        (given, input, stickyBuckets) => {
          const ruleset = compilePayload(given);
          const gb = new GrowthBook({ ...sdkOptions({ ...given, ...input }), ...sticking(stickyBuckets) } as unknown as GrowthBookOptions);
          const unit = unitOf({ ...input, stickyBuckets });
          for (const key of featureKeys) {
            const ours = featureResult(evaluate(ruleset, key, unit), unit);
            const theirs = gb.evalFeature(key);
            if (ours.experimentResult?.stickyBucketUsed === true) used += 1;
            if (!isEqual(theirs, ours)) throw new Error(`${key}: expected ${JSON.stringify(theirs)}, got ${JSON.stringify(ours)}`);
          }
          return isEqual(gb.getStickyBucketAssignmentDocs(), unit.stickyBuckets);
        },
      ),
      runs(4000),
    );
    expect(used).toBeGreaterThan(15);
  });

  it('on experiments outside features', () => {
    const experiment = fc.record(
      {
        variations,
        ...assigning,
        parentConditions: parents,
        active: fc.boolean(),
        status: fc.constantFrom('draft', 'running', 'stopped'),
        force: fc.constantFrom(0, 1, 9),
        urlPatterns: fc.array(
          fc.record({
            include: fc.boolean(),
            type: fc.constantFrom('simple', 'regex', 'other'),
            pattern: fc.constantFrom('http://a.com/*', '/p', 'a.com', 'p$', '(', '*?e1=*'),
          }),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: ['variations', 'key'] },
    );
    fc.assert(
      fc.property(payload, experiment, unitInput, (given, one, input) => {
        const unit = unitOf(input);
        const ours = run(compileRun(one as never, given), unit);
        const theirs = new GrowthBook(sdkOptions({ ...given, ...input })).run(copyOf(one) as never);
        if (!isEqual(theirs, ours)) throw new Error(`expected ${JSON.stringify(theirs)}, got ${JSON.stringify(ours)}`);
      }),
      runs(2000),
    );
  });
});

describe('an explanation', () => {
  it('ends in the decision of the evaluation, and leaves no trace behind', () => {
    fc.assert(
      fc.property(payload, unitInput, fc.constantFrom(...featureKeys), (given, input, key) => {
        const ruleset = compilePayload(given);
        const unit = unitOf(input);
        const { decision, steps } = explain(ruleset, key, unit);
        const other = evaluate(ruleset, key, unitOf(input));
        return isEqual({ ...decision, experiment: null }, { ...other, experiment: null }) && unit.trace === null && Array.isArray(steps);
      }),
      runs(2000),
    );
  });
});
