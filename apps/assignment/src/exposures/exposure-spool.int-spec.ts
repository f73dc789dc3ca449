import { execFile } from 'node:child_process';
import { rmSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { eventually, temporaryFolder } from '../running/started-assignment.examples.js';
import { DiskRoom, NoRoom } from './disk-room.js';
import { ErasedUnits, forgetSent } from './erased-units.js';
import { ExposureSpool, SpoolFull } from './exposure-spool.js';
import { SentLately } from './sent-lately.js';
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

describe('a disk that is full', () => {
  /** A process of its own, whose files may have a megabyte: it fills its spool, is given more room, and goes on. Whatever it leaves unheard ends it. */
  const filling = `
    const { ExposureSpool } = await import(process.argv[1]);
    const spool = new ExposureSpool({ folder: process.argv[2], mostRows: 1_000_000 });
    const rows = Array.from({ length: 50 }, () => 'x'.repeat(400));
    let taken = 0;
    const refusals = [];
    while (refusals.length < 20) await spool.add(rows).then(() => { taken += 50; }, (error) => refusals.push(error.message));
    const full = { depth: spool.depth, stored: spool.first(1_000_000).length };
    while (spool.depth > 100) await spool.remove(spool.first(50));
    const waiting = { depth: spool.depth, stored: spool.first(1_000_000).length };
    (await import('node:child_process')).execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);
    const until = Date.now() + 20_000;
    let again = false;
    while (!again && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await spool.remove(spool.first(1));
      again = await spool.add(rows).then(() => true, () => false);
    }
    const left = { depth: spool.depth, stored: spool.first(1_000_000).length };
    await spool.close();
    console.log(JSON.stringify({ taken, full, waiting, left, refusal: refusals[0], again }));
  `;

  it('refuses rows with its reason, keeps those it took, and takes more when there is room; the process lives', async () => {
    const limited = 'trap "" XFSZ; ulimit -S -f 2048; exec "$@"';
    const args = ['--input-type=module', '--eval', filling, new URL('./exposure-spool.js', import.meta.url).href, `${folder}/full`];
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', limited, 'sh', process.execPath, ...args], { timeout: 60_000 });
    const { again, full, left, refusal, taken, waiting } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(taken).toBeGreaterThan(100);
    expect(full).toEqual({ depth: taken, stored: taken });
    expect(refusal).not.toMatch(/see commitError/);
    // The log has the others, though the disk has them still.
    expect(waiting).toEqual({ depth: 100, stored: 100 });
    expect(left.stored).toBe(left.depth);
    // Each is a chance for lmdb to end the process: of twenty refusals all but the first come without asking the disk.
    const asked = stderr.match(/lmdb\/write\.js/g)?.length;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(10);
    expect(again).toBe(true);
  });
});

describe('a disk with less than a reserve', () => {
  it('takes nothing and says how much is missing, and has what the log took removed once there is room', async () => {
    await spool.add(['a', 'b', 'c']);
    const write = spool.room.write.bind(spool.room);
    const without: typeof write = async () => {
      throw new NoRoom('no room');
    };
    const isFull = (full: boolean) => {
      spool.room.write = full ? without : write;
      spool.room.has = () => !full;
    };
    isFull(true);
    await spool.remove(spool.first(2));
    await expect(spool.add(['d'])).rejects.toThrow(NoRoom);
    expect([spool.depth, textsIn(spool)]).toEqual([1, ['c']]);
    isFull(false);
    await spool.add(['e']);
    await spool.remove(spool.first(1));
    expect([spool.depth, textsIn(spool)]).toEqual([1, ['e']]);
    await spool.close();
    spool = openSpool();
    expect([spool.depth, textsIn(spool)]).toEqual([1, ['e']]);
  });

  it('is told by its bytes', async () => {
    const room = new DiskRoom(folder);
    const all = statfsSync(folder);
    await expect(room.write(all.bavail * all.bsize, async () => 'written')).rejects.toThrow(/has \d+ bytes left, and needs \d+/);
    expect(await room.write(10, async () => 'written')).toBe('written');
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

  it('sends no row from before its unit was erased, and what is told of it later', async () => {
    const log = await logOf();
    const erased = new ErasedUnits();
    const about = { project: 'shop', environment: 'production', unit: (7).toString(16).padStart(32, '0') };
    const request = {
      kind: 'request',
      id: 'e1',
      ...about,
      unitType: 'user',
      sealed: null,
      partition: 0,
      offset: 0,
      by: 'k',
      requestedAtUs: 2_000,
    };
    expect(erased.take(Buffer.from(JSON.stringify(request)))?.id).toBe('e1');
    expect(erased.take(Buffer.from(JSON.stringify(request)))).toBeUndefined();
    const forwarder = new SpoolForwarder(spool, log, 2, undefined, erased);
    await spool.add([row(6), row(7), JSON.stringify({ ...JSON.parse(row(7)), id: 'later', at: 2_001 })]);
    forwarder.start();
    await eventually('the spool is empty', async () => (spool.depth === 0 ? true : undefined));
    await forwarder.stop();
    expect((await idsIn(log)).toSorted()).toEqual(['id6', 'later']);
    const lately = new SentLately(10);
    const identities = ['a', 'b'].map((environment) => `shop\0${environment}\0exposure\0e\0${about.unit}`);
    lately.remember(identities, Promise.resolve());
    forgetSent(lately, { ...request, kind: 'request', environment: 'a' });
    expect(identities.map((identity) => lately.find(identity) === undefined)).toEqual([true, false]);
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
