/** The hand-written check against the contract it stands for. */
import { describe, expect, it } from '@jest/globals';
import { cloudEvent, millionthsOfNumber } from '@rampart/contracts';
import fc from 'fast-check';
import { completed, exposure, historicalScope, outcome, purchase } from './event.examples.js';
import { segment } from './rejection.js';

const believedBy = {
  contract: (event: unknown) => cloudEvent.safeParse(event),
  hand: (event: unknown) => outcome(event, historicalScope),
};

/** What the contract leaves to ingestion: exactness of the value, the future, and the number of properties. */
const beyondContract = new Set(['in-the-future', 'too-many']);
const isBeyond = (event: unknown, code: string) => {
  if (code === 'value-out-of-range') {
    const value = (event as { data?: { value?: unknown } }).data?.value;
    return typeof value === 'number' && millionthsOfNumber(value) === undefined;
  }
  return beyondContract.has(code);
};

const pathsOf = (event: unknown): readonly string[] => {
  const { error } = believedBy.contract(event);
  return (error?.issues ?? []).flatMap((issue) => {
    const path = issue.path.map((part) => `/${segment(String(part))}`).join('');
    return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => `${path}/${segment(key)}`) : [path];
  });
};

const agree = (event: unknown): void => {
  const answer = believedBy.hand(event);
  const isRejected = 'code' in answer;
  if (isRejected && isBeyond(event, answer.code)) return;
  expect([isRejected, event]).toEqual([!believedBy.contract(event).success, event]);
  // The discriminator is the first thing that the contract looks at; below it the first complaint must be one of the contract's.
  if (isRejected) expect(pathsOf(event)).toContain(answer.path);
};

const anyJson = fc.oneof(
  fc.constantFrom('', 'x', 'x'.repeat(201), 'x'.repeat(501), 'x'.repeat(1001), '1.0', 'SPLIT', 'user', 'a\0b', '\ud800', 'x\udfff', '😀'),
  fc.constantFrom(null, true, 0, -1, 1.5, 65_535, 65_536, 1e13, 2 ** 53, [], {}, [{}]),
  fc.constantFrom(
    '2024-05-01T00:00:00Z',
    '2024-05-01T00:00Z',
    '2024-05-01T00:00:00.1234567890123+01:00',
    '2024-02-30T00:00:00Z',
    '2024-05-01',
    '2024-05-01T24:00:00Z',
  ),
  fc.constantFrom(
    { type: 'user', id: 'u' },
    { type: 'user' },
    { type: 'user', id: 'u', more: 1 },
    [{ type: 'user', id: 'u' }],
    { a: 1, b: 'x', c: false },
    { a: null },
    { '': 1 },
    { 'a\0': 1 },
    { a: '\ud83d' },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const paths: readonly (readonly string[])[] = [
  ...[
    'specversion',
    'id',
    'source',
    'type',
    'time',
    'sentat',
    'knownat',
    'datacontenttype',
    'dataschema',
    'subject',
    'data',
    'extension',
  ].map((name) => [name]),
  ...['unit', 'also', 'name', 'value', 'properties', 'experiment', 'variant', 'segment', 'reason', 'until', 'more/~'].map((name) => [
    'data',
    name,
  ]),
  ['data', 'unit', 'type'],
  ['data', 'unit', 'id'],
  ['data', 'unit', 'more'],
  ['data', 'properties', 'a'],
  ['data', 'also', '1'],
];
const bases = [
  purchase(
    {},
    {
      also: [
        { type: 'a', id: 'b' },
        { type: 'c', id: 'd' },
      ],
      properties: { a: 1 },
    },
  ),
  { ...purchase(), type: 'feedback.v1' },
  exposure({ segment: 1, reason: 'SPLIT' }),
  { ...exposure(), type: 'assignment.v1' },
  completed({ until: '2024-05-01T00:00:00Z' }),
];

const ABSENT = Symbol('absent');
const changed = (base: object, path: readonly string[], value: unknown): object => {
  const copy = structuredClone(base);
  let at: Record<string, unknown> = copy as Record<string, unknown>;
  for (const part of path.slice(0, -1)) {
    const next = at[part];
    if (typeof next !== 'object' || next === null) return copy;
    at = next as Record<string, unknown>;
  }
  if (value === ABSENT) delete at[path.at(-1) ?? ''];
  else at[path.at(-1) ?? ''] = value;
  return copy;
};

describe('the check by hand', () => {
  it('believes what the contract believes and points where it points', () => {
    const change = fc.tuple(fc.constantFrom(...paths), fc.oneof({ weight: 5, arbitrary: anyJson }, fc.constant(ABSENT)));
    fc.assert(
      fc.property(fc.constantFrom(...bases), fc.array(change, { maxLength: 3 }), (base, changes) => {
        // What arrives is JSON: undefined, -0 and prototypes do not.
        agree(JSON.parse(JSON.stringify(changes.reduce<object>((event, [path, value]) => changed(event, path, value), base))));
      }),
      { numRuns: 1500 },
    );
  });

  it('agrees about anything', () => {
    fc.assert(fc.property(fc.jsonValue(), agree), { numRuns: 300 });
  });

  it('believes events of every type', () => {
    for (const base of bases) {
      expect(believedBy.contract(base).success).toBe(true);
      expect(believedBy.hand(base)).toHaveProperty('length');
    }
  });
});
