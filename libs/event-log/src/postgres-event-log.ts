/** The log on PostgreSQL ≥ 15: for one machine, or for several without a broker. Needs direct connections, no transaction pooler. */
import pg from 'pg';
import { Consumer, type SeatEvents } from './consuming/consumer.js';
import {
  type Appended,
  type BatchLimits,
  type ConsumeOptions,
  EventLog,
  type Following,
  type FollowOptions,
  type LogMessage,
  type LogStats,
  type OutgoingMessage,
  type PartitionOffsets,
  type Subscription,
  type TopicState,
} from './event-log.js';
import { LogError } from './log-errors.js';
import { checkMessages, checkSameTopic, checkTopicSpec } from './message-rules.js';
import { PostgresAppender } from './postgres/postgres-appender.js';
import { copyOut } from './postgres/postgres-copy.js';
import { foldTicks } from './postgres/postgres-folding.js';
import { readMessages, readOffsets } from './postgres/postgres-reader.js';
import { ensureSchema } from './postgres/postgres-schema.js';
import { takeFollowerSeat, takeSeat } from './postgres/postgres-seat.js';
import { explained } from './postgres/postgres-session.js';
import { TICKS_FOLD_AFTER_US } from './ticks.js';

export interface PostgresEventLogOptions {
  readonly url: string;
  /** Appends beyond this wait are refused; 64 MiB by default. */
  readonly maxQueuedBytes?: number;
  /** An answer of the server that takes longer counts as an outage, in milliseconds; 10,000 by default. */
  readonly patienceMs?: number;
  /** How often a consumer looks around without being woken, in milliseconds; 500 by default. */
  readonly roundMs?: number;
}

const defaultLimits = { maxMessages: 1_000, maxBytes: 8 * 2 ** 20 };
const tombstoneLifeUs = 24 * 3_600 * 1_000_000;

export class PostgresEventLog extends EventLog {
  private readonly options: Required<PostgresEventLogOptions>;
  private readonly pool: pg.Pool;
  private readonly appender: PostgresAppender;
  private readonly topics = new Map<string, Promise<TopicState>>();
  private readonly consumers = new Set<Consumer>();
  private schema: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private isClosed = false;

  constructor({ url, maxQueuedBytes = 64 * 2 ** 20, patienceMs = 10_000, roundMs = 500 }: PostgresEventLogOptions) {
    super();
    this.options = { url, maxQueuedBytes, patienceMs, roundMs };
    this.appender = new PostgresAppender({ url, maxQueuedBytes, patienceMs });
    this.pool = new pg.Pool({
      connectionString: url,
      application_name: 'rampart log: admin',
      max: 2,
      connectionTimeoutMillis: 5_000,
      query_timeout: Math.max(patienceMs, 30_000),
      idleTimeoutMillis: 10_000,
      allowExitOnIdle: true,
      // A pool listens to idle connections only; one that breaks in between two queries must not end the process.
      onConnect: (client) => void client.on('error', () => undefined),
    });
    // An idle connection that the server ends is no event: the next query opens another.
    this.pool.on('error', () => undefined);
  }

  async createTopic(spec: Parameters<EventLog['createTopic']>[0]): Promise<TopicState> {
    checkTopicSpec(spec);
    const { topic, partitions, compacted } = spec;
    await this.withClient(async (client) => {
      await client.query(
        `with made as (insert into log.topic (topic, partitions, compacted) values ($1, $2, $3) on conflict do nothing returning topic)
         insert into log.partition (topic, partition) select topic, generate_series(0, $2::int - 1) from made`,
        [topic, partitions, compacted],
      );
    });
    const existing = await this.loadTopic(topic);
    checkSameTopic(spec, existing);
    return existing;
  }

  async describeTopic(topic: string): Promise<TopicState> {
    return this.loadTopic(topic);
  }

  async startGeneration(topic: string, { partitions }: { readonly partitions?: number } = {}): Promise<TopicState> {
    const { partitions: before } = await this.loadTopic(topic);
    const count = partitions ?? before;
    checkTopicSpec({ topic, partitions: count });
    if (count < before) throw new LogError('topic-differs', `${topic} has ${before} partitions and can't get fewer (${count}).`);
    await this.withClient(async (client) => {
      await client.query(
        // Lock every partition first, in the order of appends: no append may take a known time between the reading and the raising of the greatest one.
        `with locked as materialized (select * from log.partition where topic = $1 order by (topic || '/' || partition) collate "C" for update),
              greatest as (select max(last_known_us) as known_us from locked),
              raised as (update log.topic set generation = generation + 1, partitions = $2 where topic = $1 returning generation)
         insert into log.partition (topic, partition, last_known_us, generation)
         select $1, p, g.known_us, r.generation from generate_series(0, $2::int - 1) p, greatest g, raised r
         on conflict (topic, partition) do update set last_known_us = excluded.last_known_us, generation = excluded.generation`,
        [topic, count],
      );
    });
    return this.loadTopic(topic);
  }

  async append(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]> {
    if (this.isClosed) throw closedError();
    if (messages.length === 0) return [];
    // All callers wait for the same promise, so that those who come before it is there keep their order.
    let state = await this.topicState(topic);
    // Another process may have opened a generation with more partitions.
    if (messages.some(({ partition }) => partition >= state.partitions)) state = await this.reloadTopic(topic);
    checkMessages(state, messages);
    return this.appender.append(topic, state.compacted, messages);
  }

  consume(options: ConsumeOptions): Subscription {
    const { topic, group } = options;
    const { url, patienceMs } = this.options;
    return this.started(options, group, async (events) => {
      const state = await this.loadTopic(topic);
      return takeSeat({ url, patienceMs, topic: state, group, from: options.from, limits: limitsOf(options) }, events);
    });
  }

  follow(options: FollowOptions): Following {
    const { url, patienceMs } = this.options;
    const positions = new Map(options.from?.entries());
    return this.started(options, undefined, async (events) => {
      const topic = await this.loadTopic(options.topic);
      return takeFollowerSeat({ url, patienceMs, topic, limits: limitsOf(options), positions }, events);
    });
  }

  async read({ topic, partition, offset, limit }: Parameters<EventLog['read']>[0]): Promise<readonly LogMessage[]> {
    const { compacted } = await this.topicState(topic);
    const from = { topic, compacted, partition, offset, maxMessages: limit, maxBytes: defaultLimits.maxBytes };
    return this.withClient((client) => readMessages((select) => copyOut(client, select), from));
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    const offsets = await this.withClient((client) => readOffsets(client, topic));
    if (offsets.length === 0) throw unknownTopic(topic);
    return offsets;
  }

  async compact(topic: string): Promise<number> {
    const { compacted } = await this.topicState(topic);
    if (!compacted) return this.withClient((client) => foldTicks(client, topic, TICKS_FOLD_AFTER_US));
    const text = 'delete from log.compacted where topic = $1 and value is null and appended_us < log.now_us() - $2';
    return this.withClient(async (client) => (await client.query(text, [topic, tombstoneLifeUs])).rowCount ?? 0);
  }

  async dropBefore({ topic, partition, offset }: Parameters<EventLog['dropBefore']>[0]): Promise<number> {
    const text = 'delete from log.message where topic = $1 and partition = $2 and "offset" < $3';
    return this.withClient(async (client) => (await client.query(text, [topic, partition, offset])).rowCount ?? 0);
  }

  stats(): LogStats {
    return { append: this.appender.stats(), consumers: [...this.consumers].map((consumer) => consumer.stats()) };
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    // First the consumers: the batches in their hands may still have something to append.
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    this.isClosed = true;
    await this.appender.close();
    await this.pool.end();
  }

  private started(
    options: ConsumeOptions | FollowOptions,
    group: string | undefined,
    connect: (events: SeatEvents) => ReturnType<typeof takeSeat>,
  ) {
    if (this.closing !== undefined) throw closedError();
    const consumer: Consumer = new Consumer({
      topic: options.topic,
      group,
      handlers: options,
      roundMs: this.options.roundMs,
      connect,
      onClosed: () => this.consumers.delete(consumer),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  private topicState(topic: string): Promise<TopicState> {
    return this.topics.get(topic) ?? this.reloadTopic(topic);
  }

  private reloadTopic(topic: string): Promise<TopicState> {
    const loading = this.loadTopic(topic);
    this.topics.set(topic, loading);
    loading.catch(() => this.topics.get(topic) === loading && this.topics.delete(topic));
    return loading;
  }

  private loadTopic(topic: string): Promise<TopicState> {
    const text = 'select topic, partitions, compacted, generation from log.topic where topic = $1';
    return this.withClient(async (client) => {
      const [state] = (await client.query<TopicState>(text, [topic])).rows;
      if (state === undefined) throw unknownTopic(topic);
      return state;
    });
  }

  private async withSchema(client: pg.PoolClient): Promise<void> {
    this.schema ??= ensureSchema(client);
    try {
      await this.schema;
    } catch (error) {
      this.schema = undefined;
      throw error;
    }
  }

  private async withClient<T>(act: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.isClosed) throw closedError();
    try {
      const client = await this.pool.connect();
      let failure: Error | undefined;
      try {
        await this.withSchema(client);
        return await act(client);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        throw failure;
      } finally {
        client.release(failure !== undefined && !(failure instanceof LogError));
      }
    } catch (error) {
      throw explained(error);
    }
  }
}

const limitsOf = ({ maxMessages, maxBytes }: BatchLimits): Required<BatchLimits> => ({
  maxMessages: maxMessages ?? defaultLimits.maxMessages,
  maxBytes: maxBytes ?? defaultLimits.maxBytes,
});

const closedError = () => new LogError('log-closed', 'The log is closed.');

const unknownTopic = (topic: string) => new LogError('unknown-topic', `The log has no topic "${topic}". Create it first: createTopic.`);
