/**
 * The connections of one purpose to a Kafka cluster, and the few requests that the log makes over them.
 *
 * kafkajs's producer and consumer are not used, only its protocol: `send` loses acknowledged messages when a leader dies, the consumer's fetch of a broker
 * waits for its slowest partition, and a commit outside of its batch can end it for good (docs/adr/0011). Its version is pinned with the patch.
 */
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import KafkajsCluster from 'kafkajs/src/cluster/index.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import { LogError } from '../log-errors.js';
import { registerCodecs } from './kafka-codecs.js';
import { delayed, isStale, typeOf } from './kafka-errors.js';
import type { KafkaSecurity } from './kafka-options.js';

export interface RawRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[] | null | undefined>>;
  /** The broker's own: where a transaction ended. */
  readonly isControlRecord?: boolean;
  /** One object per record batch. A batch keeps its first offset when compaction takes records out of it. */
  readonly batchContext: { readonly firstOffset: string; readonly maxTimestamp: string };
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly messages: readonly RawRecord[];
}

export interface ProducedMessage {
  readonly key: string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timestamp?: number;
}

interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata?: string }[];
}

/** The parts of kafkajs's Broker that are used here. */
export interface RawBroker {
  fetch(request: object): Promise<{ readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }>;
  produce(request: object): Promise<{ readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[] }>;
  joinGroup(request: object): Promise<{
    readonly generationId: number;
    readonly leaderId: string;
    readonly memberId: string;
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
  }>;
  syncGroup(request: object): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: object): Promise<unknown>;
  leaveGroup(request: object): Promise<unknown>;
  offsetCommit(request: object): Promise<unknown>;
  offsetFetch(request: object): Promise<{ readonly responses: readonly TopicOffsets[] }>;
}

interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findBroker(node: { readonly nodeId: string }): Promise<RawBroker>;
  findGroupCoordinator(group: { readonly groupId: string }): Promise<RawBroker>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[];
  fetchTopicsOffset(topics: readonly object[]): Promise<readonly TopicOffsets[]>;
}

const Cluster = KafkajsCluster as new (options: object) => RawCluster;

export interface ClusterOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** An answer that takes longer counts as an outage, in milliseconds. */
  readonly patienceMs: number;
  readonly security?: KafkaSecurity;
}

/** As kafkajs takes it. The name of a broker must be in its certificate: that is never turned off. */
const secured = ({ security: { tls, sasl } = {} }: ClusterOptions): Pick<KafkaConfig, 'ssl' | 'sasl'> => ({
  ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true } }),
  ...(sasl === undefined ? {} : { sasl: sasl as NonNullable<KafkaConfig['sasl']> }),
});

registerCodecs();

/** Every request fails at its first trouble: who asked decides about trying again, and for how long. */
const noRetries = { retries: 0, initialRetryTime: 50, maxRetryTime: 200 };

export const kafkaOf = (options: ClusterOptions, retry: KafkaConfig['retry'] = noRetries): Kafka =>
  new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    requestTimeout: options.patienceMs,
    connectionTimeout: 2_000,
    logLevel: logLevel.NOTHING,
    retry,
    ...secured(options),
  });

export class KafkaCluster {
  private raw: Promise<RawCluster> | undefined;
  private failures = 0;
  private isClosed = false;

  constructor(private readonly options: ClusterOptions) {}

  async partitionCount(topic: string): Promise<number> {
    const raw = await this.connected(topic);
    return raw.findTopicPartitionMetadata(topic).length;
  }

  /** Asks anew: who leads what, how many partitions there are. After several times in vain it starts from the bootstrap list again. */
  async refresh(): Promise<void> {
    this.failures += 1;
    if (this.failures > 3) return this.startOver();
    const raw = await this.raw?.catch(() => undefined);
    await raw?.refreshMetadata().catch(() => this.startOver());
  }

  /** @returns node id → partitions that it leads */
  async leaders(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<string, readonly number[]>> {
    const raw = await this.connected(topic);
    return new Map(Object.entries(raw.findLeaderForPartitions(topic, partitions)));
  }

  async broker(nodeId: string): Promise<RawBroker> {
    return (await this.connected()).findBroker({ nodeId });
  }

  async leader(topic: string, partition: number): Promise<RawBroker> {
    const [nodeId] = [...(await this.leaders(topic, [partition])).keys()];
    if (nodeId === undefined) throw new Error(`Nobody leads ${topic}/${partition} now.`);
    return this.broker(nodeId);
  }

  async coordinator(groupId: string): Promise<RawBroker> {
    return (await this.connected()).findGroupCoordinator({ groupId });
  }

  /** One entry per partition, in order. */
  async bounds(topic: string, only?: number): Promise<readonly { partition: number; earliest: number; end: number }[]> {
    const raw = await this.connected(topic);
    const there = () => raw.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }));
    // It may be one of those that came since.
    if (only !== undefined && !there().some(({ partition }) => partition === only)) await raw.refreshMetadata();
    const known = there();
    const partitions = only === undefined ? known : known.filter(({ partition }) => partition === only);
    const ask = async (fromBeginning: boolean) => {
      const [found] = await raw.fetchTopicsOffset([{ topic, partitions, fromBeginning }]);
      return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
    };
    const [earliest, end] = await Promise.all([ask(true), ask(false)]);
    this.worked();
    return [...end]
      .sort(([a], [b]) => a - b)
      .map(([partition, offset]) => ({ partition, earliest: Math.min(earliest.get(partition) ?? 0, offset), end: offset }));
  }

  /** What is there from an offset on, at once; whole batches, so that earlier offsets may precede. */
  async fetch(topic: string, partition: number, offset: number, maxBytes: number): Promise<FetchedPartition> {
    const broker = await this.leader(topic, partition);
    const [found] = await fetchFrom(broker, topic, [{ partition, offset }], { maxWaitMs: 0, maxBytes });
    if (found === undefined) throw new Error(`No answer about ${topic}/${partition}.`);
    return found;
  }

  /** Something came through: the connections are good. */
  worked(): void {
    this.failures = 0;
  }

  /** For good: whoever still asks in the background gets no new connections. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.startOver();
  }

  private async startOver(): Promise<void> {
    const { raw } = this;
    this.raw = undefined;
    this.failures = 0;
    await (await raw?.catch(() => undefined))?.disconnect().catch(() => undefined);
  }

  /** Repeats what fails for reasons that pass: a leader that moved, a broker that is gone. */
  async patiently<T>(act: () => Promise<T>, withinMs: number = this.options.patienceMs): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await act();
        this.worked();
        return result;
      } catch (error) {
        if (!isStale(error) || performance.now() > deadline) throw error;
      }
      await delayed(attempt);
      await this.refresh();
    }
  }

  private async connected(topic?: string): Promise<RawCluster> {
    if (this.isClosed) throw new LogError('log-closed', 'The connections to Kafka are closed.');
    this.raw ??= this.open();
    const { raw } = this;
    try {
      const cluster = await raw;
      if (topic !== undefined) await cluster.addTargetTopic(topic);
      await cluster.refreshMetadataIfNecessary();
      return cluster;
    } catch (error) {
      // A topic that is not there says nothing about the connections.
      if (this.raw === raw && typeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') await this.startOver();
      throw error;
    }
  }

  private async open(): Promise<RawCluster> {
    const { brokers, clientId, patienceMs } = this.options;
    const cluster = new Cluster({
      logger: kafkaOf(this.options).logger(),
      socketFactory: socketFactory(),
      brokers: [...brokers],
      clientId,
      connectionTimeout: 2_000,
      requestTimeout: patienceMs,
      enforceRequestTimeout: true,
      metadataMaxAge: 3_000,
      allowAutoTopicCreation: false,
      retry: noRetries,
      ...secured(this.options),
    });
    // The first of the list may be the one that is away.
    for (let attempt = 1; ; attempt += 1) {
      try {
        await cluster.connect();
        return cluster;
      } catch (error) {
        if (attempt >= brokers.length) throw error;
      }
    }
  }
}

/** @returns per partition what came within the wait */
export const fetchFrom = async (
  broker: RawBroker,
  topic: string,
  wanted: readonly { readonly partition: number; readonly offset: number }[],
  { maxWaitMs, maxBytes }: { readonly maxWaitMs: number; readonly maxBytes: number },
): Promise<readonly FetchedPartition[]> => {
  const partitions = wanted.map(({ partition, offset }) => ({ partition, fetchOffset: `${offset}`, maxBytes }));
  const request = {
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes: maxBytes * wanted.length,
    isolationLevel: 0,
    topics: [{ topic, partitions }],
  };
  const { responses } = await broker.fetch(request);
  return responses.flatMap((response) => response.partitions);
};
