import { PostgresEventLog } from '@rampart/event-log/postgres';
import { freshDatabase } from '@rampart/test-engines';
import { rawProcessesContract } from './raw-processes.contract.js';

rawProcessesContract('PostgreSQL', async () => {
  const { url, drop } = await freshDatabase();
  return { log: new PostgresEventLog({ url }), env: { RAMPART_DATABASE_URL: url }, dispose: drop };
});
