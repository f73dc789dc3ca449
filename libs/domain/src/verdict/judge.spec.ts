import { describe, expect, it } from '@jest/globals';
import { judge } from './judge.js';
import type { Look } from './look.js';
import {
  badRatio,
  better,
  beyondMargin,
  conversion,
  crashes,
  dueAndOver,
  latency,
  look,
  p,
  tested,
  withinMargin,
  worse,
} from './looks.examples.js';
import { requireSomethingToJudge, SHIP_POLICY, STAGE_POLICY } from './policies.js';
import type { VerdictKind } from './verdict.js';

const given = (overrides: Partial<Look>) => {
  const verdict = judge(look(overrides)).verdict;
  return {
    decides: (kind: VerdictKind, rule: string) => {
      expect({ verdict: verdict.verdict, rule: verdict.rule }).toEqual({ verdict: kind, rule });
      return { saying: (text: string) => expect(verdict.sentence).toContain(text), verdict };
    },
  };
};

describe('one treatment, the look is due', () => {
  it('goes when the success metric is better and the guardrail within its margin', () => {
    const { verdict } = given({}).decides('go', 'shown-to-be-good');
    expect(verdict.sentence).toBe(
      'go with B – conversion is 8.2 % better (one-sided p 0.0021 < 0.0500); guardrail latency could be 0.4 % worse, margin 1 % (one-sided p 0.0030 < 0.0500)',
    );
  });

  it('is inconclusive when the guardrail could be worse than its margin allows', () => {
    given({ metrics: [conversion(better('B')), latency(beyondMargin('B'))] })
      .decides('inconclusive', 'plan-exhausted')
      .saying('guardrail latency could be 1.9 % worse, margin 1 % (one-sided p 0.31 > 0.0500)');
  });

  it('is inconclusive when the gain is not shown, with both numbers', () => {
    given({ metrics: [conversion(tested('B', { better: p(0.21) })), latency(withinMargin('B'))] })
      .decides('inconclusive', 'plan-exhausted')
      .saying('conversion is 1 % better, which is not shown to be a gain (one-sided p 0.21 > 0.0500)');
  });

  it('is a no-go when a guardrail without margin deteriorated, even beside a gain', () => {
    given({ metrics: [conversion(better('B')), crashes(worse('B'))] })
      .decides('no-go', 'deteriorated')
      .saying('crashes is 7 % worse (one-sided p 5.0e-5 < 0.0167)');
  });

  it('is a no-go when the success metric itself deteriorated', () => {
    given({ metrics: [conversion(worse('B'))] }).decides('no-go', 'deteriorated');
  });

  it('is invalid when the ratio is off, and keeps the harm as a finding', () => {
    const { verdict } = given({ quality: [badRatio], metrics: [conversion(worse('B'))] }).decides('invalid', 'quality-failed');
    expect(verdict.sentence).toContain('500 and 900');
    expect(verdict.findings).toContainEqual(expect.objectContaining({ kind: 'harm', metric: 'conversion', holds: true }));
  });

  it('holds when a guardrail has no result, however good the rest', () => {
    const noData = { kind: 'no-result', arm: 'B', refused: 'INSUFFICIENT_UNITS' } as const;
    given({ metrics: [conversion(better('B')), crashes(noData)] })
      .decides('inconclusive', 'plan-exhausted')
      .saying('crashes has no result (an arm has fewer than two units to count)');
  });

  it('lets equal constants pass when their event is known to arrive, and holds when it is not', () => {
    const constant = (isEventSeen: boolean) => crashes({ kind: 'equal-constants', arm: 'B', isEventSeen });
    given({ metrics: [conversion(better('B')), constant(true)] }).decides('go', 'shown-to-be-good');
    given({ metrics: [conversion(better('B')), constant(false)] })
      .decides('inconclusive', 'plan-exhausted')
      .saying('crashes has no data');
  });

  it('goes on margins alone when no success metric is named', () => {
    given({ metrics: [latency(withinMargin('B'))] }).decides('go', 'shown-to-be-good');
    given({ metrics: [latency(beyondMargin('B'))] }).decides('inconclusive', 'plan-exhausted');
  });

  it('never goes on deterioration tests alone', () => {
    given({ metrics: [crashes(tested('B'))] }).decides('inconclusive', 'plan-exhausted');
  });
});

describe('a look that is not due', () => {
  const endUs = Date.UTC(2026, 0, 31) * 1000;
  const plan = {
    method: 'fixed-horizon',
    isDue: false,
    waits: [{ what: 'planned-end', untilUs: endUs }],
    exhausted: false,
    minimumRunOver: true,
    lookAtUs: null,
  } as const;

  it('continues and says what it waits for and until when', () => {
    given({ plan }).decides('continue', 'not-yet').saying('waits for the planned end until 2026-01-31T00:00:00.000Z');
  });

  it('says nothing yet of what metrics lack, but keeps it as a finding', () => {
    const noData = { kind: 'no-result', arm: 'B', refused: 'INSUFFICIENT_UNITS' } as const;
    const { verdict } = given({ plan, metrics: [conversion(noData)] }).decides('continue', 'not-yet');
    expect(verdict.sentence).not.toContain('INSUFFICIENT_UNITS');
    expect(verdict.findings).toContainEqual(expect.objectContaining({ kind: 'waiting', metric: 'conversion', arm: 'B' }));
  });

  it('does not roll back either: its p is not valid yet', () => {
    given({ plan, metrics: [conversion(worse('B'))] }).decides('continue', 'not-yet');
  });

  it('says at once that the ratio is off', () => {
    given({ plan, quality: [badRatio] }).decides('invalid', 'quality-failed');
  });
});

describe('a run that was closed before its minimum was over', () => {
  it('does not ship', () => {
    given({ plan: { ...dueAndOver, minimumRunOver: false, lookAtUs: 1 } })
      .decides('inconclusive', 'plan-exhausted')
      .saying('closed before its minimum run was over');
  });
});

describe('two treatments', () => {
  const arms = (b: ReturnType<typeof tested>, c: ReturnType<typeof tested>) => ({ treatments: ['B', 'C'], metrics: [conversion(b, c)] });

  it('goes with the arm that is good, and names it alone', () => {
    const { verdict } = given(arms(better('B'), worse('C'))).decides('go', 'shown-to-be-good');
    expect(verdict.sentence).toMatch(/^go with B –/);
    expect(verdict.arms.map((arm) => arm.verdict)).toEqual(['go', 'no-go']);
  });

  it('is a no-go only when both are', () => {
    given(arms(worse('B'), worse('C'))).decides('no-go', 'deteriorated');
    given(arms(tested('B'), worse('C'))).decides('inconclusive', 'plan-exhausted');
  });

  it('shares α by Holm: 0.025 for the smallest p, 0.05 for the next', () => {
    const of = (arm: string, value: number) => tested(arm, { better: p(value) });
    const { verdict } = given(arms(of('B', 0.024), of('C', 0.04))).decides('go', 'shown-to-be-good');
    expect(verdict.arms.map((arm) => arm.verdict)).toEqual(['go', 'go']);
    const stopped = given(arms(of('B', 0.026), of('C', 0.04))).decides('inconclusive', 'plan-exhausted');
    stopped.saying('one-sided p 0.0400 > 0.0250');
  });

  it('shares α evenly where Holm was not asked for', () => {
    const of = (arm: string, value: number) => tested(arm, { better: p(value) });
    const { verdict } = given({ ...arms(of('B', 0.024), of('C', 0.04)), multiplicity: 'none' }).decides('go', 'shown-to-be-good');
    expect(verdict.arms.map((arm) => arm.verdict)).toEqual(['go', 'inconclusive']);
  });
});

describe('the policy as data', () => {
  it('ends with a rule that always matches', () => {
    for (const policy of [SHIP_POLICY, STAGE_POLICY]) expect(policy.at(-1)).toEqual({ rule: 'not-yet', when: [], verdict: 'continue' });
  });

  it('is refused where there is nothing to show', () => {
    expect(() => requireSomethingToJudge('ship', [{ role: 'guardrail' }, { role: 'secondary' }])).toThrow(/2 metrics hold 0/);
    expect(() => requireSomethingToJudge('ship', [{ role: 'success' }])).not.toThrow();
    expect(() => requireSomethingToJudge('ship', [{ role: 'guardrail', margin: { relative: 0.01 } }])).not.toThrow();
    expect(() => requireSomethingToJudge('ship', [{ role: 'guardrail', margin: { relative: 0.01 }, onHarm: 'warn' }])).toThrow(
      /does more than warn/,
    );
    expect(() => requireSomethingToJudge('stage', [{ role: 'guardrail', onHarm: 'warn' }])).toThrow(/does more than warn/);
    expect(() => requireSomethingToJudge('stage', [{ role: 'guardrail', onHarm: 'hold' }])).not.toThrow();
  });
});
