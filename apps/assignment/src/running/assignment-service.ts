/** Assignment as a service of the platform: its name, limits and the statuses of its refusals. */
import type { RunnableService } from '@rampart/service-kit';
import { answerSchemas } from '../answer-schemas.js';
import { assignmentModule } from '../assignment.module.js';
import { CONTEXT_LIMITS } from '../evaluation/ofrep-request.js';
import { type AssignmentConfig, assignmentConfig } from './assignment-config.js';

export const assignmentService: RunnableService<AssignmentConfig> = {
  name: 'assignment',
  api: {
    title: 'Rampart assignment',
    description:
      'Who gets what: evaluates features for units (OFREP), explains why, and keeps what it told. Answers also while everything else is down.',
    version: '1',
    answers: answerSchemas,
  },
  config: assignmentConfig,
  module: assignmentModule,
  bodyLimit: CONTEXT_LIMITS.bytes,
  statuses: { 'environment-kind': 409, 'quota-exceeded': 429 },
};
