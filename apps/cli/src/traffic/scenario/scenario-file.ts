/** Reads a scenario: what is wrong with it is said with file, line and column. */
import { parseChecked, readText } from '../../plan/checked-json.js';
import { type Scenario, scenario } from './scenario.js';
import { fieldNames } from './scenario-fields.js';

/** @throws Refusal naming every wrong field, with its place */
export const parseScenario = (text: string, file: string): Scenario =>
  parseChecked(text, { file, schema: scenario, what: 'scenario', fields: fieldNames() });

/** @throws Refusal */
export const readScenario = (file: string): Scenario => parseScenario(readText(file, 'scenario'), file);

/** The same scenario, shorter or with another seed. */
export const limited = (
  given: Scenario,
  { units, seconds, seed }: { readonly units?: number; readonly seconds?: number; readonly seed?: number },
): Scenario => ({
  ...given,
  units: units ?? given.units,
  // Units alone: as many as were asked for, however long that takes.
  seconds: seconds ?? (units === undefined ? given.seconds : undefined),
  seed: seed ?? given.seed,
});
