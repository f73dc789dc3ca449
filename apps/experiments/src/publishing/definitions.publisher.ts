/** Publishes every change to `definitions.v1`, in the order in which it was decided, at least once; and a tick each second. */
import { DEFINITIONS, topicSpecs } from '@rampart/contracts';
import { type EventLog, startTicks, type Ticking } from '@rampart/event-log';
import type { EventStore, StoredEvent, Subscriber, Subscription } from '@rampart/event-store';
import { messagesAfter } from './definition-messages.js';

/** Names of subscriptions are forever. */
const PUBLISHER = 'definitions.v1';
const PARTITION = 0;
/** Microseconds since the epoch. A message that is published again is known later, but was decided then. */
const DECIDED_AT = 'decided-at-us';

export class DefinitionsPublisher {
  readonly subscriber: Subscriber<unknown>;
  private subscription: Subscription | undefined;
  private ticking: Ticking | undefined;
  private isTopicThere = false;

  constructor(
    private readonly store: EventStore<unknown>,
    private readonly log: EventLog,
  ) {
    // What is published stays: a rebuild publishes all of it again, under the same keys.
    this.subscriber = { name: PUBLISHER, handle: (events) => this.publish(events), reset: async () => undefined };
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
    this.ticking = startTicks(this.log, DEFINITIONS);
  }

  trouble(): string | undefined {
    return this.subscription?.trouble() ?? this.ticking?.trouble();
  }

  async stop(): Promise<void> {
    await this.ticking?.stop();
    await this.subscription?.close();
  }

  private async publish(events: readonly StoredEvent[]): Promise<void> {
    await this.createTopic();
    const streams = new Map<string, readonly StoredEvent[]>();
    for (const { stream } of events) if (!streams.has(stream)) streams.set(stream, await this.store.readStream(stream));
    const messages = events.flatMap(({ stream, version, atUs }) =>
      messagesAfter((streams.get(stream) ?? []).slice(0, version)).map(({ key, value }) => ({
        partition: PARTITION,
        key,
        value: JSON.stringify(value),
        headers: { [DECIDED_AT]: String(atUs) },
      })),
    );
    if (messages.length > 0) await this.log.append(DEFINITIONS, messages);
  }

  private async createTopic(): Promise<void> {
    if (this.isTopicThere) return;
    for (const spec of topicSpecs(1)) if (spec.topic === DEFINITIONS) await this.log.createTopic(spec);
    this.isTopicThere = true;
  }
}
