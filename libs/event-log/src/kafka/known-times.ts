/**
 * Known time on Kafka, which stores none: a function of what it does store.
 *
 * The known time of the message at offset o is o + m, in microseconds, with m = the greatest of (append time of a batch − its first offset) over all batches up
 * to o. That is max(predecessor's + 1 µs, append time) written without the predecessor: it rises strictly whatever a clock does, everybody computes the
 * same, and a reader needs one number, m, to go on anywhere. Who starts in the middle takes m from a commit's metadata or from the nearest checkpoint
 * of the log's index (kafka-index.ts) and reads on from there.
 *
 * Compaction may delete the batch that m came from. Its first offset survives in a batch, so a batch that set m itself ("fresh": the usual case) is
 * read the same for ever. Of one that didn't (two batches within a millisecond, a clock that stepped back) the index must know m before anybody is
 * told its known time. The broker keeps every message of a compacted topic for `compactionLagMs` by its append time, so the first reader within that
 * time sees what m came from; and a clock that is ahead delays the deletion as much as it would matter.
 */
import { greatestGeneration } from '../positions.js';
import type { GenerationStart } from './generation-marker.js';
import type { RawRecord } from './kafka-cluster.js';

export interface KnownState {
  /** m above. */
  readonly ahead: number;
  readonly generation: number;
}

/** Before the first message of a log. */
export const beginning: KnownState = { ahead: Number.NEGATIVE_INFINITY, generation: 0 };

/** How long a message of a compacted topic stays readable at least: some process must read within this time. */
export const compactionLagMs = 7 * 24 * 3_600_000;

/** m as the batch alone would have it. */
export const freshAhead = ({ batchContext }: Pick<RawRecord, 'batchContext'>): number =>
  Number(batchContext.maxTimestamp) * 1_000 - Number(batchContext.firstOffset);

export const knownAt = (offset: number, { ahead }: KnownState): number => offset + ahead;

/** The state that gives this message its known time; `fresh` is that of its batch, `start` the generation that the message begins. */
export const advanced = (state: KnownState, offset: number, fresh: number, start?: GenerationStart): KnownState => {
  const ahead = Math.max(fresh, state.ahead);
  // A marker that was appended twice begins nothing again.
  if (start !== undefined && start.generation > state.generation) {
    return { ahead: Math.max(ahead, start.aboveUs + 1 - offset), generation: start.generation };
  }
  return ahead === state.ahead ? state : { ahead, generation: state.generation };
};

export const later = (one: KnownState, other: KnownState): KnownState => ({
  ahead: Math.max(one.ahead, other.ahead),
  generation: Math.max(one.generation, other.generation),
});

/** As text, for a commit's metadata; `undefined` for what is none. */
export const stateText = ({ ahead, generation }: KnownState): string => `ahead=${ahead};generation=${generation}`;

export const stateOfText = (text: string | null | undefined): KnownState | undefined => {
  const [, ahead, generation] = /^ahead=(-?\d+|-Infinity);generation=(\d+)$/.exec(text ?? '') ?? [];
  if (ahead === undefined || generation === undefined || Number(generation) > greatestGeneration) return undefined;
  return { ahead: Number(ahead), generation: Number(generation) };
};
