import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, ERASURES, erasureKey, FEEDBACK, type FeedbackRow, INGEST_STATS, topicSpecs } from '@rampart/contracts';
import { firstKnownAt } from '@rampart/event-log';
import { MemoryEventLog, MemoryStore } from '@rampart/event-log/memory';
import { type Expiry, MemoryFeedbackStore } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { requestOf } from '../feedback/erasures.examples.js';
import { FeedbackConsumer } from '../feedback/feedback.consumer.js';
import { IntakeFigures } from '../feedback/intake-figures.js';
import { definitionOf } from '../figures/conclusion.examples.js';
import { OneDefinition } from '../results/evidence.examples.js';
import { Keeping, type KeepingTimes } from './keeping.service.js';

const DAY = 86_400_000_000;
const HOUR = 3_600_000_000;
/** Of the first message; one a day follows. */
const BEGIN = 1_700_000_000_000_000;
const onDay = (day: number): number => BEGIN + day * DAY;
const lines = createLog('analysis', 'silent');

class Asked extends MemoryFeedbackStore {
  readonly expiries: Expiry[] = [];
  override async expire(expiry: Expiry): Promise<void> {
    this.expiries.push(expiry);
    await super.expire(expiry);
  }
}

const started = (startedAtUs: number, closedAtUs: number | null): DefinitionInForce => {
  const definition = definitionOf({ metrics: [{ input: { key: 'converted', type: 'proportion', windowUs: DAY } }] });
  if (definition.state === null) throw new Error('the example runs');
  const segments = definition.state.segments.map((segment) => ({ ...segment, startedAtUs }));
  return { ...definition, state: { ...definition.state, startedAtUs, segments, closedAtUs } };
};

const row = (id: string): FeedbackRow => ({
  ...({ kind: 'metric', project: 'shop', environment: 'past', name: 'converted', unitType: 'user', source: 'web', key: 'k' } as const),
  ...{ id, unit: '0'.repeat(32), at: 1, value: '1', digest: '0'.repeat(16) },
});

let memory: MemoryStore;
let log: MemoryEventLog;
let store: Asked;
let feedback: FeedbackConsumer;

beforeEach(async () => {
  memory = new MemoryStore();
  log = new MemoryEventLog({ store: memory });
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
  for (let day = 0; day < 100; day++) {
    memory.nowUs = () => onDay(day);
    await log.append(FEEDBACK, [{ partition: 0, value: JSON.stringify([row(`d${day}`)]) }]);
    await log.append(INGEST_STATS, [{ partition: 0, value: '{}' }]);
    await log.append(DEAD_LETTERS, [{ partition: 0, value: '{}' }]);
  }
  memory.nowUs = () => onDay(100);
  store = new Asked();
  feedback = new FeedbackConsumer(log, store, new IntakeFigures(new Metrics('analysis')), lines);
  await feedback.start('f1');
  while (Number((await store.progress(FEEDBACK))[0]?.offset ?? -1) < 99) await new Promise((resolve) => setTimeout(resolve, 5));
});

afterEach(async () => {
  await feedback.stop();
  await log.close();
});

const keeper = (times: Partial<KeepingTimes>, definition: DefinitionInForce = started(onDay(90), null)) =>
  new Keeping(log, store, new OneDefinition(definition), feedback, { counts: 30, letters: 90, ...times }, lines);
const kept = async (times: Partial<KeepingTimes>, definition: DefinitionInForce = started(onDay(90), null)) => {
  await keeper(times, definition).run(onDay(100));
  const begin = async (topic: string) => (await log.offsets(topic))[0]?.earliest;
  return { feedback: await begin(FEEDBACK), counts: await begin(INGEST_STATS), letters: await begin(DEAD_LETTERS) };
};

describe('what is kept', () => {
  it('by default is every row and every message of feedback; counters and letters go after a month and a quarter of a year', async () => {
    expect(await kept({})).toEqual({ feedback: 0, counts: 70, letters: 10 });
    expect(store.expiries).toMatchObject([{ beforeUs: null, countsBeforeUs: onDay(70), lettersBeforeUs: onDay(10) }]);
  });

  it('is no row that is older than was asked for, but those that an open comparison needs', async () => {
    const definition = started(onDay(60), null);
    await kept({ rows: 20 }, definition);
    expect(store.expiries).toMatchObject([{ beforeUs: onDay(80), environments: [{ project: 'shop', environment: 'past' }] }]);
    const [{ open } = { open: [] }] = store.expiries;
    expect(open).toMatchObject([{ experiment: 'button', timeline: [{ fromUs: onDay(60) }] }]);
    const [query] = open;
    // A day before its start, for clocks.
    expect(query === undefined ? null : await store.expiredUntil(query)).toBe(onDay(59));
  });

  it('is nothing more for a comparison that is closed', async () => {
    await kept({ rows: 20 }, started(onDay(60), onDay(70)));
    expect(store.expiries).toMatchObject([{ beforeUs: onDay(80), open: [] }]);
  });

  it('is the log as long as an open comparison needs it', async () => {
    expect(await kept({ rows: 20, log: 30 }, started(onDay(60), null))).toMatchObject({ feedback: 59 });
    expect(await kept({ rows: 20, log: 30 }, started(onDay(60), onDay(70)))).toMatchObject({ feedback: 70 });
  });

  it('is no other message but what the store has read', async () => {
    store.progress = async (topic) => [{ topic, partition: 0, generation: 0, offset: 40n, knownAtUs: onDay(40) }];
    expect(await kept({ rows: 20, log: 30 }, started(onDay(99), null))).toMatchObject({ feedback: 41 });
  });
});

describe('what was erased', () => {
  it('stays so: rows of before that came behind it go at the next round', async () => {
    const erasure: FeedbackRow = { ...row('erasure'), kind: 'erasure', name: '' };
    const [placed] = await log.append(FEEDBACK, [{ partition: 0, value: JSON.stringify([erasure]) }]);
    const request = { ...requestOf(0, placed?.offset ?? 0), environment: 'past', requestedAtUs: onDay(100) };
    await log.append(ERASURES, [{ partition: 0, key: erasureKey(request), value: JSON.stringify(request) }]);
    const storedUpTo = async (offset: number) => {
      while (Number((await store.progress(FEEDBACK))[0]?.offset ?? -1) < offset) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const below = [{ row: erasure, position: 1n << 60n, knownAtUs: 0 }];
    await storedUpTo(100);
    expect(await store.outlived(below)).toEqual([]);
    await store.insert([{ row: row('d7'), position: 7n << 12n, knownAtUs: onDay(7), partition: 0 }], []);
    expect(await store.outlived(below)).toEqual(below);
    const keeping = keeper({});
    for (let round = 0; round < 2; round++) await keeping.run(onDay(100));
    await storedUpTo(101);
    expect(await store.outlived(below)).toEqual([]);
  });
});

describe('erasures that could not be looked at', () => {
  it('keep nothing: old data may be what the disk is full of', async () => {
    log.readAll = () => {
      throw new Error('away');
    };
    expect(await kept({})).toMatchObject({ counts: 70, letters: 10 });
    expect(store.expiries).toHaveLength(1);
  });
});

describe('where a moment lies in a partition', () => {
  it('is its first message that was known then or later', async () => {
    const [bounds] = await log.offsets(FEEDBACK);
    if (bounds === undefined) throw new Error('there is one');
    const at = (us: number) => firstKnownAt(log, FEEDBACK, bounds, us);
    expect(await at(0)).toBe(0);
    expect(await at(onDay(50))).toBe(50);
    expect(await at(onDay(50) + HOUR)).toBe(51);
    expect(await at(onDay(1_000))).toBe(100);
  });
});
