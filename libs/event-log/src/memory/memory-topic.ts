/** One topic in memory: its partitions, their messages and who listens. */
import { TICK_HEADER, type TopicSpec } from '@rampart/contracts';
import type { SeatEvents } from '../consuming/consumer.js';
import type { Appended, BatchLimits, LogMessage, OutgoingMessage, PartitionOffsets, TopicState } from '../event-log.js';
import { partsOfPosition, positionOf } from '../positions.js';
import { isTick, offsetsIn } from '../ticks.js';

interface Partition {
  messages: LogMessage[];
  end: number;
  lastKnownAtUs: number;
}

const emptyPartition = (lastKnownAtUs: number): Partition => ({ messages: [], end: 0, lastKnownAtUs });
const noHeaders = Object.freeze({});

export class MemoryTopic {
  readonly listeners = new Set<SeatEvents>();
  private readonly partitions: Partition[];
  private generation = 0;

  constructor(private readonly spec: TopicSpec) {
    this.partitions = Array.from({ length: spec.partitions }, () => emptyPartition(0));
  }

  state(): TopicState {
    const { topic, compacted } = this.spec;
    return { topic, compacted, partitions: this.partitions.length, generation: this.generation };
  }

  startGeneration(count: number): void {
    const greatest = Math.max(...this.partitions.map(({ lastKnownAtUs }) => lastKnownAtUs));
    this.generation += 1;
    for (const partition of this.partitions) partition.lastKnownAtUs = greatest;
    while (this.partitions.length < count) this.partitions.push(emptyPartition(greatest));
  }

  append(messages: readonly OutgoingMessage[], nowUs: number): readonly Appended[] {
    const appended = messages.map((message) => this.appendOne(message, nowUs));
    const touched = new Set(messages.map(({ partition }) => partition));
    for (const listener of this.listeners) for (const partition of touched) listener.wake(partition);
    return appended;
  }

  read(partition: number, from: number, { maxMessages, maxBytes }: Required<BatchLimits>): readonly LogMessage[] {
    const found: LogMessage[] = [];
    let bytes = 0;
    const messages = this.partitions[partition]?.messages ?? [];
    for (let at = firstAt(messages, from); at < messages.length && found.length < maxMessages && bytes < maxBytes; at += 1) {
      const message = messages[at];
      if (message === undefined) break;
      found.push(message);
      bytes += message.value?.byteLength ?? 0;
    }
    return found;
  }

  offsets(): readonly PartitionOffsets[] {
    return this.partitions.map(({ messages, end }, partition) => ({ partition, earliest: messages[0]?.offset ?? end, end }));
  }

  /** The first message of a partition stays, so that nobody stands before its beginning. */
  foldTicks(beforeUs: number): number {
    let folded = 0;
    for (const partition of this.partitions) {
      const kept: LogMessage[] = [];
      for (const message of partition.messages) {
        const before = kept.at(-1);
        const isFolded =
          before !== undefined &&
          kept.length > 1 &&
          message.appendedAtUs < beforeUs &&
          isTick(before) &&
          isTick(message) &&
          isSameGeneration(before, message);
        if (isFolded) kept.pop();
        kept.push(isFolded ? { ...message, headers: { [TICK_HEADER]: String(offsetsIn(before) + offsetsIn(message)) } } : message);
      }
      folded += partition.messages.length - kept.length;
      partition.messages = kept;
    }
    return folded;
  }

  dropTombstones(beforeUs: number): number {
    return this.drop((message) => message.value === null && message.appendedAtUs < beforeUs);
  }

  dropBefore(partition: number, offset: number): number {
    const only = this.partitions[partition];
    return this.drop((message, of) => of === only && message.offset < offset);
  }

  /** The log as after a restore from a backup: everything from an offset on is gone. For tests. */
  truncate(partition: number, end: number): void {
    const found = this.partitions[partition];
    if (found === undefined) return;
    found.messages = found.messages.filter(({ offset }) => offset < end);
    found.end = end;
  }

  private drop(isGone: (message: LogMessage, of: Partition) => boolean): number {
    let dropped = 0;
    for (const partition of this.partitions) {
      const kept = partition.messages.filter((message) => !isGone(message, partition));
      dropped += partition.messages.length - kept.length;
      partition.messages = kept;
    }
    return dropped;
  }

  private appendOne({ partition: index, key = null, value, headers }: OutgoingMessage, nowUs: number): Appended {
    const partition = this.partitions[index] ?? emptyPartition(0);
    const offset = partition.end;
    const knownAtUs = Math.max(partition.lastKnownAtUs + 1, nowUs);
    partition.end += 1;
    partition.lastKnownAtUs = knownAtUs;
    if (this.spec.compacted) partition.messages = partition.messages.filter((message) => message.key !== key);
    partition.messages.push({
      offset,
      position: positionOf(this.generation, offset),
      knownAtUs,
      appendedAtUs: nowUs,
      key,
      value: value === null ? null : Buffer.from(value),
      headers: headers === undefined ? noHeaders : { ...headers },
    });
    return { partition: index, offset, knownAtUs };
  }
}

const isSameGeneration = (one: LogMessage, other: LogMessage): boolean =>
  partsOfPosition(one.position).generation === partsOfPosition(other.position).generation;

/** Index of the first message at or after an offset; binary search. */
const firstAt = (messages: readonly LogMessage[], offset: number): number => {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
};
