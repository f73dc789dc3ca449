import { openEventLog } from '@rampart/event-log/configured';
import { ownKafka } from '@rampart/test-engines';
import { rawProcessesContract } from './raw-processes.contract.js';

rawProcessesContract('Kafka', async () => {
  const { brokers, stop } = await ownKafka();
  return { log: await openEventLog({ kafkaBrokers: brokers }), env: { KAFKA_BROKERS: brokers }, dispose: stop };
});
