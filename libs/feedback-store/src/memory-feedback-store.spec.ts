import { feedbackStoreContract } from './examples/feedback-store.contract.js';
import { MemoryFeedbackStore } from './memory-feedback-store.js';

feedbackStoreContract('the definition in memory', async () => new MemoryFeedbackStore());
