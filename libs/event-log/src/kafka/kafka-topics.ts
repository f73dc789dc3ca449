/** Topics at Kafka: how they are made, what they are, and the few things that are done to them as a whole. */
import { RAW_FEEDBACK, type TopicSpec } from '@rampart/contracts';
import type { Admin } from 'kafkajs';
import { LogError } from '../log-errors.js';
import { maxMessageBytes } from '../message-rules.js';
import { type ClusterOptions, kafkaOf } from './kafka-cluster.js';
import { explained, typeOf } from './kafka-errors.js';
import { compactionLagMs } from './known-times.js';

const dayMs = 24 * 3_600_000;
const topicConfig = 2;
const hearsayMs = 2_000;

/** Into these anybody may write who has the right to, compressed as he likes: the broker packs it anew. All others hold what this log writes, as it is. */
const foreign: ReadonlySet<string> = new Set([RAW_FEEDBACK]);

export const topicSettings = ({ topic, compacted }: Omit<TopicSpec, 'partitions'>, replicas: number): Readonly<Record<string, string>> => ({
  'compression.type': foreign.has(topic) ? 'gzip' : 'producer',
  'message.timestamp.type': 'LogAppendTime',
  'max.message.bytes': `${maxMessageBytes + 2 ** 20}`,
  ...(replicas === 3 ? { 'min.insync.replicas': '2' } : {}),
  ...(compacted
    ? {
        'cleanup.policy': 'compact',
        'min.compaction.lag.ms': `${compactionLagMs}`,
        'delete.retention.ms': `${dayMs}`,
        'segment.ms': `${dayMs}`,
      }
    : // Only `dropBefore` removes: what a broker deletes by its own clock takes known times with it that nobody has written down.
      { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }),
});

export interface KafkaTopic {
  readonly partitions: number;
  readonly compacted: boolean;
}

export class KafkaTopics {
  private opened: Promise<Admin> | undefined;

  constructor(
    private readonly options: ClusterOptions,
    private readonly changes: Readonly<Record<string, string>>,
  ) {}

  /** @returns false if it was there */
  async create({ topic, partitions, compacted }: TopicSpec): Promise<boolean> {
    return this.withAdmin(async (admin) => {
      const { brokers } = await admin.describeCluster();
      const replicas = Math.min(3, brokers.length);
      const settings = { ...topicSettings({ topic, compacted }, replicas), ...this.changes };
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      try {
        return await admin.createTopics({
          // Waiting fails when another broker than the one that made it is asked about it.
          waitForLeaders: false,
          topics: [{ topic, numPartitions: partitions, replicationFactor: replicas, configEntries }],
        });
      } catch (error) {
        // Two who create it at once: one of them is second.
        if (JSON.stringify(errorsOf(error)).includes('TOPIC_ALREADY_EXISTS')) return false;
        throw error;
      }
    });
  }

  /** @throws LogError `unknown-topic` */
  async describe(topic: string): Promise<KafkaTopic> {
    const deadline = performance.now() + hearsayMs;
    for (;;) {
      try {
        return await this.withAdmin(async (admin) => {
          const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
          const described = await admin.describeConfigs({
            includeSynonyms: false,
            resources: [{ type: topicConfig, name: topic, configNames: ['cleanup.policy'] }],
          });
          const policy = described.resources[0]?.configEntries.find(({ configName }) => configName === 'cleanup.policy')?.configValue;
          return { partitions: topics[0]?.partitions.length ?? 0, compacted: policy?.includes('compact') ?? false };
        });
      } catch (error) {
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        if (typeOf(cause) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
        // The broker that was asked may hear of a new topic a little later than the one that made it.
        if (performance.now() > deadline) throw unknownTopic(topic);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async names(): Promise<readonly string[]> {
    return this.withAdmin((admin) => admin.listTopics());
  }

  /** What a topic of its kind has by default, over whatever it was made with. */
  async configure({ topic, compacted }: Omit<TopicSpec, 'partitions'>): Promise<void> {
    await this.withAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const replicas = topics[0]?.partitions[0]?.replicas.length ?? 1;
      const configEntries = Object.entries(topicSettings({ topic, compacted }, replicas)).map(([name, value]) => ({ name, value }));
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: topicConfig, name: topic, configEntries }] });
    });
  }

  async grow(topic: string, count: number): Promise<void> {
    await this.withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
  }

  async dropBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.withAdmin(async (admin) => {
      // Deleting looks for the leader among the topics that this connection has heard of, and asks about none.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: `${offset}` }] });
    });
  }

  async close(): Promise<void> {
    if (this.opened !== undefined) await this.discard(this.opened);
  }

  private async withAdmin<T>(act: (admin: Admin) => Promise<T>): Promise<T> {
    this.opened ??= this.open();
    const { opened } = this;
    try {
      return await act(await opened);
    } catch (error) {
      // What a broker answered leaves the connection good, and others are asking by it at this moment.
      if (!isAnswer(error)) await this.discard(opened);
      throw explained(error);
    }
  }

  /** Whoever asks next opens another, unless somebody has. */
  private async discard(opened: Promise<Admin>): Promise<void> {
    if (this.opened === opened) this.opened = undefined;
    await (await opened.catch(() => undefined))?.disconnect().catch(() => undefined);
  }

  private async open(): Promise<Admin> {
    const admin = kafkaOf(this.options, { retries: 5, initialRetryTime: 50, maxRetryTime: 1_000 }).admin();
    await admin.connect();
    return admin;
  }
}

const errorsOf = (error: unknown): readonly (string | undefined)[] =>
  typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)
    ? error.errors.map(typeOf)
    : [typeOf(error)];

/** A refusal by a broker, as opposed to a connection that broke; kafkajs may have tried several times before it gives it on. */
const isAnswer = (error: unknown): boolean =>
  [error, error instanceof Error ? error.cause : undefined].some((one) => errorsOf(one).some((type) => type !== undefined));

export const unknownTopic = (topic: string) =>
  new LogError('unknown-topic', `The log has no topic "${topic}". Create it first: createTopic.`);
