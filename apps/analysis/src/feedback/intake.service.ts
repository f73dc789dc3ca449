/** Ties the service to log and store: begins when both are there, changes over to a rebuilt store, ends in good order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { topicSpecs } from '@rampart/contracts';
import { EventLog, startAccessReports } from '@rampart/event-log';
import { FeedbackStore, FeedbackViews } from '@rampart/feedback-store';
import { AccessJournal, LOG, type Log, Readiness } from '@rampart/service-kit';
import { DefinitionsLink } from '../definitions/definitions-link.js';
import { ViewConsumers } from '../ingest-views/view.consumers.js';
import { LookLoop } from '../looks/look-loop.js';
import { ErasureConsumer } from './erasure.consumer.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { StoreMending } from './store-mending.js';
import { type FilledBeside, StoreRebuild } from './store-rebuild.js';

/** Well within the eight minutes for which ClickHouse keeps what parts were merged from. */
const MEND_EVERY_MS = 3_000;

const retry = { firstMs: 100, maxMs: 2_000 };

/** Partitions of `feedback.v1`, by configuration. */
export const PARTITIONS = 'analysis:partitions';

@Injectable()
export class Intake implements OnModuleInit, OnApplicationShutdown {
  private trouble: string | undefined = 'log and store were not reached yet';
  private readonly stopping = new AbortController();
  private inHand: Promise<unknown> = Promise.resolve();
  private endReports: (() => Promise<void>) | undefined;
  private mendingTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    private readonly views: FeedbackViews,
    private readonly link: DefinitionsLink,
    private readonly feedback: FeedbackConsumer,
    private readonly viewConsumers: ViewConsumers,
    private readonly looks: LookLoop,
    private readonly rebuilds: StoreRebuild,
    private readonly erasures: ErasureConsumer,
    private readonly mending: StoreMending,
    private readonly journal: AccessJournal,
    readiness: Readiness,
    @Inject(PARTITIONS) private readonly partitions: number,
    @Inject(LOG) private readonly lines: Log,
  ) {
    readiness.add('definitions', () => this.link.trouble());
    readiness.add('feedback', () => this.trouble ?? this.feedback.trouble());
    readiness.add('ingest views', () => this.viewConsumers.trouble());
    readiness.add('looks', () => this.looks.trouble());
    readiness.add('store', async () => {
      await this.store.identity();
      return undefined;
    });
    // Ready all the same: who is not can't be told to fill the store anew.
    readiness.note('damage', () => this.mending.damage);
  }

  onModuleInit(): void {
    // Not awaited: a service that waits for its log is alive and says so. A refusal ends the process with its sentence.
    this.inHand = this.start();
    void this.inHand;
  }

  /**
   * Fills another store from the log's beginning while this one serves; when it has everything, it takes its place. Returns when reading has begun.
   * @throws DomainError rebuild-under-way, rebuild-shared
   */
  async rebuild(): Promise<{ readonly filling: string }> {
    await this.inHand;
    const { filling, filled } = await this.rebuilds.begin(this.feedback.stats());
    const changed = filled.then((beside) => {
      // Whatever it fails at: reading goes on as soon as it can.
      this.inHand = this.inHand.then(() => this.changeOver(beside)).catch(() => this.start());
      return this.inHand;
    });
    changed.catch(() => undefined);
    return { filling };
  }

  /** Results are answered meanwhile; only the watermark stands for a moment. */
  private async changeOver(beside: FilledBeside): Promise<void> {
    await this.stopReading();
    try {
      await beside.takeOver();
    } catch (err) {
      this.lines.error({ err }, 'the rebuilt store could not take over: the old one serves on');
      // Its views may be gone already.
      await this.store.prepare();
    }
    await this.startReading();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.inHand.catch(() => undefined);
    await this.rebuilds.abandon();
    await this.stopReading();
    await this.link.close();
    await this.endReports?.();
    await this.log.close();
    await Promise.all([this.store.close(), this.views.close()]);
  }

  private async start(): Promise<void> {
    for (let attempt = 0; !this.stopping.signal.aborted; attempt += 1) {
      try {
        await Promise.all([this.reachLog(), this.store.prepare()]);
        await this.startReading();
        return;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        if ((error as { retriable?: unknown }).retriable === false) throw error;
        this.trouble = error instanceof Error ? error.message : String(error);
        this.lines.warn({ trouble: this.trouble }, 'waiting for log and store');
        const pauseMs = Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(attempt, 10));
        await sleep(pauseMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  private async reachLog(): Promise<void> {
    // All at once: one after the other they were half of a restart's wait.
    await Promise.all(topicSpecs(this.partitions).map((spec) => this.log.createTopic(spec)));
    this.link.start(this.log);
    this.endReports ??= startAccessReports(this.log, this.journal);
  }

  private async startReading(): Promise<string> {
    const filling = await this.store.identity();
    // They read past decisions first, which takes its time.
    this.looks.start();
    await this.feedback.start(filling, this.stopping.signal);
    this.viewConsumers.start(filling);
    this.erasures.start();
    this.mendingTimer ??= setInterval(() => void this.mending.mend(), MEND_EVERY_MS).unref();
    this.trouble = undefined;
    return filling;
  }

  private async stopReading(): Promise<void> {
    this.trouble = 'feedback is not read at the moment';
    clearInterval(this.mendingTimer);
    this.mendingTimer = undefined;
    await Promise.all([this.feedback.stop(), this.viewConsumers.stop(), this.looks.stop(), this.erasures.stop()]);
    await this.mending.settled();
  }
}
