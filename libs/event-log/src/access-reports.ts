/** Tells the log what a service noted about its callers: `audit.v1` and `key-uses.v1`. */
import { AUDIT, type AuditEntry, KEY_USES, type KeyUse, topicSpecs } from '@rampart/contracts';
import type { EventLog } from './event-log.js';

/** Where it is noted. */
export interface AccessSource {
  /** @param all  nothing may be left for another time */
  take(all: boolean): AccessReport;
  /** What could not be told. */
  giveBack(report: AccessReport): void;
}

export interface AccessReport {
  readonly uses: readonly KeyUse[];
  readonly entries: readonly AuditEntry[];
}

const TOPICS = new Set([AUDIT, KEY_USES]);
const EVERY_MS = 500;

/** Tells at once and then twice a second; what the log does not take is told later. @returns ends it, after what is left was told */
export const startAccessReports = (log: EventLog, source: AccessSource, everyMs = EVERY_MS): (() => Promise<void>) => {
  let areTopicsThere = false;
  let inHand: Promise<void> | undefined;
  const tell = async (all: boolean): Promise<void> => {
    const report = source.take(all);
    const { uses, entries } = report;
    if (uses.length + entries.length === 0) return;
    try {
      if (!areTopicsThere) for (const spec of topicSpecs(1)) if (TOPICS.has(spec.topic)) await log.createTopic(spec);
      areTopicsThere = true;
      if (uses.length > 0)
        await log.append(
          KEY_USES,
          uses.map((use) => ({ partition: 0, key: use.key, value: JSON.stringify(use) })),
        );
      if (entries.length > 0)
        await log.append(
          AUDIT,
          entries.map((entry) => ({ partition: 0, value: JSON.stringify(entry) })),
        );
    } catch {
      // Readiness says that the log is away; a use that is told twice is the same.
      source.giveBack(report);
    }
  };
  const beat = () => {
    // One at a time: behind an outage they must not pile up.
    inHand ??= tell(false).finally(() => {
      inHand = undefined;
    });
  };
  const timer = setInterval(beat, everyMs);
  return async () => {
    clearInterval(timer);
    await inHand;
    await tell(true);
  };
};
