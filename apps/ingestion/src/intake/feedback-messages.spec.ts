import { describe, expect, it } from '@jest/globals';
import type { FeedbackRow } from '@rampart/contracts';
import { maxMessageBytes } from '@rampart/event-log';
import { messagesOf, Pseudonyms, partitionOfRow } from '@rampart/feedback-rows';
import { completed, historicalScope, purchase, rows } from './event.examples.js';

const purchases = (count: number) =>
  Array.from({ length: count }, (_, i) => rows(purchase({ id: `e${i}` }, { unit: { type: 'user', id: `u${i % 50}` } }))).flat();
const rowsIn = (value: unknown) => JSON.parse(String(value)) as FeedbackRow[];

describe('messages of a batch', () => {
  it('are one per partition, with every row in its unit’s partition and in order', () => {
    const all = purchases(200);
    const messages = messagesOf(all, 4);
    expect(messages.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    for (const { partition, value } of messages) {
      const own = rowsIn(value);
      expect(own.map((row) => partitionOfRow(row, 4))).toEqual(own.map(() => partition));
      expect(own).toEqual(all.filter((row) => partitionOfRow(row, 4) === partition));
    }
  });

  it('hold at most 4,096 rows', () => {
    const messages = messagesOf(purchases(5000), 1);
    expect(messages.map(({ value }) => rowsIn(value).length)).toEqual([4096, 904]);
  });

  it('stay small enough for the log, however much the rows of a batch hold', () => {
    const properties = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`p${i}`, 'x'.repeat(600)]));
    const also = Array.from({ length: 8 }, (_, i) => ({ type: 'device', id: `d${i}` }));
    const all = Array.from({ length: 40 }, (_, i) => rows(purchase({ id: `e${i}` }, { also, properties }))).flat();
    const messages = messagesOf(all, 1);
    expect(Math.max(...messages.map(({ value }) => Buffer.byteLength(String(value))))).toBeLessThanOrEqual(maxMessageBytes);
    expect(messages.flatMap(({ value }) => rowsIn(value))).toEqual(all);
  });

  it('hold what has no unit in the first partition', () => {
    expect(messagesOf(rows(completed(), historicalScope), 4).map(({ partition }) => partition)).toEqual([0]);
  });
});

describe('pseudonyms', () => {
  it('are the same for a unit of a project for ever, also when forgotten in between', () => {
    const pseudonyms = new Pseudonyms('secret', 10);
    const first = pseudonyms.of('shop', 'user', 'u1');
    for (let i = 0; i < 100; i += 1) pseudonyms.of('shop', 'user', `other${i}`);
    expect(pseudonyms.size).toBeLessThanOrEqual(10);
    expect(pseudonyms.of('shop', 'user', 'u1')).toBe(first);
    expect(new Pseudonyms('secret').of('shop', 'user', 'u1')).toBe(first);
  });

  it('differ by project, type and platform', () => {
    const pseudonyms = new Pseudonyms('secret');
    const all = [
      pseudonyms.of('shop', 'user', 'u1'),
      pseudonyms.of('other', 'user', 'u1'),
      pseudonyms.of('shop', 'device', 'u1'),
      new Pseudonyms('secret2').of('shop', 'user', 'u1'),
    ];
    expect(new Set(all).size).toBe(4);
  });
});
