/** Tells every appended record in `decisions.v1`, in the order in which they were appended: the event store is the outbox. */
import { comparisonKey, DECISIONS, type RecordedDecision, topicSpecs } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import type { EventStore, StoredEvent, Subscriber, Subscription } from '@rampart/event-store';
import { recordedDecision } from '../decisions/recorded-decision.js';

/** Names of subscriptions are forever. Of its own: definitions go on when decisions can't be told, and the other way round. */
const PUBLISHER = 'decisions.v1';
const PARTITION = 0;
const READ_AT_ONCE = 100;
/** What was told and not checkpointed lies among the last ones: a subscriber gets at most 500 events at once. */
const TAIL = 1_000;

export class DecisionsPublisher {
  readonly subscriber: Subscriber<unknown>;
  private subscription: Subscription | undefined;
  private isTopicThere = false;
  /** Ids of what the log tells, as far as it was read. */
  private readonly told = new Set<string>();
  /** The next offset to read; undefined: the tail of the log. */
  private readTo: number | undefined;

  constructor(
    private readonly store: EventStore<unknown>,
    private readonly log: EventLog,
    onTrouble?: (error: unknown) => void,
  ) {
    this.subscriber = {
      name: PUBLISHER,
      handle: (events) => this.publish(events),
      // What was told stays: a rebuild adds what the log lacks, and must know all of it.
      reset: async () => {
        this.readTo = 0;
      },
      ...(onTrouble === undefined ? {} : { onTrouble }),
    };
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
  }

  trouble(): string | undefined {
    return this.subscription?.trouble();
  }

  async stop(): Promise<void> {
    await this.subscription?.close();
  }

  private async publish(events: readonly StoredEvent[]): Promise<void> {
    const decisions = events.flatMap((stored) => recordedDecision(stored) ?? []);
    if (decisions.length === 0) return;
    await this.createTopic();
    await this.readOn();
    // One a message, each in its own append: together they may be larger than the log takes at once.
    for (const decision of decisions.filter(({ record }) => !this.told.has(record.id))) await this.tell(decision);
  }

  private async tell(decision: RecordedDecision): Promise<void> {
    await this.log.append(DECISIONS, [{ partition: PARTITION, key: comparisonKey(decision.record), value: JSON.stringify(decision) }]);
    this.told.add(decision.record.id);
  }

  /** The log itself is asked: another process, or this one before it lost the answer, may have told it and not come to its checkpoint. */
  private async readOn(): Promise<void> {
    const [{ earliest, end } = { earliest: 0, end: 0 }] = await this.log.offsets(DECISIONS);
    // Restored from a backup: what was read is not there any more.
    const isShorter = this.readTo !== undefined && end < this.readTo;
    if (isShorter) this.told.clear();
    let offset = Math.max(earliest, isShorter ? 0 : (this.readTo ?? end - TAIL));
    while (offset < end) {
      const messages = await this.log.read({ topic: DECISIONS, partition: PARTITION, offset, limit: READ_AT_ONCE });
      for (const { value } of messages) this.note(value);
      offset = (messages.at(-1)?.offset ?? end - 1) + 1;
    }
    this.readTo = offset;
  }

  private note(value: Uint8Array | null): void {
    if (value === null) return;
    try {
      this.told.add((JSON.parse(Buffer.from(value).toString('utf8')) as RecordedDecision).record.id);
    } catch {
      // Not ours: it tells no record.
    }
  }

  private async createTopic(): Promise<void> {
    if (this.isTopicThere) return;
    for (const spec of topicSpecs(1)) if (spec.topic === DECISIONS) await this.log.createTopic(spec);
    this.isTopicThere = true;
  }
}
