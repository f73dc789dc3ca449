/** Messages whose content is in the event store or beside it: they leave the log when they are old. */
import { dropOlder, type EventLog, type Subscription } from '@rampart/event-log';
import type { Log } from '@rampart/service-kit';
import { nowUs } from './clock.js';

/** The token of RAMPART_KEEP_MESSAGES_DAYS. */
export const KEEP_MESSAGES_DAYS = 'experiments:keep-messages-days';

const EVERY_MS = 3_600_000;
const DAY_US = 86_400_000_000;

export interface StoredMessages {
  readonly log: EventLog;
  readonly topic: string;
  /** Whose reading stores them: what it has not read stays, and where it owns no partition, everything does. */
  readonly reading: Subscription;
  readonly keepDays: number;
}

export const dropStored = async ({ log, topic, reading, keepDays }: StoredMessages): Promise<void> => {
  const { partitions } = reading.stats();
  const readUpTo = (of: number) => partitions.find(({ partition }) => partition === of)?.next ?? 0;
  await dropOlder(log, { topic, beforeUs: nowUs() - keepDays * DAY_US }, readUpTo);
};

/** Each hour. @returns what ends it */
export const keepDropping = (stored: StoredMessages, lines: Log): (() => void) => {
  const timer = setInterval(() => {
    dropStored(stored).catch((err: unknown) =>
      lines.warn({ err, topic: stored.topic }, 'old messages could not be dropped, it is tried again'),
    );
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};
