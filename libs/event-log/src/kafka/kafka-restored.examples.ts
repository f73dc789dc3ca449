/** For tests: a Kafka whose connections break, and whose topics lose their end while its groups remember it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { fetchFrom, KafkaCluster, kafkaOf } from './kafka-cluster.js';
import { typeOf } from './kafka-errors.js';

const configs = ['cleanup.policy', 'message.timestamp.type', 'message.timestamp.after.max.ms'];

export class RestoredKafka {
  private readonly sockets = new Set<Socket>();
  private readonly ports: ReadonlySet<string>;
  private readonly notice = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  };

  constructor(private readonly brokers: readonly string[]) {
    this.ports = new Set(brokers.map((broker) => broker.split(':')[1] ?? ''));
    subscribe('net.client.socket', this.notice);
  }

  /** Breaks every connection to the brokers that this process has. */
  cut(): void {
    for (const socket of this.sockets) if (this.ports.has(`${socket.remotePort}`)) socket.destroy(new Error('The connection was reset.'));
  }

  /** The topic is made anew with what it had before `end`; its groups' offsets stay. */
  async truncate(topic: string, partition: number, end: number): Promise<void> {
    const options = { brokers: this.brokers, clientId: 'restorer', patienceMs: 10_000 };
    const cluster = new KafkaCluster(options);
    const admin = kafkaOf(options, { retries: 8, initialRetryTime: 50 }).admin();
    await admin.connect();
    const broker = await cluster.leader(topic, partition);
    const [found] = await fetchFrom(broker, topic, [{ partition, offset: 0 }], { maxWaitMs: 0, maxBytes: 2 ** 24 });
    const kept = (found?.messages ?? []).filter(({ offset }) => Number(offset) < end);
    const offsets = await this.groupOffsets(admin, topic);
    const settings = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic, configNames: configs }] });
    const configEntries = (settings.resources[0]?.configEntries ?? []).map(({ configName, configValue }) => ({
      name: configName,
      value: configValue,
    }));
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.deleteTopics({ topics: [topic] });
    await this.recreate(admin, { topic, numPartitions: topics[0]?.partitions.length ?? 1, replicationFactor: 1, configEntries });
    if (kept.length > 0) {
      const messages = kept.map(({ key, value, batchContext }) => ({ key, value, timestamp: Number(batchContext.maxTimestamp) }));
      const fresh = new KafkaCluster(options);
      await fresh.patiently(async () =>
        (await fresh.leader(topic, partition)).produce({
          acks: -1,
          timeout: 5_000,
          topicData: [{ topic, partitions: [{ partition, messages }] }],
        }),
      );
      await fresh.close();
    }
    for (const { groupId, partitions } of offsets) await admin.setOffsets({ groupId, topic, partitions }).catch(() => undefined);
    await admin.disconnect();
    await cluster.close();
  }

  async close(): Promise<void> {
    unsubscribe('net.client.socket', this.notice);
  }

  private async groupOffsets(admin: Admin, topic: string) {
    const { groups } = await admin.listGroups();
    const own = groups.filter(({ groupId }) => groupId.endsWith(`.${topic}`));
    return Promise.all(
      own.map(async ({ groupId }) => {
        const [fetched] = await admin.fetchOffsets({ groupId, topics: [topic] });
        const partitions = (fetched?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0);
        return { groupId, partitions: partitions.map(({ partition, offset }) => ({ partition, offset })) };
      }),
    );
  }

  private async recreate(admin: Admin, config: Parameters<Admin['createTopics']>[0]['topics'][number]): Promise<void> {
    for (;;) {
      try {
        if (await admin.createTopics({ topics: [config], waitForLeaders: false })) return;
      } catch (error) {
        if (typeOf(error) === undefined) throw error;
      }
      await sleep(50);
    }
  }
}
