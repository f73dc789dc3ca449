import { describe, expect, it } from '@jest/globals';
import { DECISIONS, type DecisionRecord } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { type ComparisonSums, neededSinceUs } from '@rampart/feedback-store';
import { concluded, converted, definitionOf, onDay, ones } from '../figures/conclusion.examples.js';
import { exampleComparison } from '../figures/figures.examples.js';
import { EvidenceOf } from '../results/evidence.examples.js';
import { DecisionLog } from './decision-log.js';
import { ENGINE } from './engine.js';
import { recordedQuery } from './record-recount.js';
import { recordOf } from './records.js';
import { ReplayService } from './replay.service.js';

const boughtOn = (day: number) => [[ones(5000, 500)], [ones(5000, 500 + day)]];

/** A chain, a record a day: the treatment's buyers are one more each day. */
const chain = (experiment: string, days: readonly number[]): readonly DecisionRecord[] => {
  const records: DecisionRecord[] = [];
  for (const day of days) {
    const example = { metrics: [converted], experiment: { key: experiment } };
    const { environment, experiment: defined, version, state, metrics } = definitionOf(example);
    if (state === null) throw new Error('the example runs');
    const knownUntilUs = onDay(day);
    const conclusion = concluded({ ...example, cells: boughtOn(day), knownUntilUs, latchedBefore: records.at(-1)?.latched ?? [] });
    records.push(
      recordOf({
        place: { project: 'shop', environment: environment.key, experiment, comparison: 1, stage: null },
        policy: defined.policy,
        cause: 'daily',
        previous: records.at(-1)?.id ?? null,
        knownUntilUs,
        definition: { environment, experiment: defined, version, state, metrics },
        seenEvents: new Set([experiment, 'converted']),
        conclusion,
        engine: ENGINE,
      }),
    );
  }
  return records;
};

const sumsAt = (knownUntilUs: number): ComparisonSums => exampleComparison(boughtOn(Math.round((knownUntilUs - onDay(0)) / onDay(1))));

const serviceOver = async (records: readonly DecisionRecord[], stored: Partial<ConstructorParameters<typeof EvidenceOf>[0]> = {}) => {
  const log = new MemoryEventLog();
  await log.createTopic({ topic: DECISIONS, partitions: 1, compacted: false });
  await log.append(
    DECISIONS,
    records.map((record, index) => ({
      partition: 0,
      value: JSON.stringify({ record, recordedAtUs: record.knownUntilUs + 1, revision: index + 1 }),
    })),
  );
  const decisions = new DecisionLog(log);
  decisions.start();
  const service = new ReplayService(decisions, new EvidenceOf({ watermarkUs: onDay(100), sumsAt, ...stored }));
  return { service, log, close: () => decisions.close() };
};

const days = [2, 3, 4, 5, 6];
const all = { after: null, limit: 50 };

describe('a replay of all records', () => {
  it('finds a record that the list told of a moment before the log has it', async () => {
    const [record] = chain('late', [2]);
    if (record === undefined) throw new Error('one record');
    const { service, log, close } = await serviceOver([]);
    const asked = service.replay('shop', record.id);
    await new Promise((resolve) => setTimeout(resolve, 120));
    await log.append(DECISIONS, [{ partition: 0, value: JSON.stringify({ record, recordedAtUs: record.knownUntilUs + 1, revision: 1 }) }]);
    expect(await asked).toMatchObject({ evidence: { same: true } });
    await expect(service.replay('shop', 'no id of a record')).rejects.toMatchObject({ code: 'decision-not-found' });
    await close();
  });

  it('says the same of those whose rows and rules are the same', async () => {
    const { service, close } = await serviceOver(chain('button', days));
    const { items, next, total, unreadable } = await service.replayAll(all);
    expect(items.map(({ status }) => status)).toEqual(days.map(() => 'same'));
    expect({ next, total, unreadable }).toEqual({ next: null, total: 5, unreadable: 0 });
    await close();
  });

  it('goes through them page by page, in the order in which they were appended', async () => {
    const records = [...chain('button', days), ...chain('menu', [3, 9])];
    const { service, close } = await serviceOver(records);
    const found: string[] = [];
    let after: string | null = null;
    do {
      const page = await service.replayAll({ after, limit: 3 });
      found.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    expect(found).toEqual(records.map(({ id }) => id));
    await expect(service.replayAll({ after: 'f'.repeat(64), limit: 3 })).rejects.toThrow('begin without after');
    await close();
  });

  it('is of those that are asked for', async () => {
    const { service, close } = await serviceOver([...chain('button', days), ...chain('menu', [3, 9])]);
    const count = async (filter: object) => (await service.replayAll({ ...all, ...filter })).total;
    expect(await count({ experiment: 'menu' })).toBe(2);
    expect(await count({ sinceUs: onDay(5) })).toBe(3);
    expect(await count({ project: 'other' })).toBe(0);
    await close();
  });

  it('names the record over whose rows other sums come out, and which', async () => {
    const { service, close } = await serviceOver(chain('button', days), {
      sumsAt: (atUs) => (atUs === onDay(4) ? exampleComparison(boughtOn(5)) : sumsAt(atUs)),
    });
    const { items } = await service.replayAll(all);
    expect(items.map(({ status }) => status)).toEqual(['same', 'same', 'differs', 'same', 'same']);
    expect(items[2]?.sentence).toContain('converted of B: sum was 504000000, is 505000000');
    expect(items[2]?.differences).toContainEqual(expect.objectContaining({ metric: 'converted', field: 'sum', recounted: '505000000' }));
    await close();
  });

  it('names a record that was altered, also one that nobody can judge any more', async () => {
    const records = chain('button', days);
    const altered = records.map((record, index) => {
      if (index === 1) return { ...record, cause: 'verdict' as const };
      if (index === 3) return { ...record, definition: { ...record.definition, metrics: [] }, seenEvents: null as never };
      return record;
    });
    const { service, close } = await serviceOver(altered);
    const { items } = await service.replayAll(all);
    expect(items.map(({ status }) => status)).toEqual(['same', 'altered', 'same', 'altered', 'same']);
    expect(items[1]?.sentence).toContain('seal');
    await close();
  });

  it('names a record whose predecessor was taken out', async () => {
    const [first, , ...others] = chain('button', days);
    const { service, close } = await serviceOver([first, ...others].filter((one) => one !== undefined));
    const { items } = await service.replayAll(all);
    expect(items.map(({ status }) => status)).toEqual(['same', 'altered', 'same', 'same']);
    expect(items[1]?.sentence).toContain('does not continue the record before it');
    await close();
  });

  it('says of what the store does not have yet that it can’t be recounted, and why', async () => {
    const { service, close } = await serviceOver(chain('button', days), { watermarkUs: onDay(4) });
    const { items } = await service.replayAll(all);
    expect(items.map(({ status, code }) => [status, code])).toEqual([
      ...days.slice(0, 3).map(() => ['same', null]),
      ...days.slice(3).map(() => ['not-recountable', 'watermark-behind']),
    ]);
    await close();
  });

  it('says of what reads rows that were removed that it can’t be recounted any more, and nothing else', async () => {
    const records = chain('button', days);
    const [first] = records;
    if (first === undefined) throw new Error('there are five');
    const neededUs = neededSinceUs(recordedQuery(first));
    const statuses = async (expiredUntilUs: number) => {
      const { service, close } = await serviceOver(records, { expiredUntilUs });
      const { items } = await service.replayAll(all);
      await close();
      return new Set(items.map(({ status, code }) => `${status} ${code}`));
    };
    expect(await statuses(neededUs)).toEqual(new Set(['same null']));
    expect(await statuses(neededUs + 1)).toEqual(new Set(['not-recountable rows-expired']));
  });

  const alterations: readonly (readonly [string, (record: DecisionRecord) => DecisionRecord, string])[] = [
    ['sums', (record) => ({ ...record, sums: record.sums.map((row) => ({ ...row, sum: '1' })) }), 'digests'],
    ['comparison', (record) => ({ ...record, comparison: 2 }), 'continue'],
    ['stage', (record) => ({ ...record, stage: 'half' }), 'id is not'],
    ['policy', (record) => ({ ...record, policy: 'stage' }), 'id is not'],
    ['cause', (record) => ({ ...record, cause: 'verdict' }), 'seal'],
    ['predecessor', (record) => ({ ...record, previous: 'f'.repeat(64) }), 'continue'],
    ['time, to one that never was,', (record) => ({ ...record, knownUntilUs: 1e300 }), 'id is not'],
    ['verdict, so that nobody can judge it,', (record) => ({ ...record, verdict: null as never }), 'judged'],
  ];

  it.each(alterations)('knows a record whose %s was altered, whatever became of its rows', async (_what, alter, why) => {
    const altered = chain('button', days).map((record, index) => (index === 1 ? alter(record) : record));
    const id = altered[1]?.id ?? '';
    for (const stored of [{ expiredUntilUs: onDay(90) }, { watermarkUs: 1 }, { watermarkUs: null }]) {
      const { service, close } = await serviceOver(altered, stored);
      const { items } = await service.replayAll(all);
      expect(items.find((item) => item.id === id)).toMatchObject({ status: 'altered', code: null, sentence: expect.stringContaining(why) });
      expect(items.filter(({ status }) => status === 'not-recountable').length).toBeGreaterThanOrEqual(3);
      expect(await service.replay('shop', id)).toMatchObject({
        ...{ intact: false, sentence: expect.stringContaining('was altered'), engine: { now: ENGINE } },
        ...{ evidence: { same: false, recounted: null }, conclusion: { same: false, recounted: null } },
      });
      await close();
    }
  });

  it('refuses to recount a record that nobody altered and whose rows are gone', async () => {
    const records = chain('button', days);
    const { service, close } = await serviceOver(records, { expiredUntilUs: onDay(90) });
    await expect(service.replay('shop', records[1]?.id ?? '')).rejects.toMatchObject({ code: 'rows-expired' });
    await close();
  });

  it('says of what lost rows to an erasure that it can’t be recounted any more, and calls nothing altered', async () => {
    const { service, close } = await serviceOver(chain('button', days), {
      erasedUnits: 1,
      sumsAt: (atUs) => (atUs === onDay(4) ? exampleComparison(boughtOn(3)) : sumsAt(atUs)),
    });
    const { items } = await service.replayAll(all);
    expect(items.map(({ status, code }) => [status, code])).toEqual(
      days.map((day) => (day === 4 ? ['not-recountable', 'units-erased'] : ['same', null])),
    );
    await close();
  });

  it('ends where the store is away: that is no finding about a record', async () => {
    const away = Object.assign(new Error('ClickHouse does not answer'), { retriable: true });
    const { service, close } = await serviceOver(chain('button', days), {
      sumsAt: () => {
        throw away;
      },
    });
    await expect(service.replayAll(all)).rejects.toBe(away);
    await close();
  });
});
