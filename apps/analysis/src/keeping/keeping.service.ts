/** What is kept, and for how long: ticks are folded, old counters, letters and rows go; nothing that an open comparison needs. Erased stays erased. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DEAD_LETTERS, FEEDBACK, formatInstant, INGEST_STATS, topicSpecs } from '@rampart/contracts';
import { dropOlder, EventLog } from '@rampart/event-log';
import { type ComparisonQuery, FeedbackStore, neededSinceUs } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';
import { comparisonQuery, Definitions } from '../definitions/definition-in-force.js';
import { FeedbackConsumer } from '../feedback/feedback.consumer.js';
import { OutlivedErasures } from '../feedback/outlived-erasures.js';

/** In days; absent: for ever. */
export interface KeepingTimes {
  readonly rows?: number | undefined;
  readonly log?: number | undefined;
  readonly counts: number;
  readonly letters: number;
}

/** Its token. */
export const KEEPING_TIMES = 'analysis:keeping-times';

const DAY_US = 86_400_000_000;
const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 600_000;

@Injectable()
export class Keeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private inHand: Promise<void> = Promise.resolve();
  private isStopped = false;
  private readonly erasures: OutlivedErasures;

  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    private readonly definitions: Definitions,
    private readonly feedback: FeedbackConsumer,
    @Inject(KEEPING_TIMES) private readonly times: KeepingTimes,
    @Inject(LOG) private readonly lines: Log,
  ) {
    this.erasures = new OutlivedErasures(log, store);
  }

  onApplicationBootstrap(): void {
    this.next(FIRST_AFTER_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.inHand;
  }

  /** One round. Of several processes the one that reads the first partition does it. @throws what log and store throw */
  async run(nowUs: number): Promise<void> {
    const stats = this.feedback.stats();
    // Definitions, the log's end, the store: what was not read yet says nothing about what is needed.
    if (this.feedback.trouble() !== undefined || stats?.partitions.some(({ partition }) => partition === 0) !== true) return;
    await this.repeatErasures(nowUs);
    for (const { topic } of topicSpecs(1)) await this.log.compact(topic);
    const before = (days: number | undefined) => (days === undefined ? null : nowUs - days * DAY_US);
    const [countsBeforeUs, lettersBeforeUs] = [nowUs - this.times.counts * DAY_US, nowUs - this.times.letters * DAY_US];
    const open = this.openComparisons(nowUs);
    await this.store.expire({
      environments: this.liveEnvironments(),
      beforeUs: before(this.times.rows),
      open,
      countsBeforeUs,
      lettersBeforeUs,
    });
    await this.dropBefore(INGEST_STATS, countsBeforeUs);
    await this.dropBefore(DEAD_LETTERS, lettersBeforeUs);
    const logBeforeUs = before(this.times.log);
    if (logBeforeUs !== null) await this.dropBefore(FEEDBACK, Math.min(logBeforeUs, ...open.map(neededSinceUs)));
  }

  /** What keeps it from being done must not keep old data: that may be what the disk is full of. */
  private async repeatErasures(nowUs: number): Promise<void> {
    try {
      const repeated = await this.erasures.repeat(nowUs);
      if (repeated > 0) this.lines.warn({ repeated }, 'rows came behind the erasure of their unit: it is repeated');
    } catch (err) {
      this.lines.warn({ err }, 'rows that came behind an erasure could not be looked for, it is tried again');
    }
  }

  private next(afterMs: number): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.inHand = this.run(Date.now() * 1_000)
        .catch((err: unknown) => this.lines.warn({ err }, 'old data could not be removed, it is tried again'))
        .finally(() => this.next(EVERY_MS));
    }, afterMs);
    this.timer.unref();
  }

  /** Of a history nothing goes: what it says about itself has no age. */
  private liveEnvironments(): readonly { readonly project: string; readonly environment: string }[] {
    const found = new Map<string, { readonly project: string; readonly environment: string }>();
    for (const { project, environment } of this.definitions.runs())
      if (this.definitions.environment(project, environment).kind === 'live')
        found.set(`${project}/${environment}`, { project, environment });
    return [...found.values()];
  }

  private openComparisons(nowUs: number): readonly ComparisonQuery[] {
    return this.definitions.runs().flatMap(({ project, environment, experiment }) => {
      const definition = this.definitions.inForce(project, environment, experiment, null);
      const isOpen = definition.state !== null && definition.state.closedAtUs === null;
      return isOpen && definition.environment.kind === 'live' ? [comparisonQuery(definition, nowUs)] : [];
    });
  }

  /** Never what the store has not read. */
  private async dropBefore(topic: string, beforeUs: number): Promise<void> {
    const progress = topic === FEEDBACK ? await this.store.progress(FEEDBACK) : undefined;
    const readUpTo = (of: number) =>
      progress === undefined ? Number.POSITIVE_INFINITY : Number(progress.find(({ partition }) => partition === of)?.offset ?? -1) + 1;
    const dropped = await dropOlder(this.log, { topic, beforeUs }, readUpTo);
    if (dropped.length > 0) this.lines.info({ topic, before: formatInstant(beforeUs), dropped }, 'old messages of the log are gone');
  }
}
