/** Where in a partition a moment lies: the log is in the order of its known times. */
import type { EventLog, PartitionOffsets } from '@rampart/event-log';

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
