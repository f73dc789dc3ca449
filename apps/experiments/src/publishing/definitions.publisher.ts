/** Publishes every change to `definitions.v1`, in the order in which it was decided, and says nothing twice; and a tick each second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFINITIONS, type Head, topicSpecs } from '@rampart/contracts';
import { type EventLog, startTicks, type Ticking } from '@rampart/event-log';
import type { EventStore, StoredEvent, Subscriber, Subscription } from '@rampart/event-store';
import { type DefinitionMessage, messagesAfter } from './definition-messages.js';

/** Names of subscriptions are forever. */
const PUBLISHER = 'definitions.v1';
const PARTITION = 0;
const RETRY_MS = 500;

/** What the log says, by key. */
type Said = Map<string, string>;

export class DefinitionsPublisher {
  readonly subscriber: Subscriber<unknown>;
  private subscription: Subscription | undefined;
  private ticking: Ticking | undefined;
  private isTopicThere = false;
  private isStopped = false;
  private said: Said | undefined;

  constructor(
    private readonly store: EventStore<unknown>,
    private readonly log: EventLog,
    onTrouble?: (error: unknown) => void,
  ) {
    this.subscriber = {
      name: PUBLISHER,
      handle: (events) => this.publish(events),
      // What is published stays: a rebuild adds what the log lacks.
      reset: async () => undefined,
      ...(onTrouble === undefined ? {} : { onTrouble }),
    };
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
    void this.tick();
  }

  trouble(): string | undefined {
    return this.subscription?.trouble() ?? (this.ticking === undefined ? 'definitions.v1 is not there yet' : this.ticking.trouble());
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.ticking?.stop();
    await this.subscription?.close();
  }

  private async publish(events: readonly StoredEvent[]): Promise<void> {
    await this.createTopic();
    const streams = new Map<string, readonly StoredEvent[]>();
    for (const { stream } of events) if (!streams.has(stream)) streams.set(stream, await this.store.readStream(stream));
    const messages = events.flatMap(({ stream, version }) => messagesAfter((streams.get(stream) ?? []).slice(0, version)));
    const said = this.said ?? (await saidBy(this.log));
    // Should the append fail, the log is asked again what it took.
    this.said = undefined;
    const news = newsOf(messages, said);
    if (news.length > 0)
      await this.log.append(
        DEFINITIONS,
        news.map(([key, value]) => ({ partition: PARTITION, key, value })),
      );
    this.said = said;
  }

  /** As soon as there is a topic: commands are taken before the log is there. */
  private async tick(): Promise<void> {
    while (!this.isStopped && this.ticking === undefined) {
      const isThere = await this.createTopic().then(
        () => true,
        () => false,
      );
      if (isThere && !this.isStopped) this.ticking = startTicks(this.log, DEFINITIONS);
      else await sleep(RETRY_MS, undefined, { ref: false });
    }
  }

  private async createTopic(): Promise<void> {
    if (this.isTopicThere) return;
    for (const spec of topicSpecs(1)) if (spec.topic === DEFINITIONS) await this.log.createTopic(spec);
    this.isTopicThere = true;
  }
}

const saidBy = async (log: EventLog): Promise<Said> => {
  const said: Said = new Map();
  for await (const { key, value } of log.readAll(DEFINITIONS))
    if (key !== null && value !== null) said.set(key, Buffer.from(value).toString('utf8'));
  return said;
};

/**
 * What the log does not say yet; adds it to `said`. A definition counts from the moment when it became known:
 * said again it would be known later, and the compacted topic would forget the first time. Pointers only move on.
 */
const newsOf = (messages: readonly DefinitionMessage[], said: Said): readonly (readonly [string, string])[] =>
  messages.flatMap(({ key, value }) => {
    const text = JSON.stringify(value);
    const before = said.get(key);
    const isOld = before !== undefined && ('kind' in value ? before === text : (JSON.parse(before) as Head).revision >= value.revision);
    if (isOld) return [];
    said.set(key, text);
    return [[key, text] as const];
  });
