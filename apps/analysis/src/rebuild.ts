/** `node dist/rebuild.js`: empties the feedback store while no analysis process runs; the next one fills it again from the log, which must have all of it. */
import { openEventLog } from '@rampart/event-log/configured';
import { ClickhouseFeedbackStore } from '@rampart/feedback-store';
import { kafkaSecurityOf, logConfig, needsLog, readConfig } from '@rampart/service-kit';
import { namesCluster, storeConfig, storeOptions } from './config.js';
import { emptied } from './feedback/emptied-store.js';

const rebuilt = async (): Promise<string> => {
  const config = readConfig(namesCluster(needsLog(storeConfig.extend(logConfig))), process.env);
  const { RAMPART_DATABASE_URL: databaseUrl, KAFKA_BROKERS: kafkaBrokers } = config;
  const log = await openEventLog({ databaseUrl, kafkaBrokers, kafkaSecurity: kafkaSecurityOf(config), clientId: 'analysis rebuild' });
  const store = new ClickhouseFeedbackStore(storeOptions(config));
  try {
    const { filling } = await emptied(store, log);
    return `The store is empty (filling ${filling}); start analysis, and it fills it again from the log.`;
  } finally {
    await Promise.all([store.close(), log.close()]);
  }
};

rebuilt().then(
  (sentence) => process.stdout.write(`${sentence}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
