/** An experiment's definition, and what must be true of any. What runs where is the environment's state: experiment.ts. */
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { requireSlug } from '../tenancy/slug.js';
import { type Policy, requireSomethingToJudge } from '../verdict/policies.js';
import type { AnalysisPlan, MetricUse } from './analysis-plan.js';
import { type LayerShare, requireSoundReach } from './reach.js';
import { requireSoundMethod } from './sound-method.js';

export interface ExperimentDefinition {
  readonly key: string;
  readonly name: string;
  readonly hypothesis: string;
  readonly feature?: string | undefined;
  readonly unitType: string;
  readonly assignment: 'rampart' | 'external';
  /** Who is eligible, in the assignment's condition language; absent: everybody. */
  readonly targeting?: Readonly<Record<string, unknown>> | undefined;
  /** The part of a layer that it has for itself. */
  readonly layer?: LayerShare | undefined;
  /** Share of the eligible units that takes part; absent: all. */
  readonly coverage?: number | undefined;
  readonly variants: readonly Variant[];
  /** The arm that others are compared with. */
  readonly control: string;
  readonly metrics: readonly MetricUse[];
  readonly plan: AnalysisPlan;
  readonly policy: Policy;
}

/** A cell of the design; without `arm` it is an arm of its own. */
export interface Variant {
  readonly key: string;
  readonly arm?: string | undefined;
  /** Integer share of the design; null: the design states no ratio. */
  readonly weight: number | null;
}

/** In the order of the variants, each once. */
export const armsOf = ({ variants }: Pick<ExperimentDefinition, 'variants'>): readonly string[] => [
  ...new Set(variants.map(({ key, arm }) => arm ?? key)),
];

/** Whether units get the same variant under both: if not, what was collected can't be compared with what comes. */
export const assignsTheSame = (one: ExperimentDefinition, other: ExperimentDefinition): boolean =>
  isEqual(whatAssigns(one), whatAssigns(other));

const whatAssigns = ({ feature, unitType, assignment, variants }: ExperimentDefinition) => ({ feature, unitType, assignment, variants });

/** Within a comparison these may differ from segment to segment: they decide who takes part, not what they get. */
export const reachesTheSame = (one: ExperimentDefinition, other: ExperimentDefinition): boolean =>
  isEqual(whatReaches(one), whatReaches(other));

const whatReaches = ({ targeting, layer, coverage }: ExperimentDefinition) => ({ targeting, layer, coverage });

/** Refuses a definition that could never be run or never conclude, with the place. */
export const requireSoundDefinition = (definition: ExperimentDefinition): void => {
  requireSlug('experiment', definition.key);
  requireVariants(definition);
  requireWeights(definition.variants);
  requireSoundReach(definition);
  requireMetrics(definition.metrics);
  requireSomethingToJudge(definition.policy, definition.metrics);
  requireSoundMethod(definition);
};

const requireVariants = (definition: ExperimentDefinition): void => {
  const keys = definition.variants.map(({ key }) => key);
  const twice = keys.findIndex((key, index) => keys.indexOf(key) !== index);
  if (twice >= 0) throw new DomainError('variant-twice', `variant "${keys[twice]}" is named twice`, { path: `/variants/${twice}/key` });
  const arms = armsOf(definition);
  if (arms.length < 2) {
    const message = `a comparison needs at least 2 arms, ${keys.length} variants form ${arms.length}: give one of them another arm`;
    throw new DomainError('too-few-arms', message, { path: '/variants', arms });
  }
  if (arms.includes(definition.control)) return;
  const message = `control "${definition.control}" is none of the ${arms.length} arms: ${arms.map((arm) => `"${arm}"`).join(', ')}`;
  throw new DomainError('control-not-an-arm', message, { path: '/control', control: definition.control, arms });
};

/** A ratio is designed for all variants or for none: half a design can't be checked. */
const requireWeights = (variants: readonly Variant[]): void => {
  const designed = variants.filter(({ weight }) => weight !== null).length;
  if (designed === 0) return;
  const path = '/variants';
  if (designed < variants.length) {
    const message = `${designed} of ${variants.length} variants have a weight: give all of them one, or none (null)`;
    throw new DomainError('weights-incomplete', message, { path, designed, variants: variants.length });
  }
  const wrong = variants.findIndex(({ weight }) => weight === null || !Number.isSafeInteger(weight) || weight < 0);
  if (wrong >= 0) {
    const message = `weights are integers from 0, variant "${variants[wrong]?.key}" has ${variants[wrong]?.weight}: use larger integers in the same ratio`;
    throw new DomainError('weight-not-an-integer', message, { path: `/variants/${wrong}/weight` });
  }
  const sum = variants.reduce((total, { weight }) => total + (weight ?? 0), 0);
  if (sum === 0) throw new DomainError('weights-zero', `the ${variants.length} weights add up to 0: nobody would get anything`, { path });
};

const requireMetrics = (uses: readonly MetricUse[]): void => {
  const keys = uses.map(({ metric }) => metric);
  uses.forEach(({ metric, role, margin, onHarm }, index) => {
    if (keys.indexOf(metric) !== index) {
      const message = `metric "${metric}" is used twice: in one experiment a metric has one role`;
      throw new DomainError('metric-twice', message, { path: `/metrics/${index}/metric`, metric });
    }
    if (onHarm !== undefined && role !== 'guardrail') {
      const message = `metric "${metric}" says what a ramp does when it is worse (${onHarm}) but its role is ${role}: only a guardrail does, leave onHarm out or make it a guardrail`;
      throw new DomainError('on-harm-without-guardrail', message, { path: `/metrics/${index}/onHarm`, metric, role });
    }
    if (margin === undefined || role === 'guardrail') return;
    const message = `metric "${metric}" has a margin but its role is ${role}: only a guardrail has a margin`;
    throw new DomainError('margin-without-guardrail', message, { path: `/metrics/${index}/margin`, metric, role });
  });
};
