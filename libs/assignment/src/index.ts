export { compileCondition, holds } from './conditions/condition.js';
export type { Predicate, SavedGroups } from './conditions/predicates.js';
export { armRanges, compileDefinitions, payloadOfDefinitions } from './definitions/compile-definitions.js';
export type {
  ArmDefinition,
  ChoiceDefinition,
  Definitions,
  ExperimentDefinition,
  FeatureDefinition,
  HoldoutDefinition,
  LayerDefinition,
  OverrideDefinition,
  VariantDefinition,
} from './definitions/definitions.js';
export { hash } from './hashing/bucket.js';
export { armAt, bucketRanges, equalWeights, type Range } from './hashing/ranges.js';
export type { CompileOptions } from './payload/compilation.js';
export { compilePayload } from './payload/compile-payload.js';
export { decrypt, decryptPayload, type EncryptedPayload, type Subtle } from './payload/encrypted-payload.js';
export { compilePage, type PageExperiment, type PageOptions, type PageOutcome, runPage } from './payload/page-experiments.js';
export type { ContextualBandit, Payload, PayloadExperiment, PayloadFeature, PayloadRule } from './payload/payload.js';
export { compileRun, inNamespace, run, stickyAttributes } from './payload/standalone.js';
export { type Explanation, evaluate, evaluateAll, explain, wireReason } from './ruleset/evaluate.js';
export { type ExperimentResult, type FeatureResult, featureResult, trackingKey } from './ruleset/results.js';
export type { CompiledFeature, Decision, Problem, Reason, RuleNote, Ruleset, Source } from './ruleset/ruleset.js';
export { queryStringOverride } from './ruleset/run-experiment.js';
export { documentKey } from './ruleset/sticky-buckets.js';
export {
  type Choices,
  type Context,
  idOf,
  type Step,
  type StickyDocument,
  type StickyDocuments,
  type Tracked,
  type Unit,
  unitOf,
} from './ruleset/unit.js';
