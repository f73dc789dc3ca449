export * from './allocation/allocation.js';
export { type AllocationCommand, allocationDecider } from './allocation/decide-allocation.js';
export { type Decider, fold, unreachable } from './decider.js';
export { type DecisionCommand, decisionDecider } from './decision/decide-decision.js';
export type { ChainedRecord, DecisionChain, DecisionEvent } from './decision/decision.js';
export { isEqual } from './equality.js';
export * from './errors.js';
export type { AnalysisPlan, MetricUse } from './experiment/analysis-plan.js';
export type { ActedOnRecord, ClosingEvidence } from './experiment/closing-moment.js';
export { type ExperimentCommand, experimentDecider, nextStartUs } from './experiment/decide-experiment.js';
export * from './experiment/experiment.js';
export { armsOf, type ExperimentDefinition, type Variant } from './experiment/experiment-definition.js';
export { budgetedTests, levelsOf, type PlanInForce, planInForce, tightestAtUnitsOf } from './experiment/plan-in-force.js';
export type { Ramp, RampStepTaken } from './experiment/ramp.js';
export type { LayerShare } from './experiment/reach.js';
export { type ChecklistItem, type LayerInSight, type Surroundings, startChecklist } from './experiment/start-checklist.js';
export { type FeatureCommand, featureDecider } from './feature/decide-feature.js';
export * from './feature/feature.js';
export { type MetricCommand, metricDecider } from './metric/decide-metric.js';
export * from './metric/metric.js';
export { ROLLOUT_PROCESS, type RolloutCommand, rolloutDecider } from './rollout/decide-rollout.js';
export { experimentInStep, type InStep, type StepRequest } from './rollout/experiment-in-step.js';
export { gateOf, type RolloutGate } from './rollout/gate.js';
export { type NextStep, nextAction, type RolloutAction } from './rollout/next-action.js';
export * from './rollout/rollout.js';
export type { RolloutDefinition, RolloutStage } from './rollout/rollout-definition.js';
export { type RolloutFacts, type SeenLook, type SeenRecord, standingEvidence } from './rollout/rollout-facts.js';
export type { RolloutSurroundings } from './rollout/rollout-surroundings.js';
export { type RolloutTemplate, stagesOfTemplate } from './rollout/rollout-templates.js';
export type { RolloutWait } from './rollout/stage-gates.js';
export * from './tenancy/api-key.js';
export { type ApiKeyCommand, apiKeyDecider } from './tenancy/decide-api-key.js';
export { type EnvironmentCommand, environmentDecider } from './tenancy/decide-environment.js';
export { type ProjectCommand, projectDecider } from './tenancy/decide-project.js';
export * from './tenancy/environment.js';
export * from './tenancy/project.js';
export { RESERVED_SLUGS } from './tenancy/slug.js';
export type { Actions } from './verdict/actions.js';
export { alphaMinusOf, type BudgetedTests, type ErrorBudget, errorBudget, type Multiplicity } from './verdict/error-budget.js';
export type { Evidence, NoResult } from './verdict/evidence.js';
export { type Judgement, judge } from './verdict/judge.js';
export { type Crossing, latchedWith } from './verdict/latching.js';
export {
  type ArmTest,
  type FirstError,
  type Gain,
  type Look,
  type Margin,
  type MonitoredMetric,
  MULTIPLE_EXPOSURE_ALARM,
  type NonInferiorityTest,
  type QualityCheck,
  type RampStep,
} from './verdict/look.js';
export {
  isWatched,
  type PlanMethod,
  type PlanState,
  planState,
  type Schedule,
  type Wait,
  waitSentence,
  withLooks,
  withUnits,
} from './verdict/plan-state.js';
export {
  type AskedAtLook,
  HOUR_US,
  type LookSchedule,
  lookDue,
  lookSchedule,
  nextMoment,
  nextUnits,
  standingTest,
  type TakenLook,
  takeLook,
} from './verdict/planned-looks.js';
export { type OnHarm, type Policy, type PolicyRule, requireSomethingToJudge, SHIP_POLICY, STAGE_POLICY } from './verdict/policies.js';
export { multipleExposureCheck, type SampleRatioTest, sampleRatioCheck } from './verdict/quality-checks.js';
export type { ArmVerdict, Finding, Verdict, VerdictKind } from './verdict/verdict.js';
export { type WebhookCommand, webhookDecider } from './webhook/decide-webhook.js';
export * from './webhook/webhook.js';
