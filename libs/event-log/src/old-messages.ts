/** What of a plain topic is old: by known time, in which each partition is in order. */
import type { EventLog, PartitionOffsets } from './event-log.js';

/** @returns the offset of the first message known at `atUs` or later; the partition's end where there is none */
export const firstKnownAt = async (
  log: Pick<EventLog, 'read'>,
  topic: string,
  { partition, earliest, end }: PartitionOffsets,
  atUs: number,
): Promise<number> => {
  let [low, high] = [earliest, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // Folded ticks leave holes: the next message there is speaks for them.
    const [message] = await log.read({ topic, partition, offset: middle, limit: 1 });
    if (message === undefined || message.knownAtUs >= atUs) high = middle;
    else low = message.offset + 1;
  }
  return low;
};

export interface Dropped {
  readonly partition: number;
  readonly messages: number;
}

/**
 * Drops what was known before `beforeUs`.
 * @param readUpTo  of each partition, the offset of what is not read yet by whoever must read it: that and what follows stays
 * @returns the partitions that lost any
 */
export const dropOlder = async (
  log: Pick<EventLog, 'read' | 'offsets' | 'dropBefore'>,
  { topic, beforeUs }: { readonly topic: string; readonly beforeUs: number },
  readUpTo: (partition: number) => number,
): Promise<readonly Dropped[]> => {
  const dropped: Dropped[] = [];
  for (const bounds of await log.offsets(topic)) {
    const { partition, earliest } = bounds;
    const offset = Math.min(await firstKnownAt(log, topic, bounds, beforeUs), readUpTo(partition));
    if (offset > earliest) dropped.push({ partition, messages: await log.dropBefore({ topic, partition, offset }) });
  }
  return dropped;
};
