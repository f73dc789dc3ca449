import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { judge } from './judge.js';
import type { ArmTest, Look, MonitoredMetric } from './look.js';
import { badRatio, goodRatio, look } from './looks.examples.js';

const TREATMENTS = ['B', 'C', 'D'] as const;
const probability = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 0.06, noNaN: true }),
  fc.constantFrom(1e-12, 0.001, 0.05 / 9),
);

const armTest = (arm: string, hasMargin: boolean): fc.Arbitrary<ArmTest> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ p: probability, relative: fc.double({ min: -1, max: 1, noNaN: true }), ni: probability }).map(
        ({ p, relative, ni }): ArmTest => ({
          kind: 'tested',
          arm,
          gain: { relative },
          better: { kind: 'p', p },
          worse: { kind: 'p', p: 1 - p },
          firstError: null,
          nonInferiority: hasMargin ? { kind: 'tested', evidence: { kind: 'p', p: ni }, couldLose: 0.01 } : null,
          couldLose: null,
        }),
      ),
    },
    { weight: 1, arbitrary: fc.boolean().map((isEventSeen): ArmTest => ({ kind: 'equal-constants', arm, isEventSeen })) },
    { weight: 1, arbitrary: fc.constant<ArmTest>({ kind: 'no-result', arm, refused: 'ZERO_VARIANCE' }) },
  );

const metric = (name: string): fc.Arbitrary<MonitoredMetric> =>
  fc
    .constantFrom<[MonitoredMetric['role'], number | null]>(['success', null], ['guardrail', 0.01], ['guardrail', null])
    .chain(([role, relative]) =>
      fc.tuple(...TREATMENTS.map((arm) => armTest(arm, relative !== null))).map(
        (arms): MonitoredMetric => ({
          metric: name,
          role,
          margin: relative === null ? null : { relative },
          onHarm: 'roll-back',
          arms,
        }),
      ),
    );

const anyLook: fc.Arbitrary<Look> = fc
  .record({
    metrics: fc.tuple(metric('m1'), metric('m2'), metric('m3')),
    quality: fc.constantFrom([goodRatio], [goodRatio], [goodRatio], [badRatio]),
    multiplicity: fc.constantFrom('holm', 'none'),
    minimumRunOver: fc.boolean(),
    isDue: fc.boolean(),
  })
  .map(({ minimumRunOver, isDue, ...rest }) =>
    look({
      ...rest,
      treatments: [...TREATMENTS],
      plan: {
        method: 'fixed-horizon',
        isDue,
        waits: isDue ? [] : [{ what: 'planned-end', untilUs: 1 }],
        exhausted: isDue,
        minimumRunOver,
        lookAtUs: null,
      },
    }),
  );

/** One test of one arm becomes worse evidence: a larger p for good news, a smaller one for bad, or nothing at all. */
const worsened = (test: ArmTest, how: 'less-good' | 'no-margin' | 'lost'): ArmTest => {
  if (how === 'lost' || test.kind !== 'tested') return { kind: 'no-result', arm: test.arm, refused: 'INSUFFICIENT_UNITS' };
  if (how === 'no-margin' && test.nonInferiority !== null)
    return { ...test, nonInferiority: { kind: 'tested', evidence: { kind: 'p', p: 1 }, couldLose: null } };
  const p = ((test.better.kind === 'p' ? test.better.p : 1) + 1) / 2;
  return { ...test, better: { kind: 'p', p }, worse: { kind: 'p', p: 1 - p } };
};

describe('whatever a look holds', () => {
  it('worse evidence never turns another verdict into a go, for any arm', () => {
    const change = fc.record({
      metric: fc.nat({ max: 2 }),
      arm: fc.nat({ max: 2 }),
      how: fc.constantFrom('less-good' as const, 'no-margin' as const, 'lost' as const),
    });
    fc.assert(
      fc.property(anyLook, change, (before, at) => {
        const metrics = before.metrics.map((one, m) =>
          m === at.metric ? { ...one, arms: one.arms.map((test, a) => (a === at.arm ? worsened(test, at.how) : test)) } : one,
        );
        const after = judge({ ...before, metrics }).verdict;
        judge(before).verdict.arms.forEach((arm, index) => {
          if (arm.verdict !== 'go') expect(after.arms[index]?.verdict).not.toBe('go');
        });
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('permuting the arms permutes the verdicts', () => {
    fc.assert(
      fc.property(anyLook, fc.shuffledSubarray([...TREATMENTS], { minLength: 3 }), (before, treatments) => {
        const metrics = before.metrics.map((one) => ({
          ...one,
          arms: treatments.flatMap((arm) => one.arms.filter((test) => test.arm === arm)),
        }));
        const after = judge({ ...before, treatments, metrics }).verdict;
        const byArm = (verdict: ReturnType<typeof judge>['verdict']) =>
          verdict.arms.map(({ arm, verdict: kind }) => `${arm}:${kind}`).sort();
        expect(byArm(after)).toEqual(byArm(judge(before).verdict));
        expect(after.verdict).toBe(judge(before).verdict.verdict);
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it('a failed quality check is invalid for every arm', () => {
    fc.assert(
      fc.property(anyLook, (before) => {
        const verdict = judge({ ...before, quality: [badRatio] }).verdict;
        expect(verdict.verdict).toBe('invalid');
        expect(verdict.arms.every((arm) => arm.verdict === 'invalid')).toBe(true);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('nothing goes or is rolled back before the look is due', () => {
    fc.assert(
      fc.property(anyLook, (before) => {
        if (before.plan.isDue) return;
        expect(judge(before).verdict.arms.filter((arm) => arm.verdict === 'go' || arm.verdict === 'no-go')).toEqual([]);
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});
