import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { errorBudget } from './error-budget.js';
import type { Evidence } from './evidence.js';
import { judge } from './judge.js';
import type { ArmTest, Look, MonitoredMetric, QualityCheck } from './look.js';
import { goodRatio, look, watched } from './looks.examples.js';

const TREATMENTS = ['B', 'C'] as const;
const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: -3, max: 9, noNaN: true }).map((logE): Evidence => ({ kind: 'e', logE })) },
  { weight: 1, arbitrary: fc.constant<Evidence>({ kind: 'none', refused: 'NOT_ENOUGH_DATA', have: 1, needed: 100 }) },
);

const armTest = (arm: string): fc.Arbitrary<ArmTest> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .record({
          better: evidence,
          worse: evidence,
          margin: fc.double({ min: -3, max: 9, noNaN: true }),
          couldLose: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
        })
        .map(
          ({ better, worse, margin, couldLose }): ArmTest => ({
            kind: 'tested',
            arm,
            gain: { relative: 0.01 },
            better,
            worse,
            firstError: null,
            nonInferiority: { kind: 'tested', evidence: { kind: 'e', logE: margin }, couldLose },
            couldLose,
          }),
        ),
    },
    { weight: 1, arbitrary: fc.boolean().map((isEventSeen): ArmTest => ({ kind: 'equal-constants', arm, isEventSeen })) },
    { weight: 1, arbitrary: fc.constant<ArmTest>({ kind: 'no-result', arm, refused: 'ZERO_VARIANCE' }) },
  );

const metric = (name: string): fc.Arbitrary<MonitoredMetric> =>
  fc
    .tuple(fc.constantFrom('success' as const, 'guardrail' as const), fc.boolean(), armTest('B'), armTest('C'))
    .map(([role, hasMargin, b, c]) => ({
      metric: name,
      role,
      margin: role === 'guardrail' && hasMargin ? { relative: 0.05 } : null,
      onHarm: 'roll-back',
      arms: [b, c],
    }));

const ratio: fc.Arbitrary<QualityCheck> = fc
  .constantFrom(-1, -1, -1, 8)
  .map((logE): QualityCheck => ({ ...goodRatio, outcome: logE > 7 ? 'failed' : 'passed', logE }));

const anyLook: fc.Arbitrary<Look> = fc
  .record({
    policy: fc.constantFrom('ship' as const, 'stage' as const),
    metrics: fc.tuple(metric('m1'), metric('m2')),
    ratio,
    minimumRunOver: fc.boolean(),
    exhausted: fc.boolean(),
    harmBound: fc.constantFrom(null, 0.05),
  })
  .map(({ ratio: check, minimumRunOver, exhausted, ...rest }) =>
    look({
      ...rest,
      treatments: [...TREATMENTS],
      quality: [check],
      plan: { ...watched, minimumRunOver, exhausted: exhausted && minimumRunOver },
    }),
  );

const SEVERITY = { advance: 0, stay: 1, 'hold-and-ask': 2, hold: 3, 'roll-back': 4 } as const;

/** More evidence of harm in one test of one arm. */
const moreHarm = (before: Look, at: { readonly metric: number; readonly arm: number }, by: number): Look => ({
  ...before,
  metrics: before.metrics.map((one, m) =>
    m !== at.metric
      ? one
      : {
          ...one,
          arms: one.arms.map((test, a) =>
            a === at.arm && test.kind === 'tested' && test.worse.kind === 'e'
              ? { ...test, worse: { kind: 'e' as const, logE: test.worse.logE + by } }
              : test,
          ),
        },
  ),
});

describe('whatever a sequential look holds', () => {
  const place = fc.record({ metric: fc.nat({ max: 1 }), arm: fc.nat({ max: 1 }) });

  it('more evidence of harm never turns an arm into a go, and never softens a no-go', () => {
    fc.assert(
      fc.property(anyLook, place, fc.double({ min: 0, max: 9, noNaN: true }), (before, at, by) => {
        const [was, is] = [judge(before), judge(moreHarm(before, at, by))];
        was.verdict.arms.forEach(({ verdict }, index) => {
          if (verdict !== 'go') expect(is.verdict.arms[index]?.verdict).not.toBe('go');
          if (verdict === 'no-go') expect(is.verdict.arms[index]?.verdict).toBe('no-go');
        });
        expect(is.latched.length).toBeGreaterThanOrEqual(was.latched.filter(({ test }) => test !== 'go').length);
      }),
      { numRuns: 2000, seed: 11 },
    );
  });

  it('a crossing of harm or ratio stays at every later look, whatever that one holds', () => {
    fc.assert(
      fc.property(fc.array(anyLook, { minLength: 2, maxLength: 5 }), (looks) => {
        let latched = judge(looks[0] ?? look()).latched;
        for (const next of looks.slice(1)) {
          const { verdict, actions, latched: all } = judge(next, latched);
          expect(all.slice(0, latched.length)).toEqual(latched);
          if (latched.some(({ test }) => test === 'sample-ratio')) expect(verdict.verdict).toBe('invalid');
          for (const { test, arm } of latched) {
            if (test !== 'harm') continue;
            expect(['no-go', 'invalid']).toContain(verdict.arms.find((one) => one.arm === arm)?.verdict);
            if (verdict.verdict !== 'go') expect(actions.ramp).toBe('roll-back');
          }
          latched = all;
        }
      }),
      { numRuns: 500, seed: 12 },
    );
  });

  it('permuting arms and metrics changes nobody’s verdict, and no action', () => {
    fc.assert(
      fc.property(anyLook, (before) => {
        const metrics = [...before.metrics].reverse().map((one) => ({ ...one, arms: [...one.arms].reverse() }));
        const [was, is] = [judge(before), judge({ ...before, treatments: [...before.treatments].reverse(), metrics })];
        const byArm = ({ verdict }: typeof was) => verdict.arms.map(({ arm, verdict: kind, rule }) => `${arm}:${kind}:${rule}`).sort();
        expect(byArm(is)).toEqual(byArm(was));
        expect([is.verdict.verdict, is.actions]).toEqual([was.verdict.verdict, was.actions]);
      }),
      { numRuns: 1000, seed: 13 },
    );
  });

  it('a failed check never makes a ramp milder than harm alone does', () => {
    fc.assert(
      fc.property(anyLook, (before) => {
        const good = judge({ ...before, quality: [goodRatio] });
        const bad = judge({ ...before, quality: [{ ...goodRatio, outcome: 'failed', logE: 8 }] });
        if (good.verdict.verdict !== 'go') expect(SEVERITY[bad.actions.ramp]).toBeGreaterThanOrEqual(SEVERITY[good.actions.ramp]);
        expect(bad.verdict.verdict).toBe('invalid');
      }),
      { numRuns: 500, seed: 14 },
    );
  });

  it('an arm goes only with every metric’s harm tested and none shown', () => {
    fc.assert(
      fc.property(anyLook, (at) => {
        const { harm } = errorBudget(at);
        judge(at).verdict.arms.forEach(({ verdict }, arm) => {
          if (verdict !== 'go') return;
          for (const { arms } of at.metrics) {
            const test = arms[arm];
            if (test?.kind === 'tested') expect(test.worse.kind === 'e' ? test.worse.logE : 99).toBeLessThan(-Math.log(harm));
            else expect(test).toMatchObject({ kind: 'equal-constants', isEventSeen: true });
          }
        });
      }),
      { numRuns: 1000, seed: 15 },
    );
  });
});

describe('the error budget', () => {
  const counts = fc.record({
    success: fc.nat({ max: 5 }),
    guardrails: fc.nat({ max: 5 }),
    ratioTests: fc.constantFrom(0, 1),
    arms: fc.integer({ min: 1, max: 4 }),
    alpha: fc.double({ min: 1e-4, max: 0.3, noNaN: true }),
    alphaMinus: fc.double({ min: 1e-4, max: 0.3, noNaN: true }),
  });

  it('adds up to α for superiority and to α₋ for harm and ratio together, whatever is tested', () => {
    fc.assert(
      fc.property(counts, ({ success, guardrails, ratioTests, arms, alpha, alphaMinus }) => {
        const metrics = [
          ...Array.from({ length: success }, () => ({ role: 'success' as const })),
          ...Array.from({ length: guardrails }, () => ({ role: 'guardrail' as const })),
        ];
        const treatments = Array.from({ length: arms }, (_, index) => `T${index}`);
        const budget = errorBudget({ alpha, alphaMinus, metrics, ratioTests, treatments });
        expect(budget.superiority * success * arms).toBeLessThanOrEqual(alpha * (1 + 1e-12));
        const alarms = budget.harm * metrics.length * arms + ratioTests / budget.ratioAlarmAtE;
        expect(alarms).toBeLessThanOrEqual(alphaMinus * (1 + 1e-12));
        expect(budget.ratioAlarmAtE).toBeGreaterThanOrEqual(1000);
      }),
      { numRuns: 500, seed: 16 },
    );
  });
});
