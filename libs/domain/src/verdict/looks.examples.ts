/** Looks for specs: a due look at one success metric and one guardrail with a margin of 1 %, everything in order unless told. */
import type { ArmTest, Look, MonitoredMetric, QualityCheck } from './look.js';
import type { PlanState } from './plan-state.js';

/** The one look of a fixed horizon. */
export const dueAndOver: PlanState = {
  method: 'fixed-horizon',
  isDue: true,
  waits: [],
  exhausted: true,
  minimumRunOver: true,
  lookAtUs: null,
};

/** A sequential plan whose minimum run is over. */
export const watched: PlanState = {
  method: 'sequential',
  isDue: true,
  waits: [{ what: 'evidence', untilUs: Date.UTC(2026, 1, 1) * 1000, have: 8_000, needed: 20_000 }],
  exhausted: false,
  minimumRunOver: true,
  lookAtUs: null,
};

type Tested = Extract<ArmTest, { kind: 'tested' }>;

export const p = (value: number): { readonly kind: 'p'; readonly p: number } => ({ kind: 'p', p: value });
/** Evidence at any look, by its E. */
export const e = (value: number): { readonly kind: 'e'; readonly logE: number } => ({ kind: 'e', logE: Math.log(value) });

export const tested = (arm: string, overrides: Partial<Omit<Tested, 'kind' | 'arm'>> = {}): Tested => ({
  kind: 'tested',
  arm,
  gain: { relative: 0.01 },
  better: p(0.4),
  worse: p(0.6),
  firstError: null,
  nonInferiority: null,
  couldLose: null,
  ...overrides,
});

export const better = (arm: string): Tested => tested(arm, { gain: { relative: 0.082 }, better: p(0.0021), worse: p(0.9979) });
export const worse = (arm: string): Tested => tested(arm, { gain: { relative: -0.07 }, better: p(0.99995), worse: p(0.00005) });
export const withinMargin = (arm: string): Tested =>
  tested(arm, { gain: { relative: -0.001 }, nonInferiority: { kind: 'tested', evidence: p(0.003), couldLose: 0.004 } });
export const beyondMargin = (arm: string): Tested =>
  tested(arm, { gain: { relative: -0.004 }, worse: p(0.2), nonInferiority: { kind: 'tested', evidence: p(0.31), couldLose: 0.019 } });

export const conversion = (...arms: readonly ArmTest[]): MonitoredMetric => ({
  metric: 'conversion',
  role: 'success',
  margin: null,
  onHarm: 'roll-back',
  arms,
});
export const latency = (...arms: readonly ArmTest[]): MonitoredMetric => ({
  metric: 'latency',
  role: 'guardrail',
  margin: { relative: 0.01 },
  onHarm: 'roll-back',
  arms,
});
export const crashes = (...arms: readonly ArmTest[]): MonitoredMetric => ({
  metric: 'crashes',
  role: 'guardrail',
  margin: null,
  onHarm: 'roll-back',
  arms,
});

export const goodRatio: QualityCheck = { check: 'sample-ratio', outcome: 'passed', arm: null, sentence: 'cells hold 500 and 501 units' };
export const badRatio: QualityCheck = { check: 'sample-ratio', outcome: 'failed', arm: null, sentence: 'cells hold 500 and 900 units' };

export const look = (overrides: Partial<Look> = {}): Look => ({
  policy: 'ship',
  ramp: null,
  alpha: 0.05,
  alphaMinus: 0.05,
  multiplicity: 'holm',
  plan: dueAndOver,
  knownUntilUs: Date.UTC(2026, 0, 15) * 1000,
  treatments: ['B'],
  ratioTests: 1,
  harmBound: null,
  quality: [goodRatio],
  metrics: [conversion(better('B')), latency(withinMargin('B'))],
  ...overrides,
});
