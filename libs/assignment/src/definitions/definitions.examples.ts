/** A feature, an experiment on it, and a unit: what tests vary one thing of. */

import { evaluate } from '../ruleset/evaluate.js';
import type { Decision } from '../ruleset/ruleset.js';
import { type Context, unitOf } from '../ruleset/unit.js';
import { compileDefinitions } from './compile-definitions.js';
import type { Definitions, ExperimentDefinition, FeatureDefinition } from './definitions.js';

export const checkout: FeatureDefinition = {
  key: 'checkout',
  variants: [
    { key: 'off', value: false },
    { key: 'on', value: true },
  ],
  defaultVariant: 'off',
};

export const halves: ExperimentDefinition = {
  key: 'one-page',
  feature: 'checkout',
  version: 1,
  segment: 1,
  seed: 'one-page-1',
  arms: [
    { variant: 'off', weight: 1 },
    { variant: 'on', weight: 1 },
  ],
  coverage: 1,
};

export const decideFor = (definitions: Definitions, id: string, context: Context = {}, feature = 'checkout'): Decision =>
  evaluate(compileDefinitions(definitions), feature, unitOf({ attributes: { id }, ...context }));
