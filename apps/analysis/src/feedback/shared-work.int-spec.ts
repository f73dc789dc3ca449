import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { ClickhouseFeedbackStore, END_OF_TIME, type FeedbackStore, MemoryFeedbackStore } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { freshDatabase, type OwnClickhouse, ownClickhouse } from '@rampart/test-engines';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { sufficientStatistics } from '../figures/arm-sums.js';
import { evidenceDigest } from '../figures/evidence-digest.js';
import { noDuplicates } from '../figures/figures.examples.js';
import { populationOf } from '../figures/population.js';
import { dirtyHistory, dirtyRows } from '../results/rows.examples.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { IntakeFigures } from './intake-figures.js';

const PARTITIONS = 4;
const UNITS = 600;
const PER_BATCH = 100;

let clickhouse: OwnClickhouse;

beforeAll(async () => {
  clickhouse = await ownClickhouse({ shards: 2 });
}, 90_000);

afterAll(() => clickhouse?.stop());

const evidence = async (store: FeedbackStore) => {
  const query = comparisonQuery(dirtyHistory, END_OF_TIME);
  const sums = await store.sums(query);
  const population = populationOf(dirtyHistory.experiment, sums, noDuplicates);
  const statistics = sufficientStatistics(query.cells, dirtyHistory.metrics, sums);
  return { counted: population.counted, digest: evidenceDigest(dirtyHistory, statistics, population.rows) };
};

/** All of a unit in one partition. */
const messagesOf = (rows: readonly FeedbackRow[]) => {
  const partitionOf = ({ unit }: FeedbackRow) => Number.parseInt(unit.slice(-8), 16) % PARTITIONS;
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    return { partition, value: JSON.stringify(rows.filter((row) => partitionOf(row) === partition)) };
  });
};

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) if (await holds()) return;
  throw new Error(`${what}: not within 30 s`);
};

const storeOf = (shards: number, name: string) =>
  new ClickhouseFeedbackStore(
    shards === 1
      ? { url: clickhouse.url.split(',')[0] ?? '', database: name }
      : { url: clickhouse.url, cluster: clickhouse.cluster, database: name },
  );

/** The same events through so many processes' worth of consumers into so many shards. */
const evidenceFrom = async (workers: number, shards: number) => {
  const database = await freshDatabase();
  const logs = Array.from({ length: workers }, () => new PostgresEventLog({ url: database.url }));
  const store = storeOf(shards, `shared_${workers}_${shards}`);
  const consumers = logs.map(
    (log) => new FeedbackConsumer(log, store, new IntakeFigures(new Metrics('analysis')), createLog('shared work', 'silent')),
  );
  const [log] = logs;
  if (log === undefined) throw new RangeError('no workers');
  try {
    for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
    await store.prepare();
    await Promise.all(consumers.map((consumer) => consumer.start('filled-once')));
    const share = () => consumers.map((consumer) => consumer.stats()?.partitions.length ?? 0);
    await until('the work is shared', () => share().every((partitions) => partitions === PARTITIONS / workers));
    const rows = dirtyRows(UNITS).map(({ row }) => row);
    for (let at = 0; at < rows.length; at += PER_BATCH) await log.append(FEEDBACK, messagesOf(rows.slice(at, at + PER_BATCH)));
    const ends = await log.offsets(FEEDBACK);
    await until('everything is stored', async () => {
      const progress = await store.progress(FEEDBACK);
      return ends.every(({ partition, end }) => Number(progress.find((one) => one.partition === partition)?.offset ?? -1) >= end - 1);
    });
    return { share: share(), ...(await evidence(store)) };
  } finally {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    await Promise.all([store.close(), ...logs.map((one) => one.close())]);
    await database.drop();
  }
};

describe('workers that share the partitions, and shards that share the units', () => {
  it.each([
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 2],
    [4, 1],
    [4, 2],
  ])(
    '%d of the ones, %d of the others: the same evidence',
    async (workers, shards) => {
      const model = new MemoryFeedbackStore();
      await model.insert(dirtyRows(UNITS), []);
      const expected = await evidence(model);
      expect(expected.counted).toBeGreaterThan(UNITS / 2);
      const share = Array.from({ length: workers }, () => PARTITIONS / workers);
      expect(await evidenceFrom(workers, shards)).toEqual({ share, ...expected });
    },
    90_000,
  );
});
