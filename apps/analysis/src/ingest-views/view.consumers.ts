/** Counters and dead letters of ingestion, from the log into the store. */
import { Inject, Injectable } from '@nestjs/common';
import { DEAD_LETTERS, type DeadLetter, DROPPED_BEFORE_HEADER, ERASURE_HEADER, INGEST_STATS, type IngestStats } from '@rampart/contracts';
import { EventLog, type LogBatch, partsOfPosition, positionOf, type Subscription } from '@rampart/event-log';
import { FeedbackViews, type Placed } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';
import { consumerTrouble } from '../consumer-trouble.js';
import { tellStep } from '../feedback/erasure.consumer.js';

/** Offsets hang on them; each filling of the store reads the log from its beginning. */
const STATS_GROUP = 'analysis-ingest-stats';
const DEAD_LETTERS_GROUP = 'analysis-dead-letters';

@Injectable()
export class ViewConsumers {
  private subscriptions: readonly Subscription[] = [];

  constructor(
    private readonly log: EventLog,
    private readonly views: FeedbackViews,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  start(filling: string): void {
    this.subscriptions = [
      this.consume<IngestStats>(INGEST_STATS, `${STATS_GROUP}.${filling}`, (messages) => this.views.insertStats(messages)),
      this.consume<DeadLetter>(DEAD_LETTERS, `${DEAD_LETTERS_GROUP}.${filling}`, (messages) => this.views.insertDeadLetters(messages)),
    ];
  }

  /** Why the newest counts or letters are missing. */
  trouble(): string | undefined {
    return this.subscriptions.map((subscription) => consumerTrouble(subscription.stats())).find((why) => why !== undefined);
  }

  async stop(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()));
    this.subscriptions = [];
  }

  private consume<T>(topic: string, group: string, insert: (messages: readonly Placed<T>[]) => Promise<void>): Subscription {
    const subscription = this.log.consume({
      topic,
      group,
      onBatch: async (batch) => {
        await insert(readable<T>(batch));
        await this.dropLetters(batch);
      },
      // A letter about a letter would never end: what cannot be stored is left in the log, where it can be read.
      onPoison: async ({ partition, message, error }) =>
        this.lines.error({ err: error, topic, partition, offset: message.offset }, 'a message cannot be shown: left out'),
    });
    subscription.done.catch((err: unknown) => this.lines.fatal({ err, topic }, 'no longer shown'));
    return subscription;
  }

  /** What the log has dropped since a unit was erased is shown no longer; what of it should stay came again before the mark. */
  private async dropLetters({ topic, partition, messages }: LogBatch): Promise<void> {
    if (topic !== DEAD_LETTERS) return;
    for (const { headers, position } of messages) {
      const [before, ids] = [headers[DROPPED_BEFORE_HEADER], headers[ERASURE_HEADER]];
      if (before === undefined || ids === undefined) continue;
      await this.views.dropDeadLetters(partition, positionOf(partsOfPosition(position).generation, Number(before), 0));
      for (const id of ids.split(',')) await tellStep(this.log, { id, store: 'dead-letters', part: 'store' });
    }
  }
}

const readable = <T>({ messages, partition }: LogBatch): readonly Placed<T>[] =>
  messages.flatMap(({ value, position }) => {
    if (value === null) return [];
    try {
      return [{ partition, position, value: JSON.parse(Buffer.from(value).toString('utf8')) as T }];
    } catch {
      return [];
    }
  });
