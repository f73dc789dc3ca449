/** A shop that tries three things at once: what it defines on the platform, as a product team would by hand. */
import type { ExperimentInput, FeatureInput, MetricInput, RolloutRequest } from '@rampart/contracts';

/** Names of removed projects are never used again: the next one is `demo-2`. */
export const projectKey = (nth: number): string => (nth === 1 ? 'demo' : `demo-${nth}`);
/** Known by its name: a project of this key may be somebody's own. */
export const PROJECT_NAME = 'Demo: a shop';
/** @returns the keys of those that are demos */
export const demosAmong = (projects: readonly { readonly key: string; readonly name: string }[]): readonly string[] =>
  projects.filter(({ key, name }) => /^demo(-\d+)?$/.test(key) && name === PROJECT_NAME).map(({ key }) => key);
export const ENVIRONMENT = 'production';

/** In the order in which a visitor meets them. */
export const FEATURES = ['quick-search', 'calm-banner', 'one-page-checkout'] as const;
export type FeatureKey = (typeof FEATURES)[number];

const NAMES: Readonly<Record<FeatureKey, string>> = {
  'quick-search': 'Quick search',
  'calm-banner': 'Calm banner',
  'one-page-checkout': 'One-page checkout',
};

const HYPOTHESES: Readonly<Record<FeatureKey, string>> = {
  'quick-search': 'Results while typing: more visitors find what they want.',
  'calm-banner': 'A banner that does not blink is clicked as often.',
  'one-page-checkout': 'One page instead of three: more visitors buy.',
};

const SECOND_US = 1_000_000;
/** After a visitor met the feature. What they do takes less. */
const WINDOW_US = 4 * SECOND_US;
const LATENESS_US = 2 * SECOND_US;

export const features: readonly FeatureInput[] = FEATURES.map((key) => ({
  key,
  name: NAMES[key],
  valueType: 'boolean',
  variants: [
    { key: 'off', value: false },
    { key: 'on', value: true },
  ],
  defaultVariant: 'off',
}));

const share = (key: string, name: string, event: string): MetricInput => ({
  ...{ key, name, type: 'proportion', unitType: 'user', numerator: { event }, windowUs: WINDOW_US, direction: 'increase' },
});

export const metrics: readonly MetricInput[] = [
  share('found', 'Found something', 'item-found'),
  share('clicked', 'Clicked the banner', 'banner-clicked'),
  share('bought', 'Bought', 'purchase'),
  {
    ...{ key: 'revenue', name: 'Revenue', type: 'mean', unitType: 'user', numerator: { event: 'purchase' } },
    ...{ windowUs: WINDOW_US, direction: 'increase', capUpper: '500' },
  },
  {
    ...{ key: 'crashed', name: 'Crashed', type: 'first-error', unitType: 'user', numerator: { event: 'crash' } },
    ...{ windowUs: null, direction: 'decrease' },
  },
];

const SUCCESS: Readonly<Record<FeatureKey, string>> = { 'quick-search': 'found', 'calm-banner': 'clicked', 'one-page-checkout': 'bought' };

export const experiments: readonly ExperimentInput[] = FEATURES.map((key) => ({
  key,
  name: NAMES[key],
  hypothesis: HYPOTHESES[key],
  feature: key,
  assignment: 'rampart',
  variants: [{ key: 'off' }, { key: 'on' }],
  control: 'off',
  metrics: [
    { metric: SUCCESS[key], role: 'success' },
    { metric: 'crashed', role: 'guardrail' },
    { metric: 'revenue', role: 'secondary' },
  ],
  // A demo is watched for minutes: a real plan runs for days. What makes no difference must not be over while somebody watches: days of visitors.
  plan: { allowedLatenessUs: LATENESS_US, minimumRunUs: 90 * SECOND_US, plannedUnits: key === 'calm-banner' ? 20_000_000 : 20_000 },
}));

const STAGES: RolloutRequest['stages'] = [
  { name: 'first-steps', coverage: 0.1, bakeSeconds: 15, minUnits: 50 },
  { name: 'a-quarter', coverage: 0.25, bakeSeconds: 15, minUnits: 150 },
  { name: 'half', coverage: 0.5, bakeSeconds: 15, minUnits: 300 },
  { name: 'everybody', coverage: 1, bakeSeconds: 15, minUnits: 1_000 },
];

export const rollouts: readonly RolloutRequest[] = FEATURES.map((key) => ({
  ...{ key, name: NAMES[key], experiment: key, environment: ENVIRONMENT, stages: STAGES, freshnessSeconds: 30 },
}));
