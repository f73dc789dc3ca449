import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { eventually, temporaryFolder } from '../running/started-assignment.examples.js';
import { ExposureSpool, SpoolFull } from './exposure-spool.js';
import { SpoolForwarder } from './spool-forwarder.js';

let folder: string;
let spool: ExposureSpool;

const openSpool = (mostRows = 1_000) => new ExposureSpool({ folder, mostRows });
const textsIn = (opened: ExposureSpool, limit = 1_000) => opened.first(limit).map(({ text }) => text);

beforeEach(() => {
  folder = temporaryFolder();
  spool = openSpool();
});
afterEach(async () => {
  await spool.close();
  rmSync(folder, { recursive: true, force: true });
});

const row = (n: number): string =>
  JSON.stringify({
    kind: 'exposure',
    ...{ project: 'shop', environment: 'production', name: 'e', unitType: 'user', unit: n.toString(16).padStart(32, '0') },
    ...{
      source: 'rampart/assignment',
      id: `id${n}`,
      at: 1_000 + n,
      variant: 'control',
      segment: 1,
      reason: 'SPLIT',
      digest: 'd',
      key: 'k',
    },
  } satisfies FeedbackRow);

describe('the spool', () => {
  it('has what it was given, in order, when it is opened again', async () => {
    await Promise.all([spool.add(['a', 'b']), spool.add(['c'])]);
    await spool.add(['d']);
    await spool.close();
    spool = openSpool();
    expect([spool.depth, textsIn(spool)]).toEqual([4, ['a', 'b', 'c', 'd']]);
    await spool.add(['e']);
    expect(textsIn(spool)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('lets many requests share one write', async () => {
    const before = spool.environment.getStats() as { lastTxnId: number };
    await Promise.all(Array.from({ length: 500 }, (_, n) => spool.add([`row${n}`])));
    const after = spool.environment.getStats() as { lastTxnId: number };
    expect(spool.depth).toBe(500);
    expect(after.lastTxnId - before.lastTxnId).toBeLessThan(10);
  });

  it('loses only what was removed', async () => {
    await spool.add(['a', 'b', 'c', 'd']);
    await spool.remove(spool.first(2));
    expect([spool.depth, textsIn(spool)]).toEqual([2, ['c', 'd']]);
    await spool.close();
    spool = openSpool();
    expect([spool.depth, textsIn(spool)]).toEqual([2, ['c', 'd']]);
  });

  it('refuses what goes beyond its limit, rows being written included, and takes more when there is room again', async () => {
    await spool.close();
    spool = openSpool(3);
    const given = await Promise.allSettled([spool.add(['a', 'b']), spool.add(['c', 'd']), spool.add(['e'])]);
    expect(given.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(spool.add(['f'])).rejects.toThrow(SpoolFull);
    await spool.remove(spool.first(1));
    await spool.add(['g']);
    expect(textsIn(spool)).toEqual(['b', 'e', 'g']);
  });
});

describe('the forwarder', () => {
  const logOf = async () => {
    const log = new MemoryEventLog();
    for (const spec of topicSpecs(2)) await log.createTopic(spec);
    return log;
  };
  const idsIn = async (log: MemoryEventLog): Promise<readonly string[]> => {
    const ids: string[] = [];
    for await (const { value } of log.readAll(FEEDBACK))
      if (value !== null) ids.push(...(JSON.parse(Buffer.from(value).toString()) as FeedbackRow[]).map(({ id }) => id));
    return ids;
  };

  it('empties the spool into the log, every row of a unit into its partition', async () => {
    const log = await logOf();
    const forwarder = new SpoolForwarder(spool, log, 2);
    await spool.add(Array.from({ length: 50 }, (_, n) => row(n)));
    forwarder.start();
    await spool.add([row(50)]);
    await eventually('the spool is empty', async () => (spool.depth === 0 ? true : undefined));
    await forwarder.stop();
    expect((await idsIn(log)).toSorted()).toEqual(Array.from({ length: 51 }, (_, n) => `id${n}`).toSorted());
    expect(forwarder.forwarded).toBe(51);
  });

  it('keeps every row while the log refuses, says why, and goes on when it takes them', async () => {
    const log = await logOf();
    let isAway = true;
    const forwarder = new SpoolForwarder(
      spool,
      { append: (topic, messages) => (isAway ? Promise.reject(new Error('the log is away')) : log.append(topic, messages)) },
      2,
    );
    forwarder.start();
    await spool.add([row(1), row(2)]);
    await eventually('the trouble is said', async () => (forwarder.trouble() === 'the log is away' ? true : undefined));
    expect(spool.depth).toBe(2);
    isAway = false;
    await eventually('the spool is empty', async () => (spool.depth === 0 ? true : undefined));
    await forwarder.stop();
    expect(forwarder.trouble()).toBeUndefined();
    expect(await idsIn(log)).toEqual(['id1', 'id2']);
  });
});
