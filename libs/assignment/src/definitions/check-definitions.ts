/** What is wrong with definitions, in sentences. Unknown is not good: a definition that can't be meant assigns nobody. */
import type { Range } from '../hashing/ranges.js';
import type { Problem } from '../ruleset/ruleset.js';
import type { Definitions, ExperimentDefinition, FeatureDefinition } from './definitions.js';

const isShare = (value: number): boolean => Number.isFinite(value) && value >= 0 && value <= 1;
const overlap = (a: Range, b: Range): boolean => a[0] < b[1] && b[0] < a[1];

export const hasVariant = (feature: FeatureDefinition, key: string): boolean => feature.variants.some((variant) => variant.key === key);

/** @returns undefined when the experiment can be meant */
const problemOf = (experiment: ExperimentDefinition, definitions: Definitions): string | undefined => {
  const { arms, coverage, feature: key, layer } = experiment;
  const feature = definitions.features.find((one) => one.key === key);
  if (feature === undefined) return `is on the feature ${key}, which nobody defined`;
  const stranger = arms.find(({ variant }) => !hasVariant(feature, variant));
  if (stranger !== undefined) return `has an arm ${stranger.variant}, which is no variant of ${key}`;
  if (arms.length < 2) return `has ${arms.length} arm(s): at least 2 are compared`;
  if (arms.some(({ weight }) => !Number.isFinite(weight) || weight < 0) || !arms.some(({ weight }) => weight > 0)) {
    return `has weights ${arms.map(({ weight }) => weight).join(', ')}: none may be negative and one must be above 0`;
  }
  if (!isShare(coverage)) return `has a coverage of ${coverage}: it must be between 0 and 1`;
  if (layer !== undefined && !(definitions.layers ?? []).some((one) => one.key === layer.key)) {
    return `is in the layer ${layer.key}, which nobody defined`;
  }
  return undefined;
};

export interface CheckedExperiments {
  readonly usable: readonly ExperimentDefinition[];
  readonly problems: readonly Problem[];
}

/** Within a layer the earlier experiment keeps its range; a later one that overlaps it assigns nobody. */
export const checkExperiments = (definitions: Definitions): CheckedExperiments => {
  const usable: ExperimentDefinition[] = [];
  const problems: Problem[] = [];
  for (const experiment of definitions.experiments ?? []) {
    const { key, layer } = experiment;
    const problem = problemOf(experiment, definitions);
    const rival =
      layer === undefined
        ? undefined
        : usable.find((other) => other.layer?.key === layer.key && other.layer.ranges.some((a) => layer.ranges.some((b) => overlap(a, b))));
    if (problem === undefined && rival === undefined) {
      usable.push(experiment);
      continue;
    }
    const code = problem === undefined ? 'layer-overlap' : 'experiment-unusable';
    const said = problem ?? `overlaps ${rival?.key} in the layer ${layer?.key}`;
    problems.push({ code, message: `The experiment ${key} ${said}. It assigns nobody until that is corrected.` });
  }
  return { usable, problems };
};

/** Holdouts and overrides that can't be meant. A holdout with a wrong share holds out nobody, and says so. */
export const checkOthers = ({ features, holdouts = [], overrides = [] }: Definitions): readonly Problem[] => [
  ...holdouts
    .filter(({ share }) => !isShare(share))
    .map(({ key, share }) => ({
      code: 'holdout-unusable',
      message: `The holdout ${key} has a share of ${share}: it must be between 0 and 1.`,
    })),
  ...overrides
    .filter(({ feature, variant }) => !features.some((one) => one.key === feature && hasVariant(one, variant)))
    .map(({ feature, key, variant }) => ({
      code: 'override-unusable',
      message: `The override ${key} gives ${variant}, which is no variant of a feature ${feature}.`,
    })),
];
