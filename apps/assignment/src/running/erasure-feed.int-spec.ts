import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERASURES, type ErasureRequest, erasureMessageIn, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { messagesOf } from '@rampart/feedback-rows';
import { createLog } from '@rampart/service-kit';
import { ExposureSpool } from '../exposures/exposure-spool.js';
import { SpoolForwarder } from '../exposures/spool-forwarder.js';
import { ErasureFeed } from './erasure-feed.js';
import { eventually, temporaryFolder } from './started-assignment.examples.js';

const PARTITIONS = 2;
const ANN = { project: 'shop', environment: 'production', unitType: 'user', unit: '7'.padStart(32, '0') };
const BEN = { ...ANN, unit: '8'.padStart(32, '0') };

const rowOf = (kind: 'exposure' | 'erasure', who: typeof ANN, id: string): FeedbackRow => ({
  ...{ kind, ...who, name: '', source: 'test', id, at: 1_700_000_000_000_000, digest: '0'.repeat(16), key: 'k' },
});

let folder: string;
let spool: ExposureSpool;
let log: MemoryEventLog;
let feed: ErasureFeed;
let forwarder: SpoolForwarder;
/** What an append of the forwarder waits for. */
let opens: Promise<void>;
/** What its answer waits for. */
let answers: Promise<void>;

/** A life of the process, on the folder of those before. */
const live = async (): Promise<void> => {
  spool = new ExposureSpool({ folder, mostRows: 1_000 });
  feed = new ErasureFeed(log, spool, { forget: () => undefined }, createLog('test', 'silent'), PARTITIONS);
  opens = Promise.resolve();
  answers = Promise.resolve();
  const door = {
    append: async (...sent: Parameters<MemoryEventLog['append']>) => {
      await opens;
      const appended = await log.append(...sent);
      await answers;
      return appended;
    },
  };
  forwarder = new SpoolForwarder(spool, door, PARTITIONS, undefined, feed.units, feed.sent);
  await feed.start();
  forwarder.start();
};

const end = async (): Promise<void> => {
  await forwarder.stop();
  await feed.stop();
  await spool.close();
};

beforeEach(async () => {
  folder = temporaryFolder();
  log = new MemoryEventLog();
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  await live();
});

afterEach(async () => {
  await end();
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

const tell = (who: typeof ANN, id: string) => spool.add([JSON.stringify(rowOf('exposure', who, id))]);
const isSent = () => eventually('the spool is empty', async () => (spool.depth === 0 ? true : undefined));

/** The event of an erasure, which is what has a place in the log; `hear` lets the process know of it. */
const erase = async (who: typeof ANN) => {
  const [placed] = await log.append(FEEDBACK, messagesOf([rowOf('erasure', who, 'asked')], PARTITIONS));
  const { partition = 0, offset = 0 } = placed ?? {};
  const request: ErasureRequest = { kind: 'request', id: 'e1', ...who, sealed: 's', partition, offset, requestedAtUs: 1, by: 'k' };
  return { hear: () => log.append(ERASURES, [{ partition: 0, key: 'e1', value: JSON.stringify(request) }]) };
};

/** @param sinceMs  the life that says so began then */
const isDone = (sinceMs = 0) =>
  eventually('this process is done', async () => {
    for await (const { value } of log.readAll(ERASURES)) {
      const step = erasureMessageIn(value);
      if (step?.kind === 'step' && step.doneAtUs >= sinceMs * 1_000) return true;
    }
    return undefined;
  });

/** What the log has of a unit, in its order. */
const storyOf = async ({ unit }: typeof ANN): Promise<readonly string[]> => {
  const story: string[] = [];
  for await (const { value } of log.readAll(FEEDBACK))
    for (const row of value === null ? [] : (JSON.parse(Buffer.from(value).toString()) as FeedbackRow[]))
      if (row.unit === unit) story.push(row.kind === 'erasure' ? (row.id === 'asked' ? 'erased' : 'erased again') : row.id);
  return story;
};

describe('an erasure that a process of assignment hears of', () => {
  it('is repeated behind what went out after its event', async () => {
    const { hear } = await erase(ANN);
    await Promise.all([tell(ANN, 'told'), tell(BEN, 'other')]);
    await isSent();
    await hear();
    await isDone();
    expect(await storyOf(ANN)).toEqual(['erased', 'told', 'erased again']);
    expect(await storyOf(BEN)).toEqual(['other']);
    // Whoever looks for rows that come late finds both.
    const places: string[] = [];
    for await (const { value } of log.readAll(ERASURES)) {
      const message = erasureMessageIn(value);
      if (message?.kind !== 'repetition') continue;
      const [found] = await log.read({ topic: FEEDBACK, partition: message.partition, offset: message.offset, limit: 1 });
      const [row] = JSON.parse(Buffer.from(found?.value ?? []).toString()) as FeedbackRow[];
      places.push(`${message.id} ${row?.kind} ${row?.unit === ANN.unit}`);
    }
    expect(places).toEqual(['e1 erasure true']);
  });

  it('is repeated behind what was on its way, and the process is done only then', async () => {
    let open: () => void = () => undefined;
    opens = new Promise((resolve) => {
      open = resolve;
    });
    await tell(ANN, 'told');
    await eventually('it is on its way', async () =>
      feed.sent.hasBehind({ ...ANN, partition: 0, offset: 0 } as ErasureRequest, Number.POSITIVE_INFINITY) ? true : undefined,
    );
    const { hear } = await erase(ANN);
    await hear();
    await eventually('it was heard', async () => (feed.units.has(rowOf('exposure', ANN, 'told'), 0) ? true : undefined));
    open();
    await isDone();
    expect(await storyOf(ANN)).toEqual(['erased', 'told', 'erased again']);
  });

  it('is not repeated where all that was told lies before it, nor for what is told later', async () => {
    await tell(ANN, 'told');
    await isSent();
    const { hear } = await erase(ANN);
    await hear();
    await isDone();
    await tell(ANN, 'later');
    await isSent();
    expect(await storyOf(ANN)).toEqual(['told', 'erased', 'later']);
  });

  it('is repeated by the next life behind what the log took before this one could know', async () => {
    const { hear } = await erase(ANN);
    let lose: (error: Error) => void = () => undefined;
    answers = new Promise((_, reject) => {
      lose = reject;
    });
    await tell(ANN, 'told');
    await eventually('the log has it', async () => ((await storyOf(ANN)).includes('told') ? true : undefined));
    opens = new Promise(() => undefined);
    lose(new Error('killed'));
    await end();
    await hear();
    await live();
    await isDone();
    expect(await storyOf(ANN)).toEqual(['erased', 'told', 'erased again']);
  });

  it('is repeated by the next life behind what this one had sent, once, and not behind what is told later', async () => {
    const { hear } = await erase(ANN);
    await Promise.all([tell(ANN, 'told'), tell(BEN, 'other')]);
    await isSent();
    await end();
    await hear();
    await live();
    await isDone();
    const lived = async () => {
      await end();
      const bornAtMs = Date.now();
      await live();
      await isDone(bornAtMs);
    };
    await lived();
    expect(await storyOf(ANN)).toEqual(['erased', 'told', 'erased again']);
    await tell(ANN, 'later');
    await isSent();
    await lived();
    expect(await storyOf(ANN)).toEqual(['erased', 'told', 'erased again', 'later']);
    expect(await storyOf(BEN)).toEqual(['other']);
  });
});
