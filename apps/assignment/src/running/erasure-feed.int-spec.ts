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

beforeEach(async () => {
  folder = temporaryFolder();
  spool = new ExposureSpool({ folder, mostRows: 1_000 });
  log = new MemoryEventLog();
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  feed = new ErasureFeed(log, spool, { forget: () => undefined }, createLog('test', 'silent'), PARTITIONS);
  opens = Promise.resolve();
  const door = {
    append: async (...sent: Parameters<MemoryEventLog['append']>) => {
      await opens;
      return log.append(...sent);
    },
  };
  forwarder = new SpoolForwarder(spool, door, PARTITIONS, undefined, feed.units, feed.sent);
  await feed.start();
  forwarder.start();
});

afterEach(async () => {
  await forwarder.stop();
  await feed.stop();
  await spool.close();
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

const isDone = () =>
  eventually('this process is done', async () => {
    for await (const { value } of log.readAll(ERASURES)) if (erasureMessageIn(value)?.kind === 'step') return true;
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
  });

  it('is repeated behind what was on its way, and the process is done only then', async () => {
    let open: () => void = () => undefined;
    opens = new Promise((resolve) => {
      open = resolve;
    });
    await tell(ANN, 'told');
    await eventually('it is on its way', async () =>
      feed.sent.hasBehind({ ...ANN, partition: 0, offset: 0 } as ErasureRequest) ? true : undefined,
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
});
