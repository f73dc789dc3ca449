/** What the log knows about its topics: their shape from Kafka, their generation from the index, and how both change. */
import { randomBytes } from 'node:crypto';
import type { TopicSpec } from '@rampart/contracts';
import type { TopicState } from '../event-log.js';
import { LogError } from '../log-errors.js';
import { checkSameTopic, checkTopicSpec } from '../message-rules.js';
import { greatestGeneration } from '../positions.js';
import { markerHeaders } from './generation-marker.js';
import type { KafkaAppender } from './kafka-appender.js';
import { indexTopic, type KafkaIndex } from './kafka-index.js';
import type { KafkaReader } from './kafka-reader.js';
import type { KafkaTopics } from './kafka-topics.js';

export interface CatalogueOptions {
  readonly topics: KafkaTopics;
  readonly index: KafkaIndex;
  readonly reader: KafkaReader;
  readonly appender: KafkaAppender;
}

/** Those who ask every second, like ticks, may be told what was so a moment ago. */
const recentMs = 3_000;

export class KafkaCatalogue {
  private readonly states = new Map<string, { readonly state: Promise<TopicState>; readonly atMs: number }>();

  private readonly settled = new Map<string, Promise<TopicState>>();

  constructor(private readonly options: CatalogueOptions) {}

  async create(spec: TopicSpec): Promise<TopicState> {
    checkTopicSpec(spec);
    if (spec.topic === indexTopic) throw new RangeError(`${indexTopic} is the log's own.`);
    const { topics, index } = this.options;
    await index.ensure(() => topics.create({ topic: indexTopic, partitions: 1, compacted: true }));
    const isNew = await topics.create(spec);
    const state = await this.load(spec.topic);
    checkSameTopic(spec, state);
    if (!isNew) return state;
    // The index remembers a topic of this name: it was recreated, and must not repeat positions.
    if (index.generation(spec.topic) !== undefined) return this.startGeneration(spec.topic, spec.partitions);
    await index.write([{ kind: 'topic', topic: spec.topic, generation: 0 }]);
    return state;
  }

  /** As of some time in this process: appends don't wait for news of a topic, least of all in an outage. */
  known(topic: string): Promise<TopicState> {
    return this.settled.get(topic) ?? this.states.get(topic)?.state ?? this.load(topic);
  }

  recent(topic: string): Promise<TopicState> {
    const found = this.states.get(topic);
    return found !== undefined && performance.now() - found.atMs < recentMs ? found.state : this.load(topic);
  }

  load(topic: string): Promise<TopicState> {
    const state = this.ask(topic);
    const entry = { state, atMs: performance.now() };
    this.states.set(topic, entry);
    // Later, so that nobody overtakes those who wait for it now.
    state.then(() => setImmediate(() => this.settled.set(topic, state))).catch(() => undefined);
    state.catch(() => this.states.get(topic) === entry && this.states.delete(topic));
    return state;
  }

  async startGeneration(topic: string, partitions: number | undefined): Promise<TopicState> {
    const { topics, index, reader, appender } = this.options;
    const before = await this.load(topic);
    const count = partitions ?? before.partitions;
    checkTopicSpec({ topic, partitions: count });
    if (count < before.partitions) {
      throw new LogError('topic-differs', `${topic} has ${before.partitions} partitions and can't get fewer (${count}).`);
    }
    const known = await Promise.all(Array.from({ length: before.partitions }, (_, partition) => reader.lastKnownUs(before, partition)));
    if (count > before.partitions) await topics.grow(topic, count);
    // One that was begun and not finished stays unfinished.
    const generation = Math.max(before.generation, index.lastStarted(topic)) + 1;
    if (generation > greatestGeneration) {
      throw new LogError(
        'topic-differs',
        `${topic} has had generation ${generation - 1}, and positions have room for ${greatestGeneration}.`,
      );
    }
    const claim = { generation, token: randomBytes(16).toString('hex') };
    // Before the markers: whoever meets one must find out what it is.
    await index.write([{ kind: 'start', topic, ...claim, aboveUs: Math.max(...known) }]);
    const headers = markerHeaders(claim);
    const key = before.compacted ? `generation/${generation}` : null;
    const markers = Array.from({ length: count }, (_, partition) => ({ partition, key, value: null, headers }));
    const placed = await appender.append(topic, markers);
    await index.write([{ kind: 'topic', topic, generation }]);
    const after = await this.load(topic);
    // Whoever reads past the markers leaves in the index what compaction may take.
    await Promise.all(
      placed.map(({ partition, offset }) => reader.read({ topic: after, partition, offset }, { maxMessages: 1, maxBytes: 1 })),
    );
    return after;
  }

  async dropBefore(topic: string, partition: number, offset: number): Promise<number> {
    const { topics, index, reader } = this.options;
    const state = await this.known(topic);
    if (state.compacted) throw new RangeError(`${topic} is compacted: its messages go when others replace them.`);
    const { earliest, end } = await reader.bounds(topic, partition);
    const start = Math.min(offset, end);
    if (start <= earliest) return 0;
    // What the dropped messages say about the known times of later ones must be written down before they go.
    const there = await reader.stateAt({ topic: state, partition, offset: start });
    await index.write([{ kind: 'checkpoint', topic, partition, offset: start, ...there }]);
    await topics.dropBefore(topic, partition, start);
    await index.forgetBefore(topic, partition, start);
    return start - earliest;
  }

  private async ask(topic: string): Promise<TopicState> {
    const { topics, index } = this.options;
    await index.ensure(() => topics.create({ topic: indexTopic, partitions: 1, compacted: true }));
    const [shape] = await Promise.all([topics.describe(topic), index.refresh()]);
    return { topic, partitions: shape.partitions, compacted: shape.compacted, generation: index.generation(topic) ?? 0 };
  }
}
