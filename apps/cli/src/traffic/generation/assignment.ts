/** Which arm a unit is given. Asking an assignment service would be one more `Assign`, for which the one loop in traffic.ts has to wait. */
import type { ScenarioExperiment } from '../scenario/scenario.js';
import { fnv32a, type Random } from './random.js';

export interface Assignment {
  readonly variant: string;
  readonly reason: 'SPLIT' | 'USER_CHANNEL' | 'OVERRIDE' | 'HOLDOUT' | 'STATIC' | undefined;
}

/** @returns undefined for a unit that takes no part */
export type Assign = (experiment: ScenarioExperiment, unitId: string, random: Random) => Assignment | undefined;

/** As the scenario says: by the public hash of the unit's id, or by dice. */
export const assignByScenario: Assign = ({ assignment, salt, coverage, arms }, unitId, random) => {
  const isHashed = assignment === 'hash';
  const point = isHashed ? hashPoint(salt, unitId) : random.uniform();
  const variant = variantAt(point, coverage, arms);
  return variant === undefined ? undefined : { variant, reason: isHashed ? 'SPLIT' : undefined };
};

/** Version 2 of the public assignment hash. @returns one of 10,000 steps in [0, 1) */
export const hashPoint = (seed: string, value: string): number => (fnv32a(String(fnv32a(seed + value))) % 10_000) / 10_000;

/** Every arm shrinks from its own beginning: raising the coverage moves nobody. */
const variantAt = (point: number, coverage: number, arms: ScenarioExperiment['arms']): string | undefined => {
  const whole = arms.reduce((sum, { weight }) => sum + weight, 0);
  let begin = 0;
  for (const { variant, weight } of arms) {
    const width = weight / whole;
    if (point >= begin && point < begin + width * coverage) return variant;
    begin += width;
  }
  return undefined;
};
