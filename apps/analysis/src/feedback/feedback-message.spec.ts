import { describe, expect, it } from '@jest/globals';
import type { LogMessage } from '@rampart/event-log';
import { placedRows, UnreadableMessage } from './feedback-message.js';

const row = {
  kind: 'metric',
  project: 'shop',
  environment: 'live',
  name: 'buy',
  unitType: 'user',
  unit: '0'.repeat(32),
  source: 'web',
  id: '1',
  at: 5,
  digest: '0'.repeat(16),
  key: 'k',
};

const message = (value: unknown): LogMessage => ({
  offset: 7,
  position: 7n << 12n,
  knownAtUs: 10,
  appendedAtUs: 10,
  key: null,
  value: value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  headers: {},
});

describe('a message of feedback', () => {
  it('gives its rows their places', () => {
    const rows = placedRows(message([row, { ...row, id: '2' }]), 3);
    expect(rows).toEqual([
      { row, position: 7n << 12n, knownAtUs: 10, partition: 3 },
      { row: { ...row, id: '2' }, position: (7n << 12n) + 1n, knownAtUs: 10, partition: 3 },
    ]);
  });

  it('has no rows when it is a tick', () => {
    expect(placedRows(message(null), 0)).toEqual([]);
  });

  it.each([
    ['is no JSON', '[{'],
    ['is no JSON array', { rows: [] }],
    ['has 4097 rows, more than 4096', Array.from({ length: 4097 }, () => row)],
    ['row 1 has a wrong shape', [row, null]],
    ['row 0 has a wrong unit', [{ ...row, unit: 'ABC' }]],
    ['row 0 has a wrong value', [{ ...row, value: 12.5 }]],
    ['row 0 has a wrong at', [{ ...row, at: 1.5 }]],
    ['row 0 has a wrong kind', [{ ...row, kind: 'other' }]],
    ['row 0 has a wrong digest', [{ ...row, digest: '' }]],
    ['row 0 has a wrong project', [{ ...row, project: undefined }]],
    ['row 0 has a wrong properties', [{ ...row, properties: { a: { b: 1 } } }]],
    ['row 0 has a wrong variant', [{ ...row, kind: 'exposure' }]],
    ['row 0 has a wrong segment', [{ ...row, kind: 'exposure', variant: 'a', segment: 65_536 }]],
  ])('is unreadable when it %s', (why, value) => {
    expect(() => placedRows(message(value), 0)).toThrow(new UnreadableMessage(why));
  });
});
