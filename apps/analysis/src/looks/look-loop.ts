/** Looks happen on ticks: the messages of `definitions.v1`, of which there is one each second, and whose one partition has one owner among all processes. */
import { Inject, Injectable } from '@nestjs/common';
import { DEFINITIONS } from '@rampart/contracts';
import { EventLog, type Subscription } from '@rampart/event-log';
import { LOG, type Log } from '@rampart/service-kit';
import { consumerTrouble } from '../consumer-trouble.js';
import { DecisionLog } from './decision-log.js';
import { LookFigures } from './look-figures.js';
import { LookRound } from './look-round.js';

/** Offsets hang on it; what was read here is of no interest, only that time goes on. */
const LOOKS_GROUP = 'analysis-looks';

/** From one look to the next, at least. */
export const LOOK_EVERY_MS = 'analysis:look-every-ms';

const RETRY_MS = 1_000;

@Injectable()
export class LookLoop {
  private subscription: Subscription | undefined;
  private failure: string | undefined;
  private nextAtMs = 0;

  constructor(
    private readonly log: EventLog,
    private readonly decisions: DecisionLog,
    private readonly round: LookRound,
    private readonly figures: LookFigures,
    @Inject(LOOK_EVERY_MS) private readonly everyMs: number,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  start(): void {
    if (this.subscription !== undefined) return;
    this.decisions.start();
    this.figures.takenUnless(() => this.areElsewhere);
    this.subscription = this.log.consume({
      topic: DEFINITIONS,
      group: LOOKS_GROUP,
      onBatch: async (_batch, { signal }) => {
        if (!signal.aborted) await this.tick(signal);
      },
      // Nothing is read from the messages, so none of them can be poison.
      onPoison: async () => undefined,
    });
    this.subscription.done.catch((error: unknown) => {
      this.failure = error instanceof Error ? error.message : String(error);
      this.lines.fatal({ err: error }, 'no more looks are taken');
    });
  }

  /** Why no look is taken; undefined too where another process takes them. */
  trouble(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    if (this.subscription === undefined) return 'the looks have not begun';
    // Whoever has given the looks to another process would never take one that clears it.
    const lookFailure = this.isOwner ? this.lookFailure : undefined;
    return lookFailure ?? consumerTrouble(this.subscription.stats()) ?? this.decisions.trouble();
  }

  /** Whether this process takes the looks. */
  get isOwner(): boolean {
    return (this.subscription?.stats().partitions.length ?? 0) > 0;
  }

  /** Whether another process takes them; not while the log is away, when nobody does and their age goes on growing. */
  get areElsewhere(): boolean {
    return this.subscription?.stats().state === 'running' && !this.isOwner;
  }

  async stop(): Promise<void> {
    await this.subscription?.close();
    this.subscription = undefined;
    await this.decisions.close();
  }

  private lookFailure: string | undefined;

  /** A look that fails is taken again soon: it is made of state, nothing of it is lost. */
  private async tick(signal: AbortSignal): Promise<void> {
    const startedMs = performance.now();
    if (startedMs < this.nextAtMs || this.decisions.trouble() !== undefined) return;
    try {
      const round = await this.round.look(Date.now() * 1000, signal);
      const tookMs = performance.now() - startedMs;
      // Half of the time at most: the store has others to serve.
      this.nextAtMs = startedMs + Math.max(this.everyMs, 2 * tookMs);
      this.lookFailure = undefined;
      if (round !== undefined) this.figures.looked({ ...round, seconds: tookMs / 1000, atUs: Date.now() * 1000 });
    } catch (error) {
      // Given up for whoever takes the looks next.
      if (signal.aborted) return;
      // What is being published ticks as well, ten times a second where much is: whoever is on his way back would be asked as often.
      this.nextAtMs = performance.now() + Math.min(this.everyMs, RETRY_MS);
      this.lookFailure = `the last look failed: ${error instanceof Error ? error.message : String(error)}`;
      this.figures.failed();
      this.lines.warn({ err: error }, 'a look failed and is taken again');
    }
  }
}
