/** The log on Kafka ≥ 3.9. */
import { type KafkaEventLogOptions, settingsOf } from './kafka/kafka-options.js';
import { MemoryEventLog } from './memory-event-log.js';

export type { KafkaEventLogOptions } from './kafka/kafka-options.js';

export class KafkaEventLog extends MemoryEventLog {
  constructor(options: KafkaEventLogOptions) {
    super({ maxQueuedBytes: settingsOf(options).maxQueuedBytes });
    throw new Error('The log on Kafka is being built: its next commit replaces this.');
  }
}
