import { describe, expect, it } from '@jest/globals';
import { AUDIT, type AuditEntry, KEY_USES } from '@rampart/contracts';
import { type AccessReport, startAccessReports } from './access-reports.js';
import { LogUnavailableError } from './log-errors.js';
import { MemoryEventLog } from './memory-event-log.js';

const entry: AuditEntry = {
  ...{ atUs: 1, service: 'analysis', outcome: 'denied', actor: null, role: null, project: null, environment: null },
  ...{ action: 'GET /v1/metrics', target: {}, status: 401, code: 'key-missing', requestId: 'r', address: null, count: 2 },
};

/** Gives what it is given, once. */
const sourceOf = (report: AccessReport) => {
  let left = report;
  return {
    take: () => {
      const taken = left;
      left = { uses: [], entries: [] };
      return taken;
    },
    giveBack: (back: AccessReport) => {
      left = back;
    },
  };
};

const told = async (log: MemoryEventLog, topic: string): Promise<unknown[]> => {
  const found: unknown[] = [];
  for await (const { key, value } of log.readAll(topic)) found.push([key, JSON.parse(Buffer.from(value ?? []).toString('utf8'))]);
  return found;
};

describe('what a service noted about its callers', () => {
  it('is in the log when it has ended', async () => {
    const log = new MemoryEventLog();
    await startAccessReports(log, sourceOf({ uses: [{ key: 'k', atUs: 7 }], entries: [entry] }))();
    expect(await told(log, AUDIT)).toEqual([[null, entry]]);
    expect(await told(log, KEY_USES)).toEqual([['k', { key: 'k', atUs: 7 }]]);
    await log.close();
  });

  it('is told later when the log is away', async () => {
    class AwayOnce extends MemoryEventLog {
      private isAway = true;
      override async append(...args: Parameters<MemoryEventLog['append']>) {
        const wasAway = this.isAway;
        this.isAway = false;
        if (wasAway) throw new LogUnavailableError('away', 1);
        return super.append(...args);
      }
    }
    const log = new AwayOnce();
    const source = sourceOf({ uses: [], entries: [entry] });
    await startAccessReports(log, source)();
    await startAccessReports(log, source)();
    expect(await told(log, AUDIT)).toEqual([[null, entry]]);
    await log.close();
  });
});
