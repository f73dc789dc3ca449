import { eventLogContract } from './event-log.contract.js';
import { MemoryEventLog, MemoryStore } from './memory-event-log.js';

eventLogContract('the log in memory', async () => {
  const store = new MemoryStore();
  const { nowUs } = store;
  return {
    open: (options) => new MemoryEventLog({ store, ...options }),
    setClock: async (at) => {
      store.nowUs = at === undefined ? nowUs : () => at;
    },
    cut: async () => store.groups.cut(),
    truncate: async (topic, partition, end) => store.topics.get(topic)?.truncate(partition, end),
    dispose: async () => undefined,
  };
});
