import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from 'kafkajs';
import pg from 'pg';
import { assigned } from './assigned.js';
import { filesWith } from './files-with.js';
import { type LiveSetting, liveEvent, liveExposure, recordSaying, replay, resultsOf, send, startLive, visits } from './live.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';
import { settingsOf } from './twin.js';

/** Nothing else looks like it. */
const ANN = 'ann.forget-me@example.org';
/** As it stands in the paths and queries of requests. */
const ANN_IN_PATH = encodeURIComponent(ANN);
const UNITS = 400;
const RAW = 'feedback.raw.v1';

let platform: Platform;
let setting: LiveSetting;
let isStopped = false;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500', RAMPART_LOG_LEVEL: 'debug' } });
  setting = await startLive(platform, { project: 'shop' });
}, 120_000);

afterAll(async () => {
  if (!isStopped) await platform.stop();
  platform.remove();
}, 60_000);

const at = '?project=shop&environment=production';
const ok = async (method: string, path: string, body?: unknown, allowed: readonly number[] = [200, 201, 202]) => {
  const answer = await platform.call(method, path, body);
  if (!allowed.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};

/** What assignment decides and tells of by itself. */
const defineBag = async (): Promise<void> => {
  const variants = [{ key: 'control' }, { key: 'treatment' }];
  const values = variants.map(({ key }) => ({ key, value: key === 'treatment' }));
  await ok('POST', `/v1/features${at}`, { key: 'bag', name: 'Bag', valueType: 'boolean', defaultVariant: 'control', variants: values });
  await ok('POST', `/v1/experiments${at}`, {
    ...{ key: 'bigger-bag', name: 'Bigger bag', feature: 'bag', assignment: 'rampart', unitType: 'user' },
    ...{ variants, control: 'control', metrics: [{ metric: 'converted', role: 'success' }] },
  });
  await ok('POST', `/v1/experiments/bigger-bag/start${at}`, {});
};

const tailOfAnn = async () => (await ok('GET', `/v1/ingest/tail${at}&unit=${ANN_IN_PATH}`)).rows;

const visitsOfAnn = () => {
  const now = Date.now();
  const bought = liveEvent('purchase', ANN, now + 1, 77.25, `purchase-${ANN}`);
  return [
    { ...liveExposure(setting, ANN, 'treatment', now), id: `seen-${ANN}` },
    { ...bought, data: { ...bought.data, properties: { mail: ANN, page: `/of/${ANN}/bag` } } },
  ];
};

const countedUnits = async (units: number) =>
  eventually(
    `${units} units are counted and final`,
    async () => {
      const { status, body } = await resultsOf(platform, setting);
      const isFinal = (metric: { arms: { n: number }[] }) => metric.arms.reduce((sum, { n }) => sum + n, 0) === units;
      return status === 200 && body.metrics.every(isFinal) ? body : undefined;
    },
    60_000,
  );

const doneErasure = (id: string) =>
  eventually(
    'every store is done',
    async () => {
      const { status, body } = await platform.call('GET', `/v1/erasures/${id}?project=shop`);
      return status === 200 && body.state === 'done' ? body : undefined;
    },
    60_000,
  );

/** Of everything that the platform and what it stands on writes. */
const foldersWith = (): readonly string[] => {
  const { kafka, postgres } = platform.servers?.files ?? {};
  const found = Object.entries({ data: platform.data, kafka, postgres }).flatMap(([name, folder]) =>
    folder === undefined ? [] : filesWith(folder, [ANN, ANN_IN_PATH]).map((file) => `${name}/${file}`),
  );
  return found;
};

const vacuumed = async (): Promise<void> => {
  const isOnKafka = platform.servers !== undefined;
  const client = new pg.Client({ connectionString: settingsOf(platform.processes().experiments ?? 0).RAMPART_DATABASE_URL ?? '' });
  await client.connect();
  try {
    const tables = ['control.event', 'control.catalogue_entry', 'control.audit_entry', 'control.webhook_delivery'];
    if (!isOnKafka) tables.unshift('log.message', 'log.compacted');
    if (!isOnKafka)
      await eventually('no erasure holds the id any more, not even sealed', async () => {
        const requests = await client.query(`select convert_from(value, 'UTF8')::json->>'sealed' as sealed from log.compacted
        where topic = 'erasures.v1' and key not like '%/%'`);
        return requests.rows.length === 2 && requests.rows.every(({ sealed }) => sealed === null) ? true : undefined;
      });
    // As docs/erasing.md says.
    await client.query('alter system set wal_recycle = off');
    await client.query('select pg_reload_conf()');
    for (const table of tables) await client.query(`vacuum (full) ${table}`);
    for (const _ of [1, 2]) {
      await client.query('checkpoint');
      await client.query('select pg_switch_wal()');
    }
    await client.query('checkpoint');
    await client.query('alter system reset wal_recycle');
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
};

/** Nothing where there is no Kafka. */
const kafkaTopics = async (settings: Readonly<Record<string, string>>, topics: readonly string[]): Promise<void> => {
  if (platform.servers === undefined) return;
  const admin = new Kafka({ brokers: platform.servers.brokers.split(','), logLevel: 0 }).admin();
  await admin.connect();
  for (const name of topics) {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] });
    // Of the topic itself: 1. What is told replaces all of them.
    const own = (resources[0]?.configEntries ?? []).filter(({ configSource }) => configSource === 1);
    const all: Record<string, string> = { ...Object.fromEntries(own.map((one) => [one.configName, one.configValue])), ...settings };
    const configEntries = Object.entries(all).map(([key, value]) => ({ name: key, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries }] });
  }
  await admin.disconnect();
};

/** As a service does that writes into Kafka itself. Nothing where there is no Kafka. */
const sendRaw = async (messages: readonly { readonly event: object; readonly partition?: number }[]): Promise<void> => {
  if (platform.servers === undefined) return;
  const producer = new Kafka({ brokers: platform.servers.brokers.split(','), logLevel: 0 }).producer();
  await producer.connect();
  const headers = { 'content-type': 'application/cloudevents+json' };
  const written = messages.map(({ event, ...place }) => ({
    ...place,
    headers,
    value: JSON.stringify({ ...event, writekey: setting.key }),
  }));
  await producer.send({ topic: RAW, acks: -1, messages: written });
  await producer.disconnect();
};

/** From where to where each partition can be read. Nothing where there is no Kafka. */
const rawOffsets = async () => {
  if (platform.servers === undefined) return [];
  const admin = new Kafka({ brokers: platform.servers.brokers.split(','), logLevel: 0 }).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(RAW);
  await admin.disconnect();
  return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
};

describe('a person who is to be forgotten', () => {
  let record: { readonly id: string; readonly knownUntil: string };
  let erasure: string;

  it('was seen, counted in a decision, and named in many places', async () => {
    // Nobody listens there: what it is to be told waits.
    await ok('POST', '/v1/webhooks?project=shop', { key: 'deploys', url: 'http://127.0.0.1:9/' });
    await ok('POST', `/v1/features${at}`, {
      ...{ key: 'colour', name: 'Colour', valueType: 'boolean', defaultVariant: 'off' },
      variants: [
        { key: 'off', value: false },
        { key: 'on', value: true },
      ],
    });
    await ok('PUT', `/v1/overrides/testers${at}`, { key: 'testers', feature: 'colour', variant: 'on', units: [ANN, 'bob'] });
    await ok('POST', `/v1/features/colour/kill${at}`, { reason: `asked for by ${ANN}` });
    await send(platform, setting, [...visitsOfAnn(), ...visits(setting, 0, UNITS, { buysOneIn: { control: 5, treatment: 2 } })]);
    const { key } = setting;
    const unbelieved = [ANN, 'somebody-else'].map((id) => ({
      ...liveEvent('purchase', id, Date.now(), undefined, `purchase-${id}`),
      data: { unit: { type: 'user', id } },
    }));
    expect((await platform.call('POST', '/v1/events', unbelieved, { key })).body).toMatchObject({ accepted: 0, rejected: 2 });
    await platform.call('GET', `/v1/units/user/${ANN_IN_PATH}`, undefined, { key });
    await defineBag();
    await eventually('assignment puts her into an arm', async () => {
      const { reason } = await assigned(platform.address, setting.key, 'bag', ANN);
      return reason === 'SPLIT' ? true : undefined;
    });
    // The broker packs what strangers write, and no search for bytes would find her there.
    await kafkaTopics({ 'compression.type': 'uncompressed' }, [RAW]);
    await sendRaw([{ event: liveEvent('glance', ANN, Date.now(), undefined, `glance-${ANN}`) }]);
    await eventually('what she was told by assignment is stored, and what a service wrote of her itself', async () => {
      const told = JSON.stringify(await tailOfAnn());
      return told.includes('bigger-bag') && (platform.servers === undefined || told.includes('glance')) ? true : undefined;
    });
    record = await recordSaying(platform, setting, 'go');
    await countedUnits(UNITS + 1);
    expect(await replay(platform, setting, record.id)).toMatchObject({ evidence: { same: true }, erasedUnits: 0 });
    expect((await platform.call('GET', `/v1/ingest/dead-letters${at}`)).body.letters).toHaveLength(2);
    const said = await eventually('the audit log has her name', async () => {
      const { items } = await ok('GET', '/v1/audit?limit=200');
      return JSON.stringify(items).includes(ANN) ? items : undefined;
    });
    expect(said.length).toBeGreaterThan(0);
    // What is looked for in the end is found where it is.
    const places =
      platform.servers === undefined ? ['data/clickhouse/', 'data/postgres/'] : ['data/clickhouse/', 'kafka/', `/${RAW}-`, 'postgres/'];
    const found = foldersWith();
    for (const place of places) expect([place, found.some((file) => `/${file}`.includes(place))]).toEqual([place, true]);
  }, 120_000);

  it('is erased though everything that does it is killed meanwhile', async () => {
    expect((await platform.call('DELETE', `/v1/units/user/${ANN_IN_PATH}${at}`, undefined, { key: setting.key })).status).toBe(403);
    // As docs/erasing.md says of Kafka: what stays goes into another file than what goes.
    await kafkaTopics({ 'segment.ms': '1000' }, ['dead-letters.v1', RAW]);
    const answer = await ok('DELETE', `/v1/units/user/${ANN_IN_PATH}${at}`);
    expect(answer).toMatchObject({ state: 'running', unitType: 'user', project: 'shop', environment: 'production' });
    expect(JSON.stringify(answer)).not.toContain(ANN);
    erasure = answer.id;
    for (const part of ['ingestion', 'analysis', 'experiments', 'assignment', 'clickhouse']) await killPart(platform, part);
    const done = await doneErasure(erasure);
    expect(done.stores.map(({ store, state }: { store: string; state: string }) => [store, state])).toEqual([
      ...[
        ['feedback-store', 'done'],
        ['dead-letters', 'done'],
        ['raw-events', 'done'],
        ['control-plane', 'done'],
        ['spools', 'done'],
      ],
    ]);
    await countedUnits(UNITS);
    expect(await tailOfAnn()).toEqual([]);
    // Raw events hold raw ids for as long as they are kept: nobody can read on from there.
    const offsets = await rawOffsets();
    expect(offsets.filter(({ low, high }) => low < high)).toEqual([]);
    expect(offsets.some(({ high }) => high > 0)).toBe(platform.servers !== undefined);
  }, 120_000);

  it('leaves every decision as it was, and says by name that it is missing', async () => {
    const again = await replay(platform, setting, record.id);
    expect(again).toMatchObject({ intact: true, erasedUnits: 1, evidence: { same: false } });
    expect(again.sentence).toMatch(/^1 unit was erased since/);
    const page = await ok('POST', `/v1/decisions/replay${at}`, {});
    const found = page.items.find(({ id }: { id: string }) => id === record.id);
    expect(found).toMatchObject({ status: 'not-recountable', code: 'units-erased' });
    expect((await resultsOf(platform, setting, record.knownUntil)).body.warnings.join()).toContain('1 unit was erased since');
  }, 60_000);

  it('is in no list, letter or line any more; those of others are', async () => {
    const letters = (await ok('GET', `/v1/ingest/dead-letters${at}`)).letters;
    expect(letters).toHaveLength(1);
    expect(letters[0].raw).toContain('somebody-else');
    expect(await ok('GET', `/v1/overrides/testers${at}`)).toMatchObject({ units: ['(erased)', 'bob'] });
    const line = await eventually('the erasure is in the audit log', async () => {
      const { items } = await ok('GET', '/v1/audit?limit=200');
      expect(JSON.stringify(items)).not.toContain(ANN);
      return items.find(({ target }: { target: { erasure?: string } }) => target.erasure === erasure);
    });
    expect(line).toMatchObject({ action: 'DELETE /v1/units/:unitType/:unitId', target: { unitType: 'user' }, outcome: 'done' });
  }, 60_000);

  it('is as unknown after a rebuild, and counts anew when it comes back', async () => {
    await ok('POST', '/v1/analysis/rebuild');
    await countedUnits(UNITS);
    expect((await replay(platform, setting, record.id)).erasedUnits).toBe(1);
    await send(platform, setting, visitsOfAnn());
    await countedUnits(UNITS + 1);
    await doneErasure((await ok('DELETE', `/v1/units/user/${ANN_IN_PATH}${at}`)).id);
    await countedUnits(UNITS);
  }, 120_000);

  it('is in no byte of log, store, spool and database', async () => {
    await vacuumed();
    // Kafka leaves the segment that it writes into until the next event comes behind it.
    const other = (partition: number) => liveEvent('glance', 'somebody-else', Date.now(), undefined, `glance-${partition}`);
    await sendRaw((await rawOffsets()).map(({ partition }) => ({ event: other(partition), partition })));
    await kafkaTopics({ 'min.compaction.lag.ms': '0', 'segment.ms': '1000', 'min.cleanable.dirty.ratio': '0.01' }, ['definitions.v1']);
    await eventually(
      'the engines have removed the files of before',
      async () => (foldersWith().length === 0 ? true : undefined),
      100_000,
    ).catch(() => undefined);
    await platform.stop();
    isStopped = true;
    expect(foldersWith()).toEqual([]);
    for (const text of [ANN, ANN_IN_PATH]) expect(platform.output()).not.toContain(text);
  }, 150_000);
});
