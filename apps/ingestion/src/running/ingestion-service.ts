/** Ingestion as a service of the platform: its name, limits and the statuses of its refusals. */
import { LIMITS } from '@rampart/contracts';
import type { RunnableService } from '@rampart/service-kit';
import { answerSchemas } from '../answer-schemas.js';
import { ingestionModule } from '../ingestion.module.js';
import { type IngestionConfig, ingestionConfig } from './ingestion-config.js';

export const ingestionService: RunnableService<IngestionConfig> = {
  name: 'ingestion',
  api: {
    title: 'Rampart ingestion',
    description: 'Takes CloudEvents: what units saw, did and said. Each event is answered by itself; accepted means that the log has it.',
    version: '1',
    answers: answerSchemas,
  },
  config: ingestionConfig,
  module: ingestionModule,
  bodyLimit: LIMITS.batchBytes,
  statuses: { 'environment-kind': 403, 'too-many-events': 413, 'quota-exceeded': 429 },
};
