/** The service as it is run and as specs drive it. Codes that are no conflict with the state have their status here. */
import type { RunnableService } from '@rampart/service-kit';
import { experimentsModule } from './experiments.module.js';
import { type ExperimentsConfig, experimentsConfig } from './experiments-config.js';

/** What could never be carried out, whatever the state is. */
const UNPROCESSABLE = [
  'invalid-slug',
  'reserved-slug',
  'key-reach',
  'key-expiry',
  'key-quota',
  'metric-direction',
  'variant-twice',
  'variant-value',
  'default-variant-unknown',
  'too-few-arms',
  'control-not-an-arm',
  'weights-incomplete',
  'weight-not-an-integer',
  'weights-zero',
  'metric-twice',
  'margin-without-guardrail',
  'nothing-to-show',
  'arm-not-shipped',
  'arm-missing',
  'arm-is-control',
  'arm-unknown',
  'record-elsewhere',
  'on-harm-without-guardrail',
  'reach-without-assignment',
  'layer-range-empty',
  'layer-ranges-overlap',
  'targeting-too-deep',
  'targeting-unreadable',
  'experiment-not-rampable',
  'stage-count',
  'stage-twice',
  'stage-too-short',
  'coverage-falls',
  'deadline-before-bake-time',
  'last-stage-unmonitored',
  'text-not-storable',
  'webhook-address-inner',
  'condition-too-deep',
  'condition-unreadable',
  'override-of-nobody',
];

export const experimentsService: RunnableService<ExperimentsConfig> = {
  name: 'experiments',
  api: {
    title: 'Rampart experiments',
    description:
      'Projects, environments, keys, metrics, features and experiments: define, start, decide, and see what was so when and upon which record.',
    version: '1',
  },
  module: experimentsModule,
  config: experimentsConfig,
  statuses: { ...Object.fromEntries(UNPROCESSABLE.map((code) => [code, 422])), 'too-many-watchers': 503 },
};
