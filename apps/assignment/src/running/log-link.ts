/** The process's tie to the log: definitions in, exposures out. Begun when the log is there, which evaluation does not wait for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { topicSpecs } from '@rampart/contracts';
import { EventLog, startAccessReports } from '@rampart/event-log';
import { AccessJournal, LOG, type Log, Metrics, meterLog, noTracing, Readiness, Tracing } from '@rampart/service-kit';
import { Gauge } from 'prom-client';
import { ExposureSpool } from '../exposures/exposure-spool.js';
import { SpoolForwarder } from '../exposures/spool-forwarder.js';
import { SpooledExposures } from '../exposures/spooled.exposures.js';
import { DefinitionsFeed } from '../ruleset/definitions.feed.js';
import { ErasureFeed } from './erasure-feed.js';

const STOP_PATIENCE_MS = 2_000;
const RETRY = { firstMs: 100, maxMs: 2_000 };

/** Partitions of `feedback.v1`, by configuration. */
export const PARTITIONS = 'assignment:partitions';

@Injectable()
export class LogLink implements OnModuleInit, OnApplicationShutdown {
  private trouble: string | undefined = 'the log was not reached yet';
  private readonly stopping = new AbortController();
  private endReports: (() => Promise<void>) | undefined;
  readonly forwarder: SpoolForwarder;
  private readonly erasures: ErasureFeed;

  constructor(
    private readonly log: EventLog,
    private readonly feed: DefinitionsFeed,
    private readonly spool: ExposureSpool,
    exposures: SpooledExposures,
    private readonly journal: AccessJournal,
    readiness: Readiness,
    metrics: Metrics,
    @Inject(PARTITIONS) private readonly partitions: number,
    @Inject(LOG) private readonly lines: Log,
    tracing: Tracing = noTracing,
  ) {
    this.erasures = new ErasureFeed(log, spool, exposures, lines, partitions);
    this.forwarder = new SpoolForwarder(spool, log, partitions, tracing, this.erasures.units, this.erasures.sent);
    // Ready means: answers. What is old or lost is said beside it, since taking the process away would make it worse.
    readiness.add('definitions', () => this.feed.whyUnready());
    readiness.note('definitions', () => this.whyStale() ?? this.feed.whyNotInForce());
    readiness.note('log', () => this.whyLogAway());
    readiness.note('exposures', () => exposures.trouble());
    meterLog(metrics, log);
    this.gauges(metrics);
  }

  onModuleInit(): void {
    this.feed.restore();
    // Not awaited: it answers from what it kept, or is alive and says what it waits for.
    void this.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    const forwarded = Promise.all([this.forwarder.stop(), this.endReports?.()]);
    // An append that waits for a log which is away ends with the log's own closing.
    await Promise.race([forwarded, sleep(STOP_PATIENCE_MS)]);
    await Promise.race([this.erasures.stop(), sleep(STOP_PATIENCE_MS)]);
    await this.feed.close();
    await this.log.close();
    await Promise.race([forwarded, sleep(STOP_PATIENCE_MS)]);
    await this.spool.close();
  }

  /** Why the log takes no exposures and tells no definitions; undefined when all is well. */
  whyLogAway(): string | undefined {
    const why = this.trouble ?? this.forwarder.trouble();
    return why === undefined ? undefined : `${this.spool.depth} exposures wait on this disk: ${why}`;
  }

  private whyStale(): string | undefined {
    const seconds = this.feed.staleSeconds(Date.now());
    return seconds === null
      ? undefined
      : `stale: nothing was heard of definitions for ${seconds} s; the last ones are served (${this.whyBehind()})`;
  }

  private whyBehind(): string {
    return this.trouble ?? this.feed.trouble() ?? 'experiments says nothing';
  }

  private async start(): Promise<void> {
    for (let attempt = 0; !this.stopping.signal.aborted; attempt += 1) {
      try {
        // All at once: one after the other they were half of a restart's wait.
        await Promise.all(topicSpecs(this.partitions).map((spec) => this.log.createTopic(spec)));
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

  private begin(): void {
    if (this.stopping.signal.aborted) return;
    this.trouble = undefined;
    this.feed.follow(this.log);
    // First whose rows may not be sent any more: they may have waited here for days.
    void this.erasures.start().then(
      () => this.stopping.signal.aborted || this.forwarder.start(),
      (err: unknown) => this.lines.error({ err }, 'erasures are not read, so nothing is sent'),
    );
    this.endReports = startAccessReports(this.log, this.journal);
  }

  private gauges({ registry }: Metrics): void {
    const { feed, forwarder } = this;
    const registers = [registry];
    new Gauge({
      ...{
        name: 'rampart_assignment_definitions_age_seconds',
        help: 'Age of the newest word about definitions; a tick comes each second',
        registers,
      },
      collect() {
        this.set((feed.ageMs(Date.now()) ?? Number.NaN) / 1_000);
      },
    });
    new Gauge({
      ...{ name: 'rampart_assignment_definitions_stale', help: '1 while answers are called stale', registers },
      collect() {
        this.set(feed.staleSeconds(Date.now()) === null ? 0 : 1);
      },
    });
    new Gauge({
      ...{ name: 'rampart_assignment_compilations', help: 'Rulesets compiled so far', registers },
      collect() {
        this.set(feed.rulesets.compiled);
      },
    });
    new Gauge({
      ...{ name: 'rampart_assignment_forwarded_rows', help: 'Rows that the log has taken so far', registers },
      collect() {
        this.set(forwarder.forwarded);
      },
    });
  }
}
