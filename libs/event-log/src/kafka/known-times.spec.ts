import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RawRecord } from './kafka-cluster.js';
import { type Checkpoint, toldBy } from './kafka-records.js';
import { beginning, stateOfText, stateText } from './known-times.js';

/** Batches of some records each, with the append times that a clock gave which does what it likes. */
const logs = fc.array(fc.record({ size: fc.integer({ min: 1, max: 5 }), atMs: fc.integer({ min: 1_000, max: 1_020 }) }), {
  minLength: 1,
  maxLength: 30,
});

const recordsOf = (batches: readonly { readonly size: number; readonly atMs: number }[]): readonly RawRecord[] => {
  let next = 0;
  return batches.flatMap(({ size, atMs }) => {
    const batchContext = { firstOffset: `${next}`, maxTimestamp: `${atMs}` };
    return Array.from({ length: size }, () => ({
      offset: `${next++}`,
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: {},
      batchContext,
    }));
  });
};
const nearestOf = (checkpoints: readonly Checkpoint[]) => (offset: number) => checkpoints.findLast((one) => one.offset <= offset);
const none = () => undefined;

describe('known time on Kafka', () => {
  it('is the predecessor’s plus a microsecond or the append time, whichever is greater, for any clock', () => {
    fc.assert(
      fc.property(logs, (batches) => {
        const records = recordsOf(batches);
        const { messages } = toldBy(records, { from: 0, state: beginning, nearest: none, startOf: none });
        let last = Number.NEGATIVE_INFINITY;
        for (const { knownAtUs, appendedAtUs } of messages) {
          expect(knownAtUs).toBe(Math.max(last + 1, appendedAtUs));
          last = knownAtUs;
        }
      }),
    );
  });

  it('is the same for who goes on from the state that another left', () => {
    fc.assert(
      fc.property(logs, fc.nat(), (batches, seed) => {
        const records = recordsOf(batches);
        const all = toldBy(records, { from: 0, state: beginning, nearest: none, startOf: none }).messages;
        const from = seed % records.length;
        const { state } = toldBy(records.slice(0, from), { from: 0, state: beginning, nearest: none, startOf: none });
        const kept = stateOfText(stateText(state)) ?? beginning;
        expect(toldBy(records, { from, state: kept, nearest: none, startOf: none }).messages).toEqual(all.slice(from));
      }),
    );
  });

  it('is the same after compaction, whatever it deletes, for who has the checkpoints of an earlier reader', () => {
    fc.assert(
      fc.property(logs, fc.infiniteStream(fc.boolean()), (batches, isKept) => {
        const records = recordsOf(batches);
        const checkpoints: Checkpoint[] = [];
        const onUnfresh = (one: Checkpoint) => void checkpoints.push(one);
        const all = toldBy(records, { from: 0, state: beginning, nearest: nearestOf(checkpoints), startOf: none, onUnfresh }).messages;
        const left = records.filter(() => isKept.next().value);
        const again = toldBy(left, {
          from: 0,
          state: beginning,
          nearest: nearestOf(checkpoints),
          startOf: none,
          onUnfresh: () => undefined,
        }).messages;
        const offsets = new Set(left.map(({ offset }) => Number(offset)));
        expect(again).toEqual(all.filter(({ offset }) => offsets.has(offset)));
      }),
    );
  });
});
