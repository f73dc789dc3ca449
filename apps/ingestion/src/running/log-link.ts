/** The process's tie to the log: topics, definitions, ticks and counts, begun when the log is there and ended in good order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { FEEDBACK, rawTopicSpec, topicSpecs } from '@rampart/contracts';
import {
  DefinitionsReplica,
  EventLog,
  LogError,
  LogUnavailableError,
  startAccessReports,
  startTicks,
  type Ticking,
} from '@rampart/event-log';
import { AccessJournal, LOG, type Log, Readiness } from '@rampart/service-kit';
import { IngestCounters } from './ingest-counters.js';

const RETRY = { firstMs: 100, maxMs: 2_000 };
const FLUSH_EVERY_MS = 1_000;

/** Partitions of `feedback.v1`, by configuration. */
export const PARTITIONS = 'ingestion:partitions';

@Injectable()
export class LogLink implements OnModuleInit, OnApplicationShutdown {
  private replica: DefinitionsReplica | undefined;
  private ticking: Ticking | undefined;
  private flushing: NodeJS.Timeout | undefined;
  private endReports: (() => Promise<void>) | undefined;
  private trouble: string | undefined = 'the log was not reached yet';
  private readonly stopping = new AbortController();
  /** Resolves when the log is there and what this process needs in it; never, when it is stopped before. */
  readonly begun: Promise<void>;
  private hasBegun: () => void = () => undefined;

  constructor(
    private readonly log: EventLog,
    private readonly counters: IngestCounters,
    private readonly journal: AccessJournal,
    readiness: Readiness,
    @Inject(PARTITIONS) readonly partitions: number,
    @Inject(LOG) private readonly lines: Log,
  ) {
    this.begun = new Promise((resolve) => {
      this.hasBegun = resolve;
    });
    readiness.add('log', () => this.trouble ?? this.ticking?.trouble());
    readiness.add('definitions', () => (this.replica === undefined ? 'definitions are not read yet' : this.replica.trouble()));
  }

  /** @throws LogUnavailableError while definitions are not known: an unknown key is not a wrong key then */
  get definitions(): DefinitionsReplica {
    const why = this.replica === undefined ? this.trouble : this.replica.trouble();
    if (this.replica === undefined || why !== undefined) throw new LogUnavailableError(why ?? 'definitions are not read yet', 1_000);
    return this.replica;
  }

  onModuleInit(): void {
    // Not awaited: a service that waits for its log is alive and says so. A refusal ends the process with its sentence.
    void this.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.flushing);
    await this.ticking?.stop();
    await this.endReports?.();
    await this.counters.flush(Date.now() * 1_000);
    await this.replica?.close();
    await this.log.close();
  }

  private async start(): Promise<void> {
    for (let attempt = 0; !this.stopping.signal.aborted; attempt += 1) {
      try {
        // All at once: one after the other they were half of a restart's wait.
        await Promise.all([...topicSpecs(this.partitions).map((spec) => this.log.createTopic(spec)), this.createRawTopic()]);
        this.begin();
        return;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        // Another partition count than the log's: nothing that waiting could cure.
        if ((error as { retriable?: unknown }).retriable === false) throw error;
        this.trouble = `the log is not available: ${error instanceof Error ? error.message : String(error)}`;
        this.lines.warn({ trouble: this.trouble }, 'waiting for the log');
        const pauseMs = Math.min(RETRY.maxMs, RETRY.firstMs * 2 ** Math.min(attempt, 10));
        await sleep(pauseMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** With as many partitions as whoever made it wanted: no unit hangs on them. */
  private async createRawTopic(): Promise<void> {
    try {
      await this.log.createTopic(rawTopicSpec(this.partitions));
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'topic-differs')) throw error;
    }
  }

  private begin(): void {
    if (this.stopping.signal.aborted) return;
    this.replica = DefinitionsReplica.start(this.log);
    this.ticking = startTicks(this.log, FEEDBACK);
    this.endReports = startAccessReports(this.log, this.journal);
    this.flushing = setInterval(() => void this.counters.flush(Date.now() * 1_000), FLUSH_EVERY_MS);
    this.trouble = undefined;
    this.hasBegun();
  }
}
