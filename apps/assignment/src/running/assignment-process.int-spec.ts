import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DEFINITIONS, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { shop } from '../doors/shop.examples.js';
import { basics, eventually, key, PARTITIONS, pseudonym, SECRET, temporaryFolder } from './started-assignment.examples.js';

// Processes are started and killed, on machines that do other things as well.
jest.setTimeout(180_000);

let database: FreshDatabase;
let log: PostgresEventLog;
let folder: string;
let child: ChildProcess;

beforeEach(async () => {
  database = await freshDatabase();
  folder = temporaryFolder();
  log = new PostgresEventLog({ url: database.url });
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  await log.append(DEFINITIONS, [...basics(), ...shop()]);
});
afterEach(async () => {
  child.kill('SIGKILL');
  await log.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const NOWHERE = 'postgres://nobody@127.0.0.1:1/nothing';

/** @returns its address; rejects with what it said when it ends instead */
const listening = (databaseUrl = database.url, more: Readonly<Record<string, string>> = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.js')], {
      env: {
        PATH: process.env.PATH ?? '',
        RAMPART_DATABASE_URL: databaseUrl,
        RAMPART_SECRET: SECRET,
        RAMPART_LOG_PARTITIONS: String(PARTITIONS),
        RAMPART_ASSIGNMENT_FOLDER: folder,
        RAMPART_LOG_LEVEL: 'silent',
        ...more,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stdout?.on('data', (part: Buffer) => {
      const port = /"listening","port":(\d+)/.exec(part.toString())?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    child.stderr?.on('data', (part: Buffer) => {
      errors += part.toString();
    });
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${errors}`)));
  });

const kill = async (): Promise<void> => {
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await ended;
};

interface Told {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a spec reads answers as a client without types would.
  readonly body: any;
}

const ask = async (address: string, path: string, body: unknown): Promise<Told | undefined> => {
  try {
    const headers = { authorization: `Bearer ${key('client')}`, 'content-type': 'application/json' };
    const response = await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined; // it died before it had answered: nobody was told anything
  }
};
const flag = (address: string, unit: string, name = 'checkout') =>
  ask(address, `/ofrep/v1/evaluate/flags/${name}`, { context: { targetingKey: unit } });
const ready = (address: string) =>
  eventually('it answers', async () => ((await fetch(`${address}/readyz`)).status === 200 ? true : undefined), 60_000);
// biome-ignore lint/suspicious/noExplicitAny: as above.
const get = async (address: string, path: string): Promise<any> =>
  (await fetch(`${address}${path}`, { headers: { authorization: `Bearer ${key('reads')}` } })).json();

const exposed = async (): Promise<ReadonlyMap<string, number>> => {
  const units = new Map<string, number>();
  for await (const { value } of log.readAll(FEEDBACK)) {
    if (value === null) continue;
    for (const { id, unit } of JSON.parse(Buffer.from(value).toString()) as FeedbackRow[])
      units.set(`${unit} ${id}`, (units.get(`${unit} ${id}`) ?? 0) + 1);
  }
  return units;
};

/** Asks for one unit after the other on several connections until told to stop. @returns who was told its variant */
const asking = (address: string, name: string) => {
  const told: string[] = [];
  let isOver = false;
  const worker = async (place: number) => {
    for (let n = 0; !isOver; n += 1) {
      const unit = `${name}-${place}-${n}`;
      const answer = await flag(address, unit);
      if (answer === undefined) return;
      if (answer.status === 200 && answer.body.reason === 'SPLIT') told.push(unit);
    }
  };
  const done = Promise.all(Array.from({ length: 8 }, (_, place) => worker(place)));
  return {
    told,
    stop: async () => {
      isOver = true;
      await done;
    },
  };
};

const everybodyIn = (told: readonly string[]) =>
  eventually(
    'everybody who was told is in the log',
    async () => {
      const units = new Set([...(await exposed()).keys()].map((one) => one.split(' ')[0]));
      return told.every((unit) => units.has(pseudonym(unit))) ? true : undefined;
    },
    60_000,
  );

describe('assignment killed while it answers', () => {
  it('has told nobody a variant of which the log does not hear', async () => {
    const told: string[] = [];
    for (const round of ['first', 'second']) {
      const address = await listening();
      await ready(address);
      const load = asking(address, round);
      await eventually('some were told', async () => (load.told.length > 100 ? true : undefined), 60_000);
      await kill();
      await load.stop();
      told.push(...load.told);
    }
    const address = await listening();
    await ready(address);
    await everybodyIn(told);
  });

  it('while the log is away, and started again without it, still answers, and says so; what it told arrives later', async () => {
    const first = await listening();
    await ready(first);
    await flag(first, 'before');
    await everybodyIn(['before']);
    await kill();

    const without = await listening(NOWHERE, { RAMPART_STALE_AFTER_SECONDS: '2' });
    await ready(without);
    const load = asking(without, 'alone');
    await eventually('some were told without the log', async () => (load.told.length > 100 ? true : undefined), 60_000);
    const stale = await eventually('it is called stale', async () => {
      const answer = await flag(without, 'stale');
      return answer?.body.metadata.reason === 'STALE' ? answer.body : undefined;
    });
    expect(stale).toMatchObject({ reason: 'SPLIT', metadata: { ageSeconds: expect.any(Number), experiment: 'faster-checkout' } });
    const readiness = await get(without, '/readyz');
    expect(readiness).toMatchObject({ status: 'ready', notes: { definitions: expect.stringMatching(/^stale/), log: expect.any(String) } });
    const { definitions, spool } = await get(without, '/v1/evaluate/freshness');
    expect(definitions.isStale).toBe(true);
    expect(spool.rows).toBeGreaterThan(100);
    await kill();
    await load.stop();

    const again = await listening();
    await ready(again);
    await everybodyIn(load.told);
    await eventually('the spool is empty', async () => ((await get(again, '/v1/evaluate/freshness')).spool.rows === 0 ? true : undefined));
  });

  it('answers every unit as before, from what it kept on disk', async () => {
    const first = await listening();
    await ready(first);
    const units = Array.from({ length: 50 }, (_, n) => `kept${n}`);
    const answers = async (address: string) =>
      Promise.all(
        units.map(async (unit) => {
          const all = await ask(address, '/ofrep/v1/evaluate/flags', { context: { targetingKey: unit, country: 'DE' } });
          return all?.body.flags.map(({ key: name, value, variant }: Record<string, unknown>) => [name, value, variant]);
        }),
      );
    const before = await answers(first);
    await kill();
    const without = await listening(NOWHERE);
    await ready(without);
    expect(await answers(without)).toEqual(before);
  });
});

describe('assignment that is asked to stop', () => {
  it('ends in good order within ten seconds, also while the log is away', async () => {
    for (const databaseUrl of [database.url, NOWHERE]) {
      const address = await listening(databaseUrl);
      await ready(address);
      await flag(address, `stopping ${databaseUrl}`);
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
  });
});

describe('a spool that is full', () => {
  it('lets evaluation go on, and says loudly what is lost', async () => {
    const first = await listening();
    await ready(first);
    await kill();
    const without = await listening(NOWHERE, { RAMPART_SPOOL_ROWS: '50' });
    await ready(without);
    const told = await Promise.all(Array.from({ length: 120 }, (_, n) => flag(without, `full${n}`)));
    expect(told.every((answer) => answer?.status === 200 && answer.body.value !== undefined)).toBe(true);
    const { spool } = await get(without, '/v1/evaluate/freshness');
    expect(spool.rows).toBeLessThanOrEqual(50);
    expect(spool.rows + spool.dropped).toBe(120);
    expect((await get(without, '/readyz')).notes.exposures).toMatch(/exposures were answered and not kept.*of 50 at most/);
    const metrics = await (await fetch(`${without}/metrics`)).text();
    expect(metrics).toMatch(new RegExp(`rampart_assignment_exposures_dropped_total\\{[^}]*\\} ${spool.dropped}`));
    // A tag would keep the unit from ever being counted.
    const all = await fetch(`${without}/ofrep/v1/evaluate/flags`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key('client')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ context: { targetingKey: 'nobody yet' } }),
    });
    expect([all.status, all.headers.get('etag')]).toEqual([200, null]);
  });
});
