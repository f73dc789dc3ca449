/** From Kafka's records to the log's messages: their known times, and what of them the index must remember. */
import type { LogMessage } from '../event-log.js';
import { partsOfPosition, positionOf } from '../positions.js';
import type { RawRecord } from './kafka-cluster.js';
import { advanced, freshAhead, type KnownState, knownAt, later } from './known-times.js';

export interface Checkpoint extends KnownState {
  /** The state holds from here on. */
  readonly offset: number;
}

export interface Told {
  readonly messages: readonly LogMessage[];
  readonly state: KnownState;
}

export interface Telling {
  /** Of the next message; records before it are passed over (a batch comes as a whole). */
  readonly from: number;
  readonly state: KnownState;
  /** The nearest checkpoint at or before an offset; what it knows counts. */
  nearest(offset: number): Checkpoint | undefined;
  /** Of a compacted topic: told what a reader couldn't find out once compaction has run. Absent for others. */
  onUnfresh?(checkpoint: Checkpoint): void;
}

export const toldBy = (records: readonly RawRecord[], { from, state: before, nearest, onUnfresh }: Telling): Told => {
  const messages: LogMessage[] = [];
  let state = before;
  let batch: RawRecord['batchContext'] | undefined;
  let fresh = Number.NEGATIVE_INFINITY;
  let appendedAtUs = 0;
  for (const record of records) {
    const offset = Number(record.offset);
    if (offset < from) continue;
    if (record.batchContext !== batch) {
      batch = record.batchContext;
      fresh = freshAhead(record);
      appendedAtUs = Number(batch.maxTimestamp) * 1_000;
    }
    const next = advanced(state, record, fresh);
    state = onUnfresh === undefined ? next : remembered(next, { offset, fresh, nearest, onUnfresh });
    messages.push({
      offset,
      position: positionOf(state.generation, offset),
      knownAtUs: knownAt(offset, state),
      appendedAtUs,
      key: record.key === null ? null : record.key.toString(),
      value: record.value,
      headers: headersOf(record.headers),
    });
  }
  return { messages, state };
};

/** The state of a message in a compacted topic, with what earlier readers left about it; leaves what later ones will need. */
const remembered = (
  state: KnownState,
  { offset, fresh, nearest, onUnfresh }: { offset: number; fresh: number } & Required<Pick<Telling, 'nearest' | 'onUnfresh'>>,
): KnownState => {
  const known = nearest(offset);
  const full = known === undefined ? state : later(state, known);
  const seenByAll = Math.max(fresh, known?.ahead ?? Number.NEGATIVE_INFINITY);
  if (full.ahead > seenByAll || full.generation > (known?.generation ?? 0)) onUnfresh({ offset, ...full });
  return full;
};

/** The state after a message, which its own times give away. */
export const stateAfter = ({ offset, knownAtUs, position }: LogMessage): KnownState => ({
  ahead: knownAtUs - offset,
  generation: partsOfPosition(position).generation,
});

const noHeaders = Object.freeze({});

const headersOf = (raw: RawRecord['headers']): LogMessage['headers'] => {
  const names = Object.keys(raw);
  if (names.length === 0) return noHeaders;
  return Object.fromEntries(names.map((name) => [name, textOf(raw[name])]));
};

const textOf = (value: Buffer | readonly Buffer[] | undefined): string =>
  Buffer.isBuffer(value) ? value.toString() : ((value ?? []).at(-1)?.toString() ?? '');
