import { execFile } from 'node:child_process';
import { rmSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ErasureRequest, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
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
      Object.defineProperty(spool.room, 'isOpen', { value: !full, configurable: true });
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

  it('has what the log took removed, if there is no room for what is kept instead', async () => {
    const noteOf = (place: number) => ({ place, units: ['u'], offsets: [] });
    await spool.add(['a', 'b']);
    await spool.remove(spool.first(1), noteOf(1));
    const write = spool.room.write.bind(spool.room);
    spool.room.write = (bytes, transaction) => (bytes > 0 ? Promise.reject(new NoRoom('no room')) : write(bytes, transaction));
    await spool.remove(spool.first(1), noteOf(2));
    await spool.close();
    spool = openSpool();
    expect([spool.depth, [...spool.sentBefore()]]).toEqual([0, [noteOf(1)]]);
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

  describe('when a unit is erased', () => {
    const ANN = { project: 'shop', environment: 'production', unit: (7).toString(16).padStart(32, '0') };
    const ASKED_US = 1_700_000_000_000_000;
    const HOUR_US = 3_600_000_000;
    const erasure = (id: string): ErasureRequest => ({
      ...{ kind: 'request', id, ...ANN, unitType: 'user', sealed: null, partition: 0, offset: 0, by: 'k', requestedAtUs: ASKED_US },
    });
    const heard = (erased: ErasedUnits, id = 'e1') => erased.take(Buffer.from(JSON.stringify(erasure(id))));
    const told = (id: string, at: number, n = 7) => JSON.stringify({ ...JSON.parse(row(n)), id, at });
    const sent = async (erased: ErasedUnits): Promise<readonly string[]> => {
      const log = await logOf();
      const forwarder = new SpoolForwarder(spool, log, 2, undefined, erased);
      forwarder.start();
      await eventually('the spool is empty', async () => (spool.depth === 0 ? true : undefined));
      await forwarder.stop();
      return (await idsIn(log)).toSorted();
    };

    it('sends nothing of it that was told before this was heard, and all that is told later, however wrong the clock is', async () => {
      await spool.add([row(6), told('right', ASKED_US - 1), told('ahead', ASKED_US + HOUR_US)]);
      const underWay = spool.add([told('under-way', ASKED_US + HOUR_US)]);
      const erased = new ErasedUnits(spool);
      expect(heard(erased)?.request.id).toBe('e1');
      expect(heard(erased)).toBeUndefined();
      await Promise.all([underWay, spool.add([told('later', ASKED_US + 1), told('behind', ASKED_US - HOUR_US)])]);
      expect(await sent(erased)).toEqual(['behind', 'id6', 'later']);
    });

    it('knows after a restart what was told before and what later, and that an erasure was asked for since', async () => {
      await spool.add([told('before', ASKED_US)]);
      heard(new ErasedUnits(spool));
      await spool.add([told('later', ASKED_US), row(6)]);
      await spool.close();
      spool = openSpool();
      const erased = new ErasedUnits(spool);
      heard(erased);
      expect(spool.first(9).map(({ place, text }) => [JSON.parse(text).id, erased.has(JSON.parse(text), place)])).toEqual([
        ['before', true],
        ['later', false],
        ['id6', false],
      ]);
      heard(erased, 'e2');
      await spool.add([told('last', ASKED_US)]);
      expect(await sent(erased)).toEqual(['id6', 'last']);
    });

    it('sends what is told later though the clock was set back while nothing waited', async () => {
      const now = Date.now;
      try {
        Date.now = () => now() + HOUR_US / 1_000;
        await spool.close();
        spool = openSpool();
        heard(new ErasedUnits(spool));
        await spool.add([row(6)]);
        await spool.remove(spool.first(1));
        await spool.close();
      } finally {
        Date.now = now;
      }
      spool = openSpool();
      const erased = new ErasedUnits(spool);
      heard(erased);
      await spool.add([told('later', ASKED_US)]);
      expect(await sent(erased)).toEqual(['later']);
    });

    it('remembers nothing of it as sent', () => {
      const lately = new SentLately(10);
      const identities = ['production', 'b'].map((environment) => `shop\0${environment}\0exposure\0e\0${ANN.unit}`);
      lately.remember(identities, Promise.resolve());
      forgetSent(lately, erasure('e1'));
      expect(identities.map((identity) => lately.find(identity) === undefined)).toEqual([true, false]);
    });
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
