import { openEventLog } from '@rampart/event-log/configured';
import { ownKafka } from '@rampart/test-engines';
import { rawConsumerContract } from './raw-consumer.contract.js';

rawConsumerContract('Kafka', async () => {
  // Its own: the topics of a platform have one name.
  const { brokers, stop } = await ownKafka();
  return { open: () => openEventLog({ kafkaBrokers: brokers }), dispose: stop };
});
