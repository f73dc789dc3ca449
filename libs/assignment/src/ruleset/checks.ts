/** The questions that rules and experiments ask of a unit. */
import { bucketOf } from '../hashing/bucket.js';
import { rangeOf } from '../hashing/ranges.js';
import type { Condition, Filter, HashUse, Rollout } from './ruleset.js';
import { idOf, traced, type Unit } from './unit.js';

/** @returns -1 for a unit without id */
export const bucketFor = (use: HashUse, unit: Unit): number => {
  if (unit.buckets !== null && use.slot >= 0) return unit.buckets[use.slot] as number;
  const id = idOf(unit, use.attribute);
  return id === undefined ? -1 : bucketOf(use.bucketing, id);
};

/** The same for whoever may be known by a second attribute. It counts only for units that bring sticky buckets. */
export const bucketWithFallback = (use: HashUse, unit: Unit, fallback: string | null): number => {
  const bucket = bucketFor(use, unit);
  if (bucket >= 0 || fallback === null || !unit.isSticky) return bucket;
  const id = idOf(unit, fallback);
  return id === undefined ? -1 : bucketOf(use.bucketing, id);
};

/** In bulk evaluation each distinct condition is asked once a unit. */
export const conditionHolds = (condition: Condition, unit: Unit): boolean => {
  const { memory } = unit;
  if (memory === null || condition.slot < 0) return condition.test(unit.attributes);
  const known = memory[condition.slot];
  if (known !== 0) return known === 2;
  const holds = condition.test(unit.attributes);
  memory[condition.slot] = holds ? 2 : 1;
  return holds;
};

export const isTargeted = (condition: Condition, unit: Unit): boolean => {
  const holds = conditionHolds(condition, unit);
  if (unit.trace !== null) traced(unit, 'targeting', 'condition', holds);
  return holds;
};

const shareOf = (use: HashUse | null, bucket: number): number | undefined =>
  use === null || bucket < 0 ? undefined : bucket / use.bucketing.buckets;

export const passesFilter = (filter: Filter, unit: Unit, fallback: string | null = null): boolean => {
  const bucket = filter.hash === null ? -1 : bucketWithFallback(filter.hash, unit, fallback);
  const passes = bucket >= 0 && rangeOf(filter.bounds, bucket) >= 0;
  if (unit.trace !== null) traced(unit, 'layer', filter.name, passes, shareOf(filter.hash, bucket));
  return passes;
};

/** Filters are layers: all of them must let the unit in. */
export const passesFilters = (filters: readonly Filter[], unit: Unit): boolean => {
  for (const filter of filters) if (!passesFilter(filter, unit)) return false;
  return true;
};

export const isInRollout = (rollout: Rollout, unit: Unit): boolean => {
  const bucket = rollout.hash === null ? -1 : bucketWithFallback(rollout.hash, unit, rollout.fallback);
  const isIn = bucket >= 0 && rangeOf(rollout.bounds, bucket) >= 0;
  unit.bucket = isIn ? bucket : -1;
  if (unit.trace !== null) traced(unit, 'rollout', rollout.hash?.bucketing.seed ?? '', isIn, shareOf(rollout.hash, bucket));
  return isIn;
};
