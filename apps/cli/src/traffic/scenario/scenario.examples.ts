/** A small scenario for specs, with what the spec is about in place of its parts. */
import { type Scenario, scenario } from './scenario.js';

export const scenarioParts = (parts: object = {}): object => ({
  key: 'example',
  description: 'An example.',
  arrival: { perSecond: 100 },
  units: 8_000,
  experiments: [{ key: 'button', arms: [{ variant: 'control' }, { variant: 'treatment' }] }],
  events: [{ name: 'purchase', probability: 0.2, value: { distribution: 'normal', mean: 50, sd: 10 } }],
  ...parts,
});

export const exampleScenario = (parts: object = {}): Scenario => scenario.parse(scenarioParts(parts));
