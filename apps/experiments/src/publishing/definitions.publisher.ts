/** Publishes every change to `definitions.v1`, in the order in which it was decided, and says nothing twice; and a tick each second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFINITIONS, type Head, topicSpecs } from '@rampart/contracts';
import { type EventLog, startTicks, type Ticking } from '@rampart/event-log';
import type { EventStore, StoredEvent, Subscriber, Subscription } from '@rampart/event-store';
import { isOfResource } from '../streams.js';
import { type DefinitionMessage, messagesAfter } from './definition-messages.js';

/** Names of subscriptions are forever. */
const PUBLISHER = 'definitions.v1';
const PARTITION = 0;
const RETRY_MS = 500;
const READ_AT_ONCE = 1_000;

export class DefinitionsPublisher {
  readonly subscriber: Subscriber<unknown>;
  private subscription: Subscription | undefined;
  private ticking: Ticking | undefined;
  private isTopicThere = false;
  private isStopped = false;
  /** By key: the revision of a pointer, 0 for what never changes. As far as the log was read. */
  private readonly said = new Map<string, number>();
  private readTo = 0;

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

  private async publish(stored: readonly StoredEvent[]): Promise<void> {
    const events = stored.filter(({ stream }) => isOfResource(stream));
    await this.createTopic();
    const streams = new Map<string, readonly StoredEvent[]>();
    for (const { stream } of events) if (!streams.has(stream)) streams.set(stream, await this.store.readStream(stream));
    const messages = events.flatMap(({ stream, version }) => messagesAfter((streams.get(stream) ?? []).slice(0, version)));
    await this.readOn();
    const news = messages.filter((message) => !this.isSaid(message));
    if (news.length === 0) return;
    await this.log.append(
      DEFINITIONS,
      news.map(({ key, value }) => ({ partition: PARTITION, key, value: JSON.stringify(value) })),
    );
  }

  /**
   * A definition counts from the moment when it became known: said again it would be known later, and the compacted topic would forget the first time.
   * So each time the log itself is asked: another process, or this one before it lost the answer, may have said it and not come to its checkpoint.
   */
  private async readOn(): Promise<void> {
    const [{ earliest, end } = { earliest: 0, end: 0 }] = await this.log.offsets(DEFINITIONS);
    // Restored from a backup: what was read is not there any more.
    if (end < this.readTo) this.said.clear();
    let offset = end < this.readTo ? earliest : Math.max(earliest, this.readTo);
    while (offset < end) {
      const messages = await this.log.read({ topic: DEFINITIONS, partition: PARTITION, offset, limit: READ_AT_ONCE });
      for (const { key, value } of messages) if (key !== null && value !== null) this.said.set(key, revisionOf(key, value));
      offset = (messages.at(-1)?.offset ?? end - 1) + 1;
    }
    this.readTo = offset;
  }

  /** Pointers only move on. */
  private isSaid({ key, value }: DefinitionMessage): boolean {
    const said = this.said.get(key);
    return said !== undefined && ('kind' in value || said >= value.revision);
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

const revisionOf = (key: string, value: Uint8Array): number =>
  key.startsWith('head/') ? (JSON.parse(Buffer.from(value).toString('utf8')) as Head).revision : 0;
