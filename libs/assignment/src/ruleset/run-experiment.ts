/** Which arm of an experiment a unit gets, asked in the order of the public specification. */
import { memberOf } from '../conditions/attributes.js';
import { rangeOf } from '../hashing/ranges.js';
import { bucketWithFallback, isTargeted, passesFilter, passesFilters } from './checks.js';
import { trackedResult } from './results.js';
import type { CompiledExperiment, Decision, Gates, Unusual } from './ruleset.js';
import { BLOCKED, keepStickyArm, NO_STICKY_BUCKET, stickyArm } from './sticky-buckets.js';
import { traced, type Unit } from './unit.js';

/** `?key=1` in the page's address. @returns null without a valid arm of that experiment */
export const queryStringOverride = (key: string, url: string, arms: number): number | null => {
  const search = url.split('?')[1]?.replace(/#.*/, '') ?? '';
  for (const pair of search.split('&')) {
    const [name, value = ''] = pair.split('=', 2);
    if (name !== key) continue;
    const arm = Number.parseInt(value, 10);
    return arm >= 0 && arm < arms ? arm : null; // the first one counts
  }
  return null;
};

const forcedArm = (experiment: CompiledExperiment, arm: unknown): Decision | null =>
  typeof arm === 'number' ? (experiment.forced[arm] ?? null) : null;

const out = (unit: Unit, name: string): null => {
  if (unit.trace !== null) traced(unit, 'check', name, false);
  return null;
};

/** Before the hash. @returns undefined: go on; null: out */
const earlyAnswer = (experiment: CompiledExperiment, unit: Unit): Decision | null | undefined => {
  const { unusual } = experiment;
  const { context } = unit;
  if (unusual?.hasTooFewArms === true) return out(unit, 'at least two arms');
  if (context.enabled === false) return out(unit, 'experiments are enabled');
  if (unusual !== null && unusual.matchesUrlPatterns !== null && !unusual.matchesUrlPatterns(unit.url)) return out(unit, 'url patterns');
  const byAddress = unit.url === '' ? null : queryStringOverride(experiment.key, unit.url, experiment.variations.length);
  const forced = byAddress ?? memberOf(context.forcedVariations, experiment.key);
  if (forced !== null && forced !== undefined) {
    const decision = forcedArm(experiment, forced);
    if (unit.trace !== null) traced(unit, 'forced variation', String(forced), decision !== null);
    return decision;
  }
  return unusual?.isInactive === true ? out(unit, 'experiment is active') : undefined;
};

const included = (include: () => boolean): boolean => {
  try {
    return include();
  } catch {
    return false;
  }
};

const passesGates = (gates: Gates, experiment: CompiledExperiment, unit: Unit): boolean => {
  if (gates.filters !== null) {
    if (!passesFilters(gates.filters, unit)) return false;
  } else if (gates.namespace !== null && !passesFilter(gates.namespace, unit, experiment.sticky?.fallback)) return false;
  if (gates.include !== null && !included(gates.include)) return false;
  if (gates.condition !== null && !isTargeted(gates.condition, unit)) return false;
  if (gates.prerequisitesHold !== null && !gates.prerequisitesHold(unit)) return false;
  return gates.groups === null || gates.groups.some((group) => Boolean(memberOf(unit.context.groups, group)));
};

/** After the hash. @returns undefined: the arm stands; null: out */
const lateAnswer = (experiment: CompiledExperiment, unusual: Unusual | null, unit: Unit): Decision | null | undefined => {
  if (unusual !== null && unusual.force !== null) return forcedArm(experiment, unusual.force);
  if (unit.context.qaMode === true) return out(unit, 'not in QA mode');
  return unusual?.isStopped === true ? out(unit, 'experiment is not stopped') : undefined;
};

/** What is left to do once an arm is found. */
const settle = (experiment: CompiledExperiment, unit: Unit, arm: number, bucket: number, isSticky: boolean): Decision | null => {
  const decision = experiment.assigned[arm] ?? null;
  if (decision === null) return null;
  unit.bucket = bucket;
  unit.stickyUsed = isSticky;
  if (unit.isSticky) keepStickyArm(experiment, decision.variant ?? '', unit);
  if (unit.tracked !== null) unit.tracked.push(trackedResult(experiment, decision, unit));
  return decision;
};

/**
 * @returns the arm's decision, shared by all units that get it; null: not in the experiment.
 * `unit.bucket` holds the bucket that chose, -1 if none did; `unit.stickyUsed` whether an earlier assignment did
 */
export const runExperiment = (experiment: CompiledExperiment, unit: Unit): Decision | null => {
  unit.bucket = -1;
  unit.stickyUsed = false;
  const { gates, hash, unusual } = experiment;
  const isUnusual = unusual !== null || !unit.isPlain;
  if (isUnusual) {
    const early = earlyAnswer(experiment, unit);
    if (early !== undefined) return early;
  }
  const bucket = hash === null ? -1 : bucketWithFallback(hash, unit, experiment.sticky === null ? null : experiment.sticky.fallback);
  if (bucket < 0 || hash === null) return out(unit, 'unit id');
  const sticky = isUnusual ? stickyArm(experiment, unit) : NO_STICKY_BUCKET;
  if (sticky < 0 && gates !== null && !passesGates(gates, experiment, unit)) return null;
  if (unusual !== null && unusual.matchesUrl !== null && !unusual.matchesUrl(unit.url)) return out(unit, 'url');
  if (sticky !== NO_STICKY_BUCKET && unit.trace !== null) traced(unit, 'sticky bucket', experiment.key, sticky !== BLOCKED);
  if (sticky === BLOCKED) {
    unit.stickyUsed = true;
    return null;
  }
  const arm = sticky >= 0 ? sticky : rangeOf(experiment.bounds, bucket);
  if (unit.trace !== null) traced(unit, 'allocation', experiment.key, arm >= 0, bucket / hash.bucketing.buckets);
  if (arm < 0) return null;
  if (isUnusual) {
    const late = lateAnswer(experiment, unusual, unit);
    if (late !== undefined) return late;
  }
  return settle(experiment, unit, arm, bucket, sticky >= 0);
};
