/** Everything that is simulated, in the order of the table. */
import type { Scenario } from './scenario.js';
import { clocks } from './scenarios/clocks.js';
import { counts } from './scenarios/counts.js';
import { detection } from './scenarios/detection.js';
import { margins } from './scenarios/margins.js';
import { methods } from './scenarios/methods.js';
import { metrics } from './scenarios/metrics.js';
import { planner } from './scenarios/planner.js';
import { policies } from './scenarios/policies.js';
import { ranks } from './scenarios/ranks.js';
import { sequences } from './scenarios/sequences.js';
import { strata } from './scenarios/strata.js';
import { tails } from './scenarios/tails.js';

export const scenarios: readonly Scenario[] = [
  ...sequences,
  ...metrics,
  ...strata,
  ...tails,
  ...ranks,
  ...margins,
  ...counts,
  ...clocks,
  ...detection,
  ...methods,
  ...planner,
  ...policies,
];

export const scenarioNamed = (name: string): Scenario => {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined)
    throw new RangeError(`there is no scenario ${name}: choose among ${scenarios.map((one) => one.name).join(', ')}`);
  return found;
};
