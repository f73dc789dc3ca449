export * from './errors.js';
export type { ArmTest, Look, Margin, MonitoredMetric, NonInferiorityTest, QualityCheck } from './verdict/look.js';
export { type PlanState, planState, type Schedule, type Wait } from './verdict/plan-state.js';
export { multipleExposureCheck, sampleRatioCheck } from './verdict/quality-checks.js';
export { type PolicyRule, requireSomethingToShow, SHIP_POLICY, shipVerdict } from './verdict/ship-policy.js';
export type { ArmVerdict, Finding, Verdict, VerdictKind } from './verdict/verdict.js';
