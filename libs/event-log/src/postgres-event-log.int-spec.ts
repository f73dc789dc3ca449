import { freshDatabase } from '@rampart/test-engines';
import pg from 'pg';
import { eventLogContract } from './event-log.contract.js';
import { PostgresEventLog } from './postgres-event-log.js';

const runningClock = '(extract(epoch from clock_timestamp()) * 1000000)::bigint';

eventLogContract('the log on PostgreSQL', async () => {
  const database = await freshDatabase();
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  return {
    open: (options) => new PostgresEventLog({ url: database.url, roundMs: 50, ...options }),
    setClock: async (at) => {
      await admin.query(
        `create or replace function log.now_us() returns bigint language sql volatile as $$ select ${at ?? runningClock} $$`,
      );
    },
    cut: async () => {
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    },
    truncate: async (topic, partition, end) => {
      await admin.query('delete from log.message where topic = $1 and partition = $2 and "offset" >= $3', [topic, partition, end]);
      await admin.query('update log.partition set next_offset = $3 where topic = $1 and partition = $2', [topic, partition, end]);
    },
    dispose: async () => {
      await admin.end();
      await database.drop();
    },
  };
});
