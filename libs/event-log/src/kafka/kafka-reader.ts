/** Reading outside of a consumer: from any offset, with the known times that everybody else sees there. */
import type { LogMessage, TopicState } from '../event-log.js';
import { claimOf, type GenerationClaim } from './generation-marker.js';
import type { FetchedPartition, KafkaCluster, RawRecord } from './kafka-cluster.js';
import type { KafkaIndex } from './kafka-index.js';
import { type Checkpoint, stateAfter, type Told, toldBy, unreadError } from './kafka-records.js';
import { beginning, type KnownState, later } from './known-times.js';

/** Fewer than so many messages lie between two checkpoints of a plain topic, where somebody reads it. */
const checkpointEvery = 1_024;
const fetchBytes = 8 * 2 ** 20;

export interface Place {
  readonly topic: TopicState;
  readonly partition: number;
  readonly offset: number;
}

export class KafkaReader {
  /** Where each partition was last read to: whoever reads page by page need not look for the state again. */
  private readonly pages = new Map<string, Checkpoint>();

  constructor(
    private readonly cluster: KafkaCluster,
    private readonly index: KafkaIndex,
  ) {}

  async read(place: Place, limits: { readonly maxMessages: number; readonly maxBytes: number }): Promise<readonly LogMessage[]> {
    const { topic, partition } = place;
    const bounds = await this.bounds(topic.topic, partition);
    const messages: LogMessage[] = [];
    let offset = Math.max(place.offset, bounds.earliest);
    if (offset >= bounds.end) return messages;
    let state = await this.stateAt({ ...place, offset });
    let bytes = 0;
    while (offset < bounds.end && messages.length < limits.maxMessages && bytes < limits.maxBytes) {
      const fetched = await this.fetch(place, offset);
      const told = await this.tell(topic, partition, fetched, offset, state);
      const { unread } = told;
      if (told.messages.length === 0) break;
      if (unread !== undefined && messages.length === 0 && unread.offset === told.messages[0]?.offset)
        throw unreadError(topic.topic, partition, unread);
      for (const message of told.messages) {
        if (messages.length === limits.maxMessages || bytes >= limits.maxBytes || message.offset === unread?.offset) break;
        messages.push(message);
        bytes += message.value?.byteLength ?? 0;
      }
      if (unread !== undefined) break;
      state = told.state;
      offset = (told.messages.at(-1)?.offset ?? offset) + 1;
    }
    const last = messages.at(-1);
    if (last !== undefined) this.pages.set(`${topic.topic}/${partition}`, { offset: last.offset + 1, ...stateAfter(last) });
    return messages;
  }

  /** What a reader who starts at an offset must know. */
  async stateAt({ topic, partition, offset }: Place): Promise<KnownState> {
    const page = this.pages.get(`${topic.topic}/${partition}`);
    if (page?.offset === offset) return page;
    await this.index.refresh();
    const checkpoint = this.index.nearest(topic.topic, partition, offset);
    const { earliest } = await this.bounds(topic.topic, partition);
    let state: KnownState = checkpoint ?? beginning;
    let at = Math.max(checkpoint?.offset ?? 0, earliest);
    while (at < offset) {
      const { messages } = await this.fetch({ topic, partition, offset }, at);
      await this.learnClaims(topic.topic, messages);
      const before = messages.filter((record) => Number(record.offset) < offset);
      const told = toldBy(before, { from: at, state, ...this.knowledge(topic.topic, partition) });
      if (told.messages.length === 0) break;
      state = told.state;
      at = (told.messages.at(-1)?.offset ?? at) + 1;
    }
    return state;
  }

  /** The greatest known time that is there or was, in microseconds; 0 if there was never anything. */
  async lastKnownUs(topic: TopicState, partition: number): Promise<number> {
    const { end } = await this.bounds(topic.topic, partition);
    const { ahead } = await this.stateAt({ topic, partition, offset: end });
    const remembered = this.index.last(topic.topic, partition);
    const known = Math.max(end - 1 + ahead, remembered === undefined ? 0 : remembered.offset - 1 + remembered.ahead);
    return end === 0 && remembered === undefined ? 0 : known;
  }

  /** The messages of an answer; what compaction could make unknowable is in the index before anybody sees them. */
  async tell(topic: TopicState, partition: number, fetched: FetchedPartition, from: number, state: KnownState): Promise<Told> {
    await this.learnClaims(topic.topic, fetched.messages);
    const knowledge = this.knowledge(topic.topic, partition);
    if (!topic.compacted) {
      const told = toldBy(fetched.messages, { from, state, ...knowledge });
      const last = told.messages.at(-1);
      if (last !== undefined) this.checkpoint(topic, partition, { offset: last.offset + 1, ...told.state });
      return told;
    }
    const unfresh: Checkpoint[] = [];
    const look = () => toldBy(fetched.messages, { from, state, ...knowledge, onUnfresh: (one) => void unfresh.push(one) });
    const told = look();
    if (unfresh.length === 0) return told;
    // Somebody else may have been here before.
    await this.index.refresh();
    unfresh.length = 0;
    const again = look();
    const news = unfresh.filter((one, at) => one.ahead !== unfresh[at - 1]?.ahead || one.generation !== unfresh[at - 1]?.generation);
    await this.index.write(news.map((one) => ({ kind: 'checkpoint', topic: topic.topic, partition, ...one })));
    return again;
  }

  async bounds(topic: string, partition: number): Promise<{ readonly earliest: number; readonly end: number }> {
    const [found] = await this.cluster.patiently(() => this.cluster.bounds(topic, partition));
    return found ?? { earliest: 0, end: 0 };
  }

  /** A group's last commit is the better of what it says itself and what the index has; of a compacted topic both count. */
  async stateFor(place: Place, own: KnownState | undefined): Promise<KnownState> {
    if (own !== undefined && !place.topic.compacted) return own;
    const found = await this.stateAt(place);
    return own === undefined ? found : later(found, own);
  }

  private knowledge(topic: string, partition: number) {
    return {
      nearest: (offset: number) => this.index.nearest(topic, partition, offset),
      startOf: (claim: GenerationClaim) => this.index.startOf(topic, claim),
    };
  }

  /** A marker may be newer than what is known of the index here. */
  private async learnClaims(topic: string, records: readonly RawRecord[]): Promise<void> {
    const isNew = (record: RawRecord) => {
      const claim = claimOf(record);
      return claim !== undefined && !this.index.knows(topic, claim);
    };
    if (records.some(isNew)) await this.index.refresh();
  }

  private fetch({ topic, partition }: Place, offset: number): Promise<FetchedPartition> {
    return this.cluster.patiently(() => this.cluster.fetch(topic.topic, partition, offset, fetchBytes));
  }

  /** In the background: a missing checkpoint costs a later reader some messages more, nothing else. */
  private checkpoint(topic: TopicState, partition: number, here: Checkpoint): void {
    const isNear = () => here.offset - (this.index.nearest(topic.topic, partition, here.offset)?.offset ?? 0) < checkpointEvery;
    if (isNear()) return;
    this.index
      .refresh()
      .then(() => (isNear() ? undefined : this.index.write([{ kind: 'checkpoint', topic: topic.topic, partition, ...here }])))
      .catch(() => undefined);
  }
}
