import { describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { AccessJournal, createLog, Metrics, Readiness } from '@rampart/service-kit';
import { IngestCounters } from './ingest-counters.js';
import { LogLink } from './log-link.js';

describe('the tie to the log', () => {
  it('ends without a word when it is stopped before it has begun', async () => {
    const unhandled: unknown[] = [];
    const notice = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', notice);
    const [log, lines] = [new MemoryEventLog(), createLog('ingestion', 'silent')];
    const link = new LogLink(log, new IngestCounters(log, new Metrics('ingestion'), lines), new AccessJournal(), new Readiness(), 4, lines);
    // Already: the stop closes it between two calls of the start.
    await log.close();
    link.onModuleInit();
    await link.onApplicationShutdown();
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', notice);
    expect(unhandled).toEqual([]);
  });
});
