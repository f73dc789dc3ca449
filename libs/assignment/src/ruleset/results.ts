/** Decisions in the shape that the public SDKs know: feature results, experiment results, tracking calls. */
import type { CompiledExperiment, Decision, Source } from './ruleset.js';
import { identityOf, type Tracked, type Unit } from './unit.js';

export interface ExperimentResult {
  readonly key: string;
  readonly featureId: string | null;
  readonly inExperiment: boolean;
  readonly hashUsed: boolean;
  readonly variationId: number;
  readonly value: unknown;
  readonly hashAttribute: string;
  readonly hashValue: unknown;
  readonly stickyBucketUsed: boolean;
  readonly [more: string]: unknown;
}

export interface FeatureResult {
  readonly value: unknown;
  readonly on: boolean;
  readonly off: boolean;
  readonly source: Source;
  readonly ruleId: string;
  readonly experiment?: Readonly<Record<string, unknown>>;
  readonly experimentResult?: ExperimentResult;
}

const leafOf = ({ leaf }: CompiledExperiment): Readonly<Record<string, unknown>> =>
  leaf === null
    ? {}
    : {
        leafId: leaf.leafId,
        variationWeights: leaf.variationWeights,
        ...(leaf.banditVersion === undefined ? {} : { banditVersion: leaf.banditVersion }),
      };

/** Name and passthrough as the experiment's meta has them; only what is said is shown. */
const metaOf = (
  experiment: CompiledExperiment,
  arm: number,
): { readonly key?: string; readonly name?: string; readonly passthrough?: boolean } => {
  const { meta } = experiment.shown;
  const one: unknown = Array.isArray(meta) ? meta[arm] : undefined;
  return typeof one === 'object' && one !== null ? one : {};
};

/** @param decision null: not in the experiment, which shows as its first variation */
export const experimentResult = (experiment: CompiledExperiment, decision: Decision | null, unit: Unit): ExperimentResult => {
  const arm = decision?.arm ?? 0;
  const { key, name, passthrough } = metaOf(experiment, arm);
  const identity = identityOf(unit, experiment.attribute, unit.isSticky ? (experiment.sticky?.fallback ?? null) : null);
  const hashUsed = decision?.hashUsed === true;
  return {
    key: key || String(arm),
    featureId: experiment.feature,
    inExperiment: decision !== null,
    hashUsed,
    variationId: arm,
    value: experiment.variations[arm],
    hashAttribute: identity.name,
    hashValue: identity.value,
    stickyBucketUsed: unit.stickyUsed,
    ...(name ? { name } : {}),
    ...(hashUsed && experiment.hash !== null ? { bucket: unit.bucket / experiment.hash.bucketing.buckets } : {}),
    ...(passthrough ? { passthrough } : {}),
    ...(hashUsed ? leafOf(experiment) : {}),
  };
};

/** What the experiment looks like in results: with its bandit's leaf only where the hash chose. */
const shownFor = ({ leaf, shown }: CompiledExperiment, hashUsed: boolean): Readonly<Record<string, unknown>> => {
  if (leaf === null || !hashUsed) return shown;
  const { leafId, variationWeights, banditVersion } = leaf;
  return { ...shown, contextualBandit: { leafId, variationWeights, banditVersion } };
};

export const trackedResult = (experiment: CompiledExperiment, decision: Decision, unit: Unit): Tracked => ({
  experiment: shownFor(experiment, true),
  result: experimentResult(experiment, decision, unit),
});

/** To be called right after the evaluation that made `decision`: bucket and sticky bucket are the unit's. */
export const featureResult = (decision: Decision, unit: Unit): FeatureResult => {
  const { experiment, hashUsed, ruleId, source, value } = decision;
  return {
    value,
    on: Boolean(value),
    off: !value,
    source,
    ruleId,
    ...(experiment === null
      ? {}
      : { experiment: shownFor(experiment, hashUsed), experimentResult: experimentResult(experiment, decision, unit) }),
  };
};

/** One exposure per unit, experiment and variation: repeats of the same key need not be sent. */
export const trackingKey = ({ experiment, result }: Tracked): string =>
  `${String(result.hashAttribute)}${String(result.hashValue)}${String(experiment.key)}${String(result.variationId)}`;
