/** Sticky buckets: where a unit was assigned before outweighs where its hash would put it now. */
import { jsonOf, memberOf } from '../conditions/attributes.js';
import { isObject } from '../conditions/predicates.js';
import type { CompiledExperiment, StickySettings } from './ruleset.js';
import { documentValue, identityOf, type StickyDocument, type StickyDocuments, type Unit } from './unit.js';

export const NO_STICKY_BUCKET = -1;
/** The unit was in a version that is shut out for good. */
export const BLOCKED = -2;

export const documentKey = (attributeName: string, attributeValue: string): string => `${attributeName}||${attributeValue}`;
const assignmentKey = (experiment: string, version: number): string => `${experiment}__${version}`;

const assignmentsUnder = (documents: StickyDocuments, key: string): Readonly<Record<string, unknown>> => {
  const document = memberOf(documents, key);
  const assignments = isObject(document) ? document.assignments : null;
  return isObject(assignments) ? assignments : {};
};

/** The second attribute's assignments, and over them those of the first. Without a second one it is `id`, as in the public SDKs. */
const assignmentsOf = (experiment: CompiledExperiment, settings: StickySettings, unit: Unit): Readonly<Record<string, unknown>> => {
  const own = identityOf(unit, experiment.attribute, null);
  const other = identityOf(unit, settings.fallback ?? 'id', null);
  return {
    ...(other.value ? assignmentsUnder(unit.stickyBuckets, documentKey(other.name, documentValue(other.value))) : {}),
    ...assignmentsUnder(unit.stickyBuckets, documentKey(own.name, documentValue(own.value))),
  };
};

/** @returns an arm, `NO_STICKY_BUCKET` or `BLOCKED` */
export const stickyArm = (experiment: CompiledExperiment, unit: Unit): number => {
  const { sticky } = experiment;
  if (!unit.isSticky || sticky === null) return NO_STICKY_BUCKET;
  const assignments = assignmentsOf(experiment, sticky, unit);
  for (let version = 0; version < sticky.minBucketVersion; version += 1) {
    if (assignments[assignmentKey(experiment.key, version)] !== undefined) return BLOCKED;
  }
  const variation = assignments[assignmentKey(experiment.key, sticky.bucketVersion)];
  return variation === undefined ? NO_STICKY_BUCKET : sticky.variationKeys.indexOf(variation as string);
};

/** Keeps the arm under the attribute that was used; what changed is data for whoever stores it. */
export const keepStickyArm = (experiment: CompiledExperiment, variant: string, unit: Unit): void => {
  const { sticky } = experiment;
  if (!unit.isSticky || sticky === null) return;
  const { name, value } = identityOf(unit, experiment.attribute, sticky.fallback);
  const attributeValue = documentValue(value);
  const key = documentKey(name, attributeValue);
  const before = assignmentsUnder(unit.stickyBuckets, key);
  const assignments = { ...before, [assignmentKey(experiment.key, sticky.bucketVersion)]: variant };
  if (jsonOf(before) === jsonOf(assignments)) return;
  const document: StickyDocument = { attributeName: name, attributeValue, assignments: assignments as StickyDocument['assignments'] };
  unit.stickyBuckets = { ...unit.stickyBuckets, [key]: document };
  unit.stickyChanges = [...unit.stickyChanges, document];
};
