import { feedbackDeltaContract } from './examples/feedback-delta.contract.js';
import { feedbackErasureContract } from './examples/feedback-erasure.contract.js';
import { feedbackExpiryContract } from './examples/feedback-expiry.contract.js';
import { feedbackStoreContract } from './examples/feedback-store.contract.js';
import { feedbackTimeContract } from './examples/feedback-time.contract.js';
import { MemoryFeedbackStore } from './memory-feedback-store.js';

feedbackStoreContract('the definition in memory', async () => new MemoryFeedbackStore());

feedbackErasureContract('the definition in memory', async () => new MemoryFeedbackStore());
feedbackExpiryContract('the definition in memory', async () => new MemoryFeedbackStore());

feedbackDeltaContract('the definition in memory', {
  create: async () => new MemoryFeedbackStore(),
  nowUs: 1_700_000_000_000_000,
  numRuns: 20,
});

feedbackTimeContract('the definition in memory', async () => new MemoryFeedbackStore(), 15);
