/** Features and experiments as they are published, for specs: one on/off feature with one experiment, unless something else is said. */
import type {
  ExperimentDefinition,
  ExperimentState,
  FeatureDefinition,
  HoldoutDefinition,
  LayerDefinition,
  OverrideDefinition,
  Segment,
} from '@rampart/contracts';
import type { ExperimentRun, PublishedEnvironment } from './assignment-definitions.js';

export const feature = (more: Partial<FeatureDefinition> = {}): FeatureDefinition => ({
  key: 'checkout',
  name: 'Checkout',
  valueType: 'string',
  variants: [
    { key: 'control', value: 'old' },
    { key: 'treatment', value: 'new' },
  ],
  defaultVariant: 'control',
  ...more,
});

export const experiment = (more: Partial<ExperimentDefinition> = {}): ExperimentDefinition =>
  ({
    key: 'faster-checkout',
    name: 'Faster checkout',
    hypothesis: '',
    feature: 'checkout',
    unitType: 'user',
    assignment: 'rampart',
    variants: [
      { key: 'control', weight: 1 },
      { key: 'treatment', weight: 1 },
    ],
    control: 'control',
    metrics: [{ metric: 'converted', role: 'success' }],
    policy: 'ship',
    ...more,
  }) as ExperimentDefinition;

export const segment = (more: Partial<Segment> = {}): Segment => ({
  segment: 1,
  comparison: 1,
  startedAtUs: 1_000,
  coverage: 1,
  seed: 'seed-1',
  hashVersion: 2,
  ...more,
});

export const state = (more: Partial<ExperimentState> = {}): ExperimentState => ({
  experiment: 'faster-checkout',
  version: 1,
  status: 'running',
  segments: [segment()],
  startedAtUs: 1_000,
  closedAtUs: null,
  ...more,
});

export const run = (
  definition: Partial<ExperimentDefinition> = {},
  itsState: Partial<ExperimentState> = {},
  changedAtUs = 1_000,
): ExperimentRun => {
  const defined = experiment(definition);
  return { definition: defined, state: state({ experiment: defined.key, ...itsState }), changedAtUs };
};

export const inForce = (more: Partial<PublishedEnvironment> = {}): PublishedEnvironment => ({
  features: [feature()],
  killed: new Set(),
  runs: [run()],
  layers: [],
  holdouts: [],
  overrides: [],
  ...more,
});

export const override = (more: Partial<OverrideDefinition> = {}): OverrideDefinition => ({
  key: 'testers',
  feature: 'checkout',
  variant: 'treatment',
  unitType: 'user',
  units: ['tester'],
  isActive: true,
  ...more,
});

export const holdout = (more: Partial<HoldoutDefinition> = {}): HoldoutDefinition => ({
  key: 'baseline',
  name: 'Baseline',
  unitType: 'user',
  share: 0.1,
  seed: 'holdout-seed',
  isActive: true,
  ...more,
});

export const layer = (more: Partial<LayerDefinition> = {}): LayerDefinition => ({
  key: 'pages',
  name: 'Pages',
  unitType: 'user',
  seed: 'layer-seed',
  ...more,
});
