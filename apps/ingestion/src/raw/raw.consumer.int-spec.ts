import { PostgresEventLog } from '@rampart/event-log/postgres';
import { freshDatabase } from '@rampart/test-engines';
import { rawConsumerContract } from './raw-consumer.contract.js';

rawConsumerContract('PostgreSQL', async () => {
  const { url, drop } = await freshDatabase();
  return { open: async () => new PostgresEventLog({ url }), dispose: drop };
});
