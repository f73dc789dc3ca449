import { kafkaAddress } from '@rampart/test-engines';
import { eventLogContract } from './event-log.contract.js';
import { RestoredKafka } from './kafka/kafka-restored.examples.js';
import { KafkaEventLog } from './kafka-event-log.js';

/** Producers' timestamps in place of the broker's: a clock that a test can set. */
const settableClock = { 'message.timestamp.type': 'CreateTime', 'message.timestamp.after.max.ms': '9223372036854775807' };

eventLogContract('the log on Kafka', async () => {
  const brokers = kafkaAddress().split(',');
  const restored = new RestoredKafka(brokers);
  let clockUs: number | undefined;
  const open: KafkaEventLog[] = [];
  return {
    compactsInItsTime: true,
    marksGenerations: true,
    commitsOverNewConnections: true,
    open: (options) => {
      const log = new KafkaEventLog({
        brokers,
        roundMs: 50,
        sessionMs: 1_500,
        topicSettings: settableClock,
        stampMs: () => Math.floor((clockUs ?? Date.now() * 1_000) / 1_000),
        ...options,
      });
      open.push(log);
      return log;
    },
    setClock: async (at) => {
      clockUs = at;
    },
    cut: async () => restored.cut(),
    truncate: (topic, partition, end) => restored.truncate(topic, partition, end),
    dispose: async () => {
      await Promise.all(open.map((log) => log.close()));
      await restored.close();
    },
  };
});
