/** Single questions of the public SDK interface: one experiment, one namespace, the sticky documents that a unit could have. */
import { isObject } from '../conditions/predicates.js';
import { bucketOf } from '../hashing/bucket.js';
import { rangeOf } from '../hashing/ranges.js';
import { type ExperimentResult, experimentResult } from '../ruleset/results.js';
import type { CompiledExperiment } from '../ruleset/ruleset.js';
import { runExperiment } from '../ruleset/run-experiment.js';
import { documentValue, identityOf, type Unit } from '../ruleset/unit.js';
import { Compilation } from './compilation.js';
import { compileStandalone, DEFAULT_ATTRIBUTE } from './compile-experiment.js';
import { compileInto } from './compile-payload.js';
import type { Payload, PayloadExperiment } from './payload.js';

/** An experiment outside the features of `payload`, whose features may be its prerequisites. */
export const compileRun = (experiment: PayloadExperiment, payload: Payload = {}): CompiledExperiment => {
  const compilation = new Compilation(payload.savedGroups ?? {}, {});
  compileInto(payload, new Map(), compilation);
  return compileStandalone(experiment, payload.overrides, compilation);
};

export const run = (experiment: CompiledExperiment, unit: Unit): ExperimentResult =>
  experimentResult(experiment, runExperiment(experiment, unit), unit);

/** Whether a unit is in a range of a namespace, the older form of a layer. */
export const inNamespace = (unitId: string, [id, start, end]: readonly [id: string, start: number, end: number]): boolean => {
  const { bounds, hash } = new Compilation({}, {}).filter(id, `__${id}`, [[start, end]], 1, DEFAULT_ATTRIBUTE);
  return hash !== null && rangeOf(bounds, bucketOf(hash.bucketing, unitId)) >= 0;
};

/** By which attributes, with which values, the payload's experiments could have kept sticky buckets of this unit. */
export const stickyAttributes = ({ experiments, features }: Payload, unit: Unit): Readonly<Record<string, string>> => {
  const rules = Object.values(features ?? {}).flatMap((feature) => (Array.isArray(feature?.rules) ? feature.rules : []));
  const assigning = [
    ...rules.filter((rule) => isObject(rule) && (rule.variations || rule.contextualVariations)),
    ...(Array.isArray(experiments) ? experiments : []),
  ];
  const names = new Set(
    assigning.flatMap(({ fallbackAttribute, hashAttribute }) => [
      hashAttribute || DEFAULT_ATTRIBUTE,
      ...(fallbackAttribute ? [fallbackAttribute] : []),
    ]),
  );
  return Object.fromEntries([...names].map((name) => [name, documentValue(identityOf(unit, name, null).value)]));
};
