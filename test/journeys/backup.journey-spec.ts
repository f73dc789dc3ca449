import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rampart } from './importer.js';
import { inClickhouse, inPostgres } from './kept.js';
import { decisionsOf, type LiveSetting, recordSaying, resultsOf, send, startLive, stream, visits } from './live.js';
import { eventually, isAlive, type Platform, startPlatform } from './platform.js';
import { isOnKafka, serversOf } from './servers.js';

// The treatment crashes, so that verdicts come and change; everybody buys alike.
const behaviour = {
  buysOneIn: { control: 5, treatment: 5 },
  crashes: (arm: string, index: number) => arm === 'treatment' && index % 20 === 0,
};
const env = { RAMPART_LOOK_INTERVAL_MS: '300' };

const folder = mkdtempSync(join(tmpdir(), 'rampart-backup-'));
const backup = join(folder, 'backup');
const elsewhere = join(folder, 'elsewhere');

let platform: Platform;
let setting: LiveSetting;
/** Of the results as of a moment before the backup. */
let before: { readonly asOf: string; readonly digest: string; readonly records: readonly string[] };
let sent = 0;

/** On Kafka each place has brokers and a PostgreSQL of its own. */
const run = async (data: string, ...args: readonly string[]) => {
  const engines = isOnKafka ? (await serversOf(data)).env : { KAFKA_BROKERS: '' };
  return rampart(args, { RAMPART_DATA: data, ...engines }).ended;
};

interface ReplayReport {
  readonly counts: Readonly<Record<string, number>>;
  readonly records: readonly { readonly id: string; readonly status: string; readonly sentence: string }[];
  readonly rows: readonly { readonly result: { readonly rows: readonly object[] } }[];
}
const replayed = async (...more: readonly string[]): Promise<ReplayReport & { readonly code: number | null }> => {
  const { code, stdout, stderr } = await run(platform.data, 'replay', 'decisions', '--json', ...more);
  if (stdout === '') throw new Error(`replay ended with ${code}: ${stderr}`);
  return { code, ...(JSON.parse(stdout) as ReplayReport) };
};

beforeAll(async () => {
  platform = await startPlatform({ env });
  setting = await startLive(platform);
  let isOver = false;
  const traffic = stream(platform, setting, behaviour, () => isOver);
  await recordSaying(platform, setting, 'no-go');
  const { body } = await resultsOf(platform, setting);
  before = { asOf: body.watermark, digest: '', records: (await decisionsOf(platform, setting)).map(({ id }) => id) };
  before = { ...before, digest: (await resultsOf(platform, setting, before.asOf)).body.evidenceDigest };
  const taken = await run(platform.data, 'backup', backup);
  isOver = true;
  sent = await traffic;
  expect({ ...taken, stdout: '' }).toMatchObject({ code: 0 });
  expect(taken.stdout).toContain('history, log and feedback store as of one moment');
  const parts = Object.values(platform.processes());
  await platform.stop('SIGKILL');
  await eventually('no part is left', async () => (parts.some(isAlive) ? undefined : true), 10_000);
}, 180_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('a backup that was taken while events came', () => {
  it('is readable by its owner alone', () => {
    for (const file of readdirSync(backup, { recursive: true, encoding: 'utf8' }))
      expect(statSync(join(backup, file)).mode & 0o077).toBe(0);
  });

  it('of which one byte was altered is named before anything is written', async () => {
    const files = readdirSync(backup, { recursive: true, encoding: 'utf8' }).filter(
      (file) => statSync(join(backup, file)).size > 0 && statSync(join(backup, file)).isFile(),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const file of ['manifest.json', join('history', 'control.event.gz'), join('store', 'feedback.feedback.gz'), 'secret']) {
      const damaged = mkdtempSync(join(folder, 'damaged-'));
      cpSync(backup, damaged, { recursive: true });
      const bytes = readFileSync(join(damaged, file));
      const place = bytes.byteLength >> 1;
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
      writeFileSync(join(damaged, file), bytes);
      const { code, stderr } = await run(elsewhere, 'restore', damaged);
      expect([file, code, stderr]).toEqual([file, 1, expect.stringContaining(file)]);
      expect(existsSync(elsewhere)).toBe(false);
    }
  }, 60_000);

  it('goes into no place that is not empty', async () => {
    const { code, stderr } = await run(platform.data, 'restore', backup);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    expect((await run(platform.data, 'restore', join(folder, 'nowhere'))).code).toBe(2);
  }, 60_000);

  it('goes on elsewhere: the same results as of a moment before, every record the same, and what comes counts', async () => {
    const restored = await run(elsewhere, 'restore', backup);
    expect({ code: restored.code, stderr: restored.stderr }).toEqual({ code: 0, stderr: '' });
    platform.remove();
    platform = await startPlatform({ data: elsewhere, env });
    const then = await eventually('the log is read to its end', async () => {
      const { status, body } = await resultsOf(platform, setting, before.asOf);
      return status === 200 ? body : undefined;
    });
    expect(then.evidenceDigest).toBe(before.digest);
    const { code, counts, records } = await replayed();
    expect({ code, same: counts.same }).toEqual({ code: 0, same: records.length });
    expect(records.map(({ id }) => id)).toEqual(expect.arrayContaining([...before.records]));
    const units = async () => (await resultsOf(platform, setting)).body.population.units as number;
    const were = await units();
    await send(platform, setting, visits(setting, sent, sent + 400, behaviour));
    await eventually('new units count', async () => ((await units()) >= were + 400 ? true : undefined));
    expect((await replayed()).code).toBe(0);
  }, 180_000);
});

describe('another generation of the log', () => {
  const digestThen = async () => {
    const { status, body } = await resultsOf(platform, setting, before.asOf);
    return status === 200 ? (body.evidenceDigest as string) : undefined;
  };

  it('is refused while the platform runs', async () => {
    const { code, stderr } = await run(platform.data, 'generation', '--partitions', '6');
    expect([code, stderr]).toEqual([1, expect.stringContaining('stop it first')]);
  });

  it('has more partitions; no sum changes, nothing is lost on the way, and what is sent again counts once', async () => {
    const rows = async () =>
      Number(await inClickhouse(platform, 'SELECT (SELECT count() FROM exposure FINAL) + (SELECT count() FROM feedback FINAL)'));
    const were = await rows();
    // A client that goes on: what the platform does not take, it sends again.
    const mine = visits(setting, 100_000, 101_000, behaviour);
    const address = new URL(platform.address);
    let isStopped = false;
    let failed = 0;
    const persistent = (async () => {
      for (let at = 0; at < mine.length; ) {
        const taken = await send(platform, setting, mine.slice(at, at + 100)).then(
          () => true,
          () => false,
        );
        if (taken) at += 100;
        else failed += 1;
        // The rest comes while nobody is there, and goes on coming.
        while (at >= 300 && !isStopped) await sleep(20);
        if (!taken) await sleep(100);
      }
    })();
    await eventually('some of it is taken', async () => ((await rows()) > were ? true : undefined));
    await platform.stop();
    isStopped = true;
    const grown = await run(platform.data, 'generation', '--partitions', '6');
    expect({ code: grown.code, stderr: grown.stderr }).toEqual({ code: 0, stderr: '' });
    expect(grown.stdout).toContain('generation 1 with 6 partitions (before: 4)');
    // The data folder knows the number.
    platform = await startPlatform({ data: elsewhere, port: Number(address.port), env });
    await persistent;
    expect(failed).toBeGreaterThan(0);
    // Again, over other partitions than some of it came by.
    await send(platform, setting, mine);
    await eventually('all of them count once', async () => ((await rows()) === were + mine.length ? true : undefined));
    // Known only once every partition of the new generation has said so.
    expect(await eventually('the moment is known again', digestThen)).toBe(before.digest);
    expect((await platform.call('GET', '/v1/analysis/freshness')).body.partitions).toHaveLength(7);
    const { code, counts, records } = await replayed();
    expect({ code, same: counts.same }).toEqual({ code: 0, same: records.length });
  }, 120_000);
});

describe('a replay of all records', () => {
  it('says the same after a rebuild of everything', async () => {
    const rebuilt = await run(platform.data, 'rebuild');
    expect({ code: rebuilt.code, stdout: rebuilt.stdout }).toEqual({ code: 0, stdout: expect.stringContaining('was filled anew') });
    const { code, counts, records } = await replayed();
    expect({ code, same: counts.same }).toEqual({ code: 0, same: records.length });
  }, 120_000);

  it('names a record that was altered in the history', async () => {
    const [last] = await inPostgres(
      platform,
      `select position, data, data->'record'->>'id' as id from control.event where type = 'DecisionRecorded' order by position desc limit 1`,
    );
    const { position, data, id } = last as { position: string; data: unknown; id: string };
    const write = (value: unknown) =>
      inPostgres(platform, `update control.event set data = $1::jsonb where position = $2`, [JSON.stringify(value), position]);
    await inPostgres(
      platform,
      `update control.event set data = jsonb_set(data, '{record,verdict,sentence}', '"all is well"') where position = $1`,
      [position],
    );
    const { code, records } = await replayed();
    expect(code).toBe(1);
    expect(records.filter(({ status }) => status !== 'same')).toEqual([
      expect.objectContaining({ id, status: 'altered', sentence: expect.stringContaining('another record') }),
    ]);
    await write(data);
    expect((await replayed()).code).toBe(0);
  }, 60_000);

  it('names the records over an altered row, which numbers it moved, and the row', async () => {
    // The first unit that came: every record knows it that knows anybody.
    const found = await inClickhouse(
      platform,
      'SELECT toString(unit), toString(id_hash), variant FROM exposure ORDER BY known_at, unit LIMIT 1',
    );
    const [unit, id, variant] = found.split('\t');
    const row = `unit = toUInt128('${unit}') AND id_hash = toUInt128('${id}')`;
    const other = variant === 'control' ? 'treatment' : 'control';
    await inClickhouse(platform, `ALTER TABLE exposure UPDATE variant = '${other}' WHERE ${row} SETTINGS mutations_sync = 1`);
    const { records, rows } = await replayed('--experiment', setting.experiment);
    const differing: string[] = [];
    for (const { id: record, status, sentence } of records) {
      const { body } = await platform.call('GET', `/v1/decisions/${record}?project=${setting.project}`);
      // On a busy machine the first look comes before the first event.
      const isAbout = body.record.population.some(({ exposed }: { exposed: number }) => exposed > 0);
      expect({ record, status }).toEqual({ record, status: isAbout ? 'differs' : 'same' });
      if (isAbout) differing.push(sentence);
    }
    expect(differing.length).toBeGreaterThan(0);
    for (const sentence of differing) expect(sentence).toMatch(/of (control|treatment): \w+ was \S+, is \S+/);
    expect(rows).toMatchObject([{ experiment: setting.experiment, result: { hasMore: false } }]);
    expect(rows[0]?.result.rows).toMatchObject([
      {
        ...{ kind: 'altered', event: { source: 'live', name: setting.experiment, id: expect.stringContaining(String(variant)) } },
        columns: [{ column: 'variant', store: other, log: variant }],
      },
    ]);
  }, 60_000);
});
