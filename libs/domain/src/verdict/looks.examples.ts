/** Looks for specs: a due look at one success metric and one guardrail with a margin of 1 %, everything in order unless told. */
import type { ArmTest, Look, MonitoredMetric, QualityCheck } from './look.js';
import type { PlanState } from './plan-state.js';

export const dueAndOver: PlanState = { waits: [], exhausted: true, minimumRunOver: true, lookAtUs: null };

type Tested = Extract<ArmTest, { kind: 'tested' }>;

export const tested = (arm: string, overrides: Partial<Omit<Tested, 'kind' | 'arm'>> = {}): Tested => ({
  kind: 'tested',
  arm,
  gain: { relative: 0.01 },
  pBetter: 0.4,
  pWorse: 0.6,
  nonInferiority: null,
  ...overrides,
});

export const better = (arm: string): Tested => tested(arm, { gain: { relative: 0.082 }, pBetter: 0.0021, pWorse: 0.9979 });
export const worse = (arm: string): Tested => tested(arm, { gain: { relative: -0.07 }, pBetter: 0.99995, pWorse: 0.00005 });
export const withinMargin = (arm: string): Tested =>
  tested(arm, { gain: { relative: -0.001 }, nonInferiority: { kind: 'tested', p: 0.003, couldLose: 0.004 } });
export const beyondMargin = (arm: string): Tested =>
  tested(arm, { gain: { relative: -0.004 }, pWorse: 0.2, nonInferiority: { kind: 'tested', p: 0.31, couldLose: 0.019 } });

export const conversion = (...arms: readonly ArmTest[]): MonitoredMetric => ({ metric: 'conversion', role: 'success', margin: null, arms });
export const latency = (...arms: readonly ArmTest[]): MonitoredMetric => ({
  metric: 'latency',
  role: 'guardrail',
  margin: { relative: 0.01 },
  arms,
});
export const crashes = (...arms: readonly ArmTest[]): MonitoredMetric => ({ metric: 'crashes', role: 'guardrail', margin: null, arms });

export const goodRatio: QualityCheck = { check: 'sample-ratio', outcome: 'passed', arm: null, sentence: 'cells hold 500 and 501 units' };
export const badRatio: QualityCheck = { check: 'sample-ratio', outcome: 'failed', arm: null, sentence: 'cells hold 500 and 900 units' };

export const look = (overrides: Partial<Look> = {}): Look => ({
  alpha: 0.05,
  alphaMinus: 0.05,
  multiplicity: 'holm',
  plan: dueAndOver,
  treatments: ['B'],
  quality: [goodRatio],
  metrics: [conversion(better('B')), latency(withinMargin('B'))],
  ...overrides,
});
