import { describe, expect, it, jest } from '@jest/globals';
import { FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { ClickhouseFeedbackViews, type FeedbackStore, MemoryFeedbackStore, StoreError } from '@rampart/feedback-store';
import { AccessJournal, createLog, Metrics, Readiness } from '@rampart/service-kit';
import { DefinitionsLink, LinkedDefinitions } from '../definitions/definitions-link.js';
import { ViewConsumers } from '../ingest-views/view.consumers.js';
import { DecisionLog } from '../looks/decision-log.js';
import { LookFigures } from '../looks/look-figures.js';
import { LookLoop } from '../looks/look-loop.js';
import { LookRound } from '../looks/look-round.js';
import { Proposals } from '../looks/proposals.js';
import { WatchedComparisons } from '../looks/watched-comparisons.js';
import { ErasureConsumer } from './erasure.consumer.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { Intake } from './intake.service.js';
import { IntakeFigures } from './intake-figures.js';
import { StoreMending } from './store-mending.js';
import { StoreRebuild } from './store-rebuild.js';
import { StoredEvidence } from './stored-evidence.js';
import { Watermark } from './watermark.js';

class Unreachable extends MemoryFeedbackStore {
  override async beside(): Promise<FeedbackStore> {
    throw new StoreError('ClickHouse does not answer', { retriable: true });
  }
}

const eventually = async (isSo: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('not within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const lines = createLog('analysis', 'silent');

const looksOf = (log: MemoryEventLog, store: MemoryFeedbackStore, views: ClickhouseFeedbackViews, link: DefinitionsLink) => {
  const evidence = new StoredEvidence(store, views, new Watermark(log, store, link));
  const decisions = new DecisionLog(log);
  const figures = new LookFigures(new Metrics('analysis'));
  const watched = new WatchedComparisons(new LinkedDefinitions(link), evidence, decisions);
  const round = new LookRound(
    log,
    store,
    evidence,
    watched,
    decisions,
    new Proposals(log, decisions, lines),
    new StoreMending(store, lines),
    figures,
    lines,
  );
  return new LookLoop(log, decisions, round, figures, 2_000, lines);
};

const intakeOf = (log: MemoryEventLog, store: MemoryFeedbackStore) => {
  const readiness = new Readiness();
  const views = new ClickhouseFeedbackViews({ url: 'http://127.0.0.1:1' });
  const feedback = new FeedbackConsumer(log, store, new IntakeFigures(new Metrics('analysis')), lines);
  const link = new DefinitionsLink();
  const looks = looksOf(log, store, views, link);
  const rebuilds = new StoreRebuild(log, store, lines);
  const mending = new StoreMending(store, lines);
  const intake = new Intake(
    log,
    store,
    views,
    link,
    feedback,
    new ViewConsumers(log, views, lines),
    looks,
    rebuilds,
    new ErasureConsumer(log, store, lines),
    mending,
    new AccessJournal(),
    readiness,
    1,
    lines,
  );
  return { intake, mending, rebuilds, feedback, isReady: async () => Object.keys(await readiness.reasons()).length === 0 };
};

describe('a process that ends while the store is mended', () => {
  it('closes it when that has ended: a table may be detached', async () => {
    const store = new MemoryFeedbackStore();
    let mended: (sentences: readonly string[]) => void = () => undefined;
    jest.spyOn(store, 'mend').mockImplementation(
      () =>
        new Promise((resolve) => {
          mended = resolve;
        }),
    );
    const close = jest.spyOn(store, 'close');
    const log = new MemoryEventLog();
    for (const spec of topicSpecs(1)) await log.createTopic(spec);
    const { intake, mending, isReady } = intakeOf(log, store);
    intake.onModuleInit();
    await eventually(isReady);
    void mending.mend();
    const ended = intake.onApplicationShutdown();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(close).not.toHaveBeenCalled();
    mended([]);
    await ended;
    expect(close).toHaveBeenCalledTimes(1);
  });
});

describe('a rebuild that the store refuses', () => {
  it('is answered so, and reading goes on', async () => {
    const { intake, isReady } = intakeOf(new MemoryEventLog(), new Unreachable());
    intake.onModuleInit();
    await eventually(isReady);
    await expect(intake.rebuild()).rejects.toThrow('ClickHouse does not answer');
    await eventually(isReady);
    await intake.onApplicationShutdown();
  });
});

describe('a rebuild', () => {
  const row: FeedbackRow = {
    ...({ kind: 'metric', project: 'shop', environment: 'live', name: 'buy', unitType: 'user', source: 'web', id: 'a', key: 'k' } as const),
    ...{ unit: '0'.repeat(32), at: 1, value: '1', digest: '0'.repeat(16) },
  };
  /** Sees what each of its fillings was asked to keep. */
  class Kept extends MemoryFeedbackStore {
    readonly besides: FeedbackStore[] = [];
    override async beside(): Promise<FeedbackStore> {
      const beside = await super.beside();
      this.besides.push(beside);
      return beside;
    }
  }
  const started = async (store: Kept) => {
    const log = new MemoryEventLog();
    for (const spec of topicSpecs(1)) await log.createTopic(spec);
    const append = (id: string) => log.append(FEEDBACK, [{ partition: 0, value: JSON.stringify([{ ...row, id }]) }]);
    for (const id of ['a', 'b', 'c']) await append(id);
    const { intake, isReady, rebuilds } = intakeOf(log, store);
    intake.onModuleInit();
    await eventually(isReady);
    const has = (offset: number) => eventually(async () => Number((await store.progress(FEEDBACK))[0]?.offset) === offset);
    await has(2);
    return { log, intake, rebuilds, isReady, append, has };
  };

  it('fills another store while the old one serves, and changes over when it has everything', async () => {
    const store = new Kept();
    const { intake, rebuilds, isReady, append, has } = await started(store);
    const before = await store.identity();
    const { filling } = await intake.rebuild();
    expect(filling).not.toBe(before);
    await expect(intake.rebuild()).rejects.toMatchObject({ code: 'rebuild-under-way' });
    await append('d');
    await eventually(async () => rebuilds.state().state === 'done');
    expect(await store.identity()).toBe(filling);
    await eventually(isReady);
    await append('e');
    await has(4);
    expect(rebuilds.state()).toMatchObject({ filling, error: null });
    await intake.onApplicationShutdown();
  });

  it('that its process does not live to see leaves the old store as it is', async () => {
    /** Whose filling never comes to an end. */
    class Endless extends Kept {
      override async beside(): Promise<FeedbackStore> {
        const beside = await super.beside();
        beside.progress = async () => [];
        return beside;
      }
    }
    const store = new Endless();
    const { intake, rebuilds } = await started(store);
    const before = await store.identity();
    await intake.rebuild();
    await intake.onApplicationShutdown();
    expect(rebuilds.state()).toMatchObject({ state: 'failed' });
    expect(await store.identity()).toBe(before);
    expect((await store.progress(FEEDBACK))[0]?.offset).toBe(2n);
  });

  it('is refused where the log has lost its beginning: a store that is filled from it would have fewer rows', async () => {
    const store = new Kept();
    const { log, intake } = await started(store);
    await log.dropBefore({ topic: FEEDBACK, partition: 0, offset: 2 });
    await expect(intake.rebuild()).rejects.toMatchObject({ code: 'rebuild-loses-rows' });
    await intake.onApplicationShutdown();
  });

  it('is refused where another process reads a part of the log: that would go on filling the old store', async () => {
    const store = new Kept();
    const { rebuilds, intake } = await started(store);
    await expect(rebuilds.begin({ topic: FEEDBACK, group: 'g', state: 'running', error: undefined, partitions: [] })).rejects.toMatchObject(
      {
        code: 'rebuild-shared',
      },
    );
    expect(store.besides).toEqual([]);
    await intake.onApplicationShutdown();
  });
});

describe('a stop', () => {
  it('does not wait for a log that went away during the start', async () => {
    const log = new MemoryEventLog();
    class Prepared extends MemoryFeedbackStore {
      override async prepare(): Promise<void> {
        log.store.isAway = true;
      }
    }
    const { intake } = intakeOf(log, new Prepared());
    intake.onModuleInit();
    await eventually(async () => log.store.isAway);
    await intake.onApplicationShutdown();
  });
});
