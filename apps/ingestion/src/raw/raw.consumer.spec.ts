import { MemoryEventLog, MemoryStore } from '@rampart/event-log/memory';
import { rawConsumerContract } from './raw-consumer.contract.js';

rawConsumerContract('the log in memory', async () => {
  const store = new MemoryStore();
  return { open: async () => new MemoryEventLog({ store }), dispose: async () => undefined };
});
