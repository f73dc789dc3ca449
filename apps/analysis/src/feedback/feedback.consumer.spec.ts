import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, ERASURES, FEEDBACK, type FeedbackRow, SKIPPED, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { MemoryFeedbackStore, type PlacedRow, type Progress, StoreError } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { requestOf } from './erasures.examples.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { IntakeFigures } from './intake-figures.js';

const row = (id: string, value = '1'): FeedbackRow => ({
  kind: 'metric',
  project: 'shop',
  environment: 'live',
  name: 'buy',
  unitType: 'user',
  unit: '0'.repeat(32),
  source: 'web',
  id,
  at: 1,
  value,
  digest: '0'.repeat(16),
  key: 'k',
});

class Watched extends MemoryFeedbackStore {
  readonly ids = new Set<string>();
  refuses: string | undefined;
  /** So many inserts find it away. */
  away = 0;
  /** So many questions for its progress do. */
  awayForProgress = 0;

  override async progress(topic: string): Promise<readonly Progress[]> {
    if (this.awayForProgress-- > 0) {
      await sleep(20);
      throw new StoreError('away', { retriable: true });
    }
    return super.progress(topic);
  }

  override async insert(rows: readonly PlacedRow[], progress: readonly Progress[]): Promise<void> {
    if (this.away-- > 0) throw new StoreError('away', { retriable: true });
    if (rows.some((placed) => placed.row.id === this.refuses)) throw new StoreError('refused', { retriable: false });
    for (const placed of rows) this.ids.add(placed.row.id);
    await super.insert(rows, progress);
  }
}

let log: MemoryEventLog;
let store: Watched;
let consumer: FeedbackConsumer;

const consumerOf = (of: Watched) => new FeedbackConsumer(log, of, new IntakeFigures(new Metrics('analysis')), createLog('test', 'silent'));

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(2)) await log.createTopic(spec);
  store = new Watched();
  consumer = consumerOf(store);
  await consumer.start('f1');
});

afterEach(async () => {
  await consumer.stop();
  await log.close();
});

const append = (partition: number, ...values: readonly (readonly FeedbackRow[] | string | null)[]) =>
  log.append(
    FEEDBACK,
    values.map((value) => ({ partition, value: value === null || typeof value === 'string' ? value : JSON.stringify(value) })),
  );

const reaches = async (offsets: readonly (number | undefined)[], of: Watched = store): Promise<void> => {
  for (let waited = 0; waited < 500; waited++) {
    const progress = await of.progress(FEEDBACK);
    if (
      offsets.every(
        (offset, partition) => offset === undefined || Number(progress.find((one) => one.partition === partition)?.offset) === offset,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(
    `progress stayed at ${JSON.stringify(await of.progress(FEEDBACK), (_, value) => (typeof value === 'bigint' ? Number(value) : value))}`,
  );
};

const messagesOf = async (topic: string) => {
  const found = [];
  for await (const { key, value } of log.readAll(topic))
    found.push({ key, value: value === null ? null : JSON.parse(Buffer.from(value).toString()) });
  return found;
};

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  for (let waited = 0; waited < 500; waited++) {
    if (await isSo()) return;
    await sleep(10);
  }
  throw new Error('not within five seconds');
};

describe('the consumer of feedback', () => {
  it('stores rows and moves the progress of every partition, by ticks too', async () => {
    await append(0, [row('a'), row('b')], null);
    await append(1, null);
    await reaches([1, 0]);
    expect([...store.ids]).toEqual(['a', 'b']);
  });

  it('sends what it cannot read to the dead letters, and goes on behind it', async () => {
    await append(0, [row('a')], '{"rows":', [row('b')]);
    await reaches([2]);
    expect([...store.ids]).toEqual(['a', 'b']);
    expect((await messagesOf(DEAD_LETTERS)).map(({ value }) => value)).toMatchObject([
      {
        code: 'unreadable-message',
        topic: FEEDBACK,
        position: String(1n << 12n),
        message: `message 0-1 of ${FEEDBACK} (generation 0) is no JSON`,
      },
    ]);
  });

  it('sets a message aside once, however often it is read until the rest of its batch is stored', async () => {
    store.away = 3;
    await append(0, [row('a')], 'nonsense', [row('b')]);
    await reaches([2]);
    await append(0, 'more nonsense');
    await reaches([3]);
    expect((await messagesOf(DEAD_LETTERS)).map(({ value }) => value.message)).toEqual(
      [1, 3].map((offset) => `message 0-${offset} of ${FEEDBACK} (generation 0) is no JSON`),
    );
  });

  it('names a row that the store never takes, and every rebuild leaves it out', async () => {
    store.refuses = 'bad';
    await append(0, [row('a'), row('bad'), row('b')]);
    await reaches([0]);
    expect([...store.ids]).toEqual(['a', 'b']);
    expect((await messagesOf(SKIPPED)).map(({ key }) => key)).toEqual(['feedback.v1/0/1']);

    const anew = new Watched();
    const rebuilding = consumerOf(anew);
    await rebuilding.start('f2');
    await reaches([0], anew);
    expect([...anew.ids]).toEqual(['a', 'b']);
    await rebuilding.stop();
  });

  it('follows what is skipped once, however often it had to be started', async () => {
    let followed = 0;
    const follow = log.follow.bind(log);
    log.follow = (options) => {
      if (options.topic === SKIPPED) followed++;
      return follow(options);
    };
    const other = consumerOf(store);
    store.awayForProgress = 2;
    for (const _ of ['first', 'second']) await expect(other.start('f2')).rejects.toThrow('away');
    await other.start('f2');
    expect(followed).toBe(1);
    await other.stop();
  });

  it('goes on where it stopped', async () => {
    await append(0, [row('a')]);
    await reaches([0]);
    await consumer.stop();
    await append(0, [row('b')]);
    store.ids.clear();
    await consumer.start('f1');
    await reaches([1]);
    expect([...store.ids]).toEqual(['b']);
  });

  it('stores nothing of a unit that was erased in a later generation, in whatever partition that was read before', async () => {
    await consumer.stop();
    await append(0, [row('old'), { ...row('other'), unit: '1'.repeat(32) }]);
    await log.startGeneration(FEEDBACK, { partitions: 3 });
    await append(2, [{ ...row('gone'), kind: 'erasure', name: '' }], [row('anew')]);
    const anew = new Watched();
    // By the second time both partitions were read, whichever came first.
    anew.away = 2;
    const rebuilding = consumerOf(anew);
    await rebuilding.start('f2');
    await reaches([0, undefined, 1], anew);
    expect([...anew.ids].sort()).toEqual(['anew', 'gone', 'other']);
    await rebuilding.stop();
  });

  it('stores nothing of a unit whose erasure another process has read and passed already', async () => {
    await consumer.stop();
    await append(0, [row('old'), { ...row('other'), unit: '1'.repeat(32) }]);
    await log.startGeneration(FEEDBACK, { partitions: 3 });
    const erasure: FeedbackRow = { ...row('gone'), kind: 'erasure', name: '' };
    const [placed] = await append(2, [erasure]);
    const { partition = 2, offset = 0 } = placed ?? {};
    await log.append(ERASURES, [{ partition: 0, key: 'e', value: JSON.stringify(requestOf(partition, offset)) }]);
    const [message] = await log.read({ topic: FEEDBACK, partition, offset, limit: 1 });
    const { position = 0n, knownAtUs = 0 } = message ?? {};
    const shared = new Watched();
    await shared.insert(
      [{ row: erasure, position, knownAtUs, partition }],
      [{ topic: FEEDBACK, partition, generation: 1, offset: BigInt(offset), knownAtUs }],
    );
    shared.ids.clear();
    const filling = consumerOf(shared);
    await filling.start('f2');
    await reaches([0], shared);
    expect([...shared.ids]).toEqual(['other']);
    await filling.stop();
  });

  it('tells how far the store is behind in the partitions that it reads, and nothing of them when it reads none any more', async () => {
    await consumer.stop();
    const metrics = new Metrics('analysis');
    consumer = new FeedbackConsumer(log, store, new IntakeFigures(metrics), createLog('test', 'silent'));
    const told = async () =>
      (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('rampart_feedback_lag_messages{'));
    store.away = Number.POSITIVE_INFINITY;
    await append(1, [row('a')], [row('b')]);
    await consumer.start('f2');
    await until(async () => (await told()).some((line) => line.includes('partition="1"') && line.endsWith(' 2')));
    expect((await told()).find((line) => line.includes('partition="0"'))).toMatch(/ 0$/);
    store.away = 0;
    await reaches([undefined, 1]);
    await until(async () => (await told()).every((line) => line.endsWith(' 0')));
    await consumer.stop();
    expect(await told()).toEqual([]);
  });
});
