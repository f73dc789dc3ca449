/** From Kafka's records to the log's messages: their known times, what of them the index must remember, and which of them can't be read. */
import { TICK_HEADER } from '@rampart/contracts';
import type { LogMessage, MessagePlace } from '../event-log.js';
import { LogError } from '../log-errors.js';
import { partsOfPosition, positionOf } from '../positions.js';
import { claimOf, type GenerationClaim, type GenerationStart } from './generation-marker.js';
import type { RawRecord } from './kafka-cluster.js';
import { codecOf } from './kafka-codecs.js';
import { advanced, freshAhead, type KnownState, knownAt, later } from './known-times.js';

export interface Checkpoint extends KnownState {
  /** The state holds from here on. */
  readonly offset: number;
}

/** Records whose content nobody here can decompress. */
export interface Unread {
  readonly codec: string;
  readonly offset: number;
  readonly last: number;
}

export interface Told {
  /** Those of `unread` among them, empty. */
  readonly messages: readonly LogMessage[];
  readonly state: KnownState;
  /** The first batch of that kind. */
  readonly unread?: Unread;
}

export interface Telling {
  /** Of the next message; records before it are passed over (a batch comes as a whole). */
  readonly from: number;
  readonly state: KnownState;
  /** The nearest checkpoint at or before an offset; what it knows counts. */
  nearest(offset: number): Checkpoint | undefined;
  /** What a record begins that claims to begin something. */
  startOf(claim: GenerationClaim): GenerationStart | undefined;
  /** Of a compacted topic: told what a reader couldn't find out once compaction has run. Absent for others. */
  onUnfresh?(checkpoint: Checkpoint): void;
}

export const toldBy = (records: readonly RawRecord[], { from, state: before, nearest, startOf, onUnfresh }: Telling): Told => {
  const messages: LogMessage[] = [];
  let state = before;
  let batch: RawRecord['batchContext'] | undefined;
  let fresh = Number.NEGATIVE_INFINITY;
  let appendedAtUs = 0;
  let unread: Unread | undefined;
  for (const record of records) {
    const offset = Number(record.offset);
    if (offset < from) continue;
    if (record.batchContext !== batch) {
      batch = record.batchContext;
      fresh = freshAhead(record);
      appendedAtUs = Number(batch.maxTimestamp) * 1_000;
    }
    const claim = claimOf(record);
    const next = advanced(state, offset, fresh, claim === undefined ? undefined : startOf(claim));
    const codec = codecOf(record);
    if (codec !== undefined)
      unread = unread === undefined ? { codec, offset, last: offset } : unread.last === offset - 1 ? { ...unread, last: offset } : unread;
    state = onUnfresh === undefined ? next : remembered(next, { offset, fresh, nearest, onUnfresh });
    messages.push({
      offset,
      position: positionOf(state.generation, offset),
      knownAtUs: knownAt(offset, state),
      appendedAtUs,
      ...(codec === undefined && record.isControlRecord !== true ? contentOf(record) : withoutContent),
    });
  }
  return unread === undefined ? { messages, state } : { messages, state, unread };
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

/** For the person who must decide: what is there, where it ends, and how to go on. */
export const unreadError = (topic: string, partition: number, { codec, offset, last }: Unread): LogError =>
  new LogError(
    'unreadable-records',
    `${topic}/${partition} can't be read at offset ${offset}: the records there, to ${last} at least, are compressed with ${codec}, and this log reads gzip up to 32 MiB and what is not compressed. Nothing was skipped. Set compression.type=gzip on the topic, so that the broker packs anew what comes; to go on without these records, stop the readers and set the offset of their group behind them (kafka-consumer-groups --reset-offsets).`,
  );

/** The state after a message, which its own times give away. */
export const stateAfter = ({ offset, knownAtUs, position }: MessagePlace): KnownState => ({
  ahead: knownAtUs - offset,
  generation: partsOfPosition(position).generation,
});

const noHeaders = Object.freeze({});

/** A message as a tick is one: it has a place and a time, and says nothing. */
const withoutContent = Object.freeze({ key: null, value: null, headers: Object.freeze({ [TICK_HEADER]: '1' }) });

const contentOf = ({ key, value, headers }: RawRecord): Pick<LogMessage, 'key' | 'value' | 'headers'> => ({
  key: key === null ? null : key.toString(),
  value,
  headers: headersOf(headers),
});

const headersOf = (raw: RawRecord['headers']): LogMessage['headers'] => {
  const names = Object.keys(raw);
  if (names.length === 0) return noHeaders;
  return Object.fromEntries(names.map((name) => [name, textOf(raw[name])]));
};

const textOf = (value: Buffer | readonly Buffer[] | null | undefined): string =>
  Buffer.isBuffer(value) ? value.toString() : ((value ?? []).at(-1)?.toString() ?? '');
