import { describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { ClickhouseFeedbackViews, MemoryFeedbackStore, StoreError } from '@rampart/feedback-store';
import { AccessJournal, createLog, Metrics, Readiness } from '@rampart/service-kit';
import { DefinitionsLink, LinkedDefinitions } from '../definitions/definitions-link.js';
import { ViewConsumers } from '../ingest-views/view.consumers.js';
import { DecisionLog } from '../looks/decision-log.js';
import { LookFigures } from '../looks/look-figures.js';
import { LookLoop } from '../looks/look-loop.js';
import { LookRound } from '../looks/look-round.js';
import { Proposals } from '../looks/proposals.js';
import { WatchedComparisons } from '../looks/watched-comparisons.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { Intake } from './intake.service.js';
import { IntakeFigures } from './intake-figures.js';
import { StoredEvidence } from './stored-evidence.js';
import { Watermark } from './watermark.js';

class Unreachable extends MemoryFeedbackStore {
  override async reset(): Promise<void> {
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
  const round = new LookRound(log, store, evidence, watched, decisions, new Proposals(log, decisions, lines), figures, lines);
  return new LookLoop(log, decisions, round, figures, 2_000, lines);
};

const intakeOf = (log: MemoryEventLog, store: MemoryFeedbackStore) => {
  const readiness = new Readiness();
  const views = new ClickhouseFeedbackViews({ url: 'http://127.0.0.1:1' });
  const feedback = new FeedbackConsumer(log, store, new IntakeFigures(new Metrics('analysis')), lines);
  const link = new DefinitionsLink();
  const looks = looksOf(log, store, views, link);
  const intake = new Intake(
    log,
    store,
    views,
    link,
    feedback,
    new ViewConsumers(log, views, lines),
    looks,
    new AccessJournal(),
    readiness,
    1,
    lines,
  );
  return { intake, isReady: async () => Object.keys(await readiness.reasons()).length === 0 };
};

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
