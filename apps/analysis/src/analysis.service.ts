/** Analysis as a service of the platform. */
import type { RunnableService } from '@rampart/service-kit';
import { analysisModule } from './analysis.module.js';
import { answerSchemas } from './answer-schemas.js';
import { type AnalysisConfig, analysisConfig } from './config.js';

export const analysisService: RunnableService<AnalysisConfig> = {
  name: 'analysis',
  api: {
    title: 'Rampart analysis',
    description: 'Results with everything needed to recompute them, and what ingestion took and refused.',
    version: '1',
    answers: answerSchemas,
  },
  config: analysisConfig,
  module: analysisModule,
  statuses: {
    'no-history': 409,
    'not-started': 409,
    'experiment-not-yet-defined': 409,
    importing: 409,
    'watermark-behind': 409,
    'watermark-undefined': 409,
  },
};
