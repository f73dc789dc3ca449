/** `node dist/rebuild.js`: empties the feedback store while no analysis process runs; the next one fills it again from the log. */
import { ClickhouseFeedbackStore } from '@rampart/feedback-store';
import { readConfig } from '@rampart/service-kit';
import { namesCluster, storeConfig, storeOptions } from './config.js';

const store = new ClickhouseFeedbackStore(storeOptions(readConfig(namesCluster(storeConfig), process.env)));
await store.reset();
process.stdout.write(`The store is empty (filling ${await store.identity()}); start analysis, and it fills it again from the log.\n`);
await store.close();
