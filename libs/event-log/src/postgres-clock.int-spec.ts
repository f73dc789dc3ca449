import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '@rampart/test-engines';
import pg from 'pg';
import { PostgresEventLog } from './postgres-event-log.js';

const topic = { topic: 'busy-and-idle', partitions: 2, compacted: false };
const other = { topic: 'elsewhere', partitions: 1, compacted: true };

let database: Awaited<ReturnType<typeof freshDatabase>>;
let admin: pg.Client;
let log: PostgresEventLog;

beforeAll(async () => {
  database = await freshDatabase();
  log = new PostgresEventLog({ url: database.url });
  for (const spec of [topic, other]) await log.createTopic(spec);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});

afterAll(async () => {
  await log.close();
  await admin.end();
  await database.drop();
});

const setClock = (at: number) =>
  admin.query(`create or replace function log.now_us() returns bigint language sql volatile as $$ select ${at}::bigint $$`);
const append = (partition: number, count: number, to = topic.topic) =>
  log.append(
    to,
    Array.from({ length: count }, () => ({ partition, key: to === other.topic ? 'k' : null, value: '' })),
  );
const newest = async (name: string, partition: number) =>
  Number(
    (await admin.query('select last_known_us from log.partition where topic = $1 and partition = $2', [name, partition])).rows[0]
      .last_known_us,
  );

describe('a clock of the server that fell back by an hour', () => {
  it('lets no idle partition hold the busy ones back until it has caught up', async () => {
    const noon = 1_800_000_000_000_000;
    await setClock(noon);
    await append(0, 5_000);
    await append(1, 1);
    await append(0, 1, other.topic);
    await setClock(noon - 3_600_000_000);
    await append(0, 5_000);
    const busy = await newest(topic.topic, 0);
    expect(busy).toBe(noon + 9_999);
    // A tick in each of the others: the watermark, their minimum, has passed all that the busy one holds.
    await append(1, 1);
    await append(0, 1, other.topic);
    expect(await newest(topic.topic, 1)).toBeGreaterThanOrEqual(busy);
    expect(await newest(other.topic, 0)).toBeGreaterThanOrEqual(busy);
  });

  it('is believed again as soon as it is ahead', async () => {
    await setClock(1_800_000_001_000_000);
    const [told] = await append(0, 1);
    expect(told?.knownAtUs).toBe(1_800_000_001_000_000);
  });
});
