/** Ticks: messages without content that move the watermark of idle partitions. */
import { TICK_HEADER } from '@rampart/contracts';
import { messageOf } from './consuming/deliver.js';
import type { EventLog, LogMessage } from './event-log.js';

export interface Ticking {
  /** Why the last tick failed; undefined while they get through. */
  trouble(): string | undefined;
  stop(): Promise<void>;
}

const version = '1';

/** Value null, header `tick: 1`, no key: consumers see it as an ordinary message without rows. */
export const isTick = ({ headers, value }: Pick<LogMessage, 'headers' | 'value'>): boolean =>
  value === null && headers[TICK_HEADER] !== undefined;

/** How many offsets up to and including its own a message stands for: folded ticks say it in their header. */
export const offsetsIn = (message: Pick<LogMessage, 'headers' | 'value'>): number => {
  const count = isTick(message) ? Number(message.headers[TICK_HEADER]) : 1;
  return Number.isSafeInteger(count) && count > 1 ? count : 1;
};

/** Ticks so old are folded; whoever reads has long passed them, or reads all of them at once. */
export const TICKS_FOLD_AFTER_US = 3_600_000_000;

/**
 * Appends one tick to every partition of a plain topic, at once and then every `everyMs`. A failed tick is not repeated: the next one says more.
 * In a compacted topic the ticks of one writer replace each other.
 */
export const startTicks = (log: EventLog, topic: string, everyMs = 1_000): Ticking => {
  let trouble: string | undefined;
  let isStopped = false;
  let inHand: Promise<void> | undefined;
  const tick = async (): Promise<void> => {
    try {
      const { partitions, compacted } = await log.describeTopic(topic);
      const key = compacted ? TICK_HEADER : null;
      const headers = { [TICK_HEADER]: version };
      await log.append(
        topic,
        Array.from({ length: partitions }, (_, partition) => ({ partition, key, value: null, headers })),
      );
      trouble = undefined;
    } catch (error) {
      trouble = messageOf(error);
    }
  };
  const beat = () => {
    // One at a time: behind an outage ticks must not pile up.
    if (isStopped || inHand !== undefined) return;
    inHand = tick().finally(() => {
      inHand = undefined;
    });
  };
  const timer = setInterval(beat, everyMs);
  beat();
  return {
    trouble: () => trouble,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await inHand;
    },
  };
};
