import { describe, expect, it } from '@jest/globals';
import type { Actions } from './actions.js';
import { judge } from './judge.js';
import type { Look, MonitoredMetric } from './look.js';
import { badRatio, better, conversion, crashes, dueAndOver, look, p, tested, watched, worse } from './looks.examples.js';
import type { OnHarm } from './policies.js';
import type { VerdictKind } from './verdict.js';

const guardrail = (metric: string, isWorse: boolean, onHarm: OnHarm = 'roll-back'): MonitoredMetric => ({
  ...crashes(isWorse ? worse('B') : tested('B')),
  metric,
  onHarm,
});
const over = (change: Partial<Look['plan']> = {}): Look['plan'] => ({ ...dueAndOver, ...change });
const still = over({ exhausted: false, waits: [{ what: 'evidence', untilUs: null }] });
const gained = conversion(better('B'));
const same = conversion(tested('B'));
const unknown = conversion({ kind: 'no-result', arm: 'B', refused: 'INSUFFICIENT_UNITS' });
const ramp = { rollout: 'button-rollout', run: 1, stage: 'half' };

type Row = readonly [found: string, change: Partial<Look>, verdict: VerdictKind, ...Actions[keyof Actions][]];

describe('what is done upon a verdict', () => {
  it.each<Row>([
    // found, look, verdict, ramp, experiment, gate
    ['shown to be good', { metrics: [gained] }, 'go', 'advance', 'recommend-shipping', 'go'],
    ['nothing worse at a step', { policy: 'stage', ramp, metrics: [same] }, 'go', 'advance', 'stay', 'go'],
    ['a guardrail worse', { metrics: [gained, guardrail('crashes', true)] }, 'no-go', 'roll-back', 'recommend-stopping', 'no-go'],
    ['a goal worse', { policy: 'stage', ramp, metrics: [conversion(worse('B'))] }, 'no-go', 'roll-back', 'recommend-stopping', 'no-go'],
    ['no gain yet', { plan: still, metrics: [same] }, 'continue', 'stay', 'stay', 'wait'],
    ['no result yet at a step', { policy: 'stage', ramp, plan: still, metrics: [unknown] }, 'continue', 'stay', 'stay', 'wait'],
    ['no gain at the end', { metrics: [same] }, 'inconclusive', 'hold-and-ask', 'recommend-control', 'wait'],
    ['ratio off, nothing worse', { quality: [badRatio], metrics: [gained] }, 'invalid', 'hold', 'recommend-repair', 'wait'],
    ['ratio off at a step', { policy: 'stage', ramp, quality: [badRatio], metrics: [same] }, 'invalid', 'hold', 'recommend-repair', 'wait'],
    [
      'ratio off, and crashes: the ratio never hides harm',
      { policy: 'stage', ramp, quality: [badRatio], metrics: [same, guardrail('crashes', true)] },
      'invalid',
      'roll-back',
      'recommend-stopping',
      'no-go',
    ],
    ['a guardrail worse that holds', { metrics: [gained, guardrail('a', true, 'hold')] }, 'no-go', 'hold', 'recommend-stopping', 'wait'],
    [
      'one that holds and one that rolls back, worse',
      { metrics: [gained, guardrail('a', true, 'hold'), guardrail('b', true)] },
      'no-go',
      'roll-back',
      'recommend-stopping',
      'no-go',
    ],
    [
      'one that holds, worse; one that rolls back, not',
      { policy: 'stage', ramp, metrics: [guardrail('b', false), guardrail('a', true, 'hold')] },
      'no-go',
      'hold',
      'recommend-stopping',
      'wait',
    ],
    [
      'ratio off, and one worse that holds',
      { quality: [badRatio], metrics: [gained, guardrail('a', true, 'hold')] },
      'invalid',
      'hold',
      'recommend-stopping',
      'wait',
    ],
    [
      'one worse that warns, beside a gain',
      { metrics: [gained, guardrail('a', true, 'warn')] },
      'go',
      'advance',
      'recommend-shipping',
      'go',
    ],
    [
      'one worse that warns at a step',
      { policy: 'stage', ramp, metrics: [same, guardrail('a', true, 'warn')] },
      'go',
      'advance',
      'stay',
      'go',
    ],
    [
      'ratio off, and one worse that warns',
      { quality: [badRatio], metrics: [gained, guardrail('a', true, 'warn')] },
      'invalid',
      'hold',
      'recommend-repair',
      'wait',
    ],
    [
      'one worse that warns, one that holds',
      { metrics: [gained, guardrail('a', true, 'warn'), guardrail('b', true, 'hold')] },
      'no-go',
      'hold',
      'recommend-stopping',
      'wait',
    ],
    [
      'worse before the one look',
      { plan: over({ isDue: false, exhausted: false }), metrics: [conversion(worse('B'))] },
      'continue',
      'stay',
      'stay',
      'wait',
    ],
  ])('%s', (_found, change, verdict, ...actions) => {
    const judged = judge(look(change));
    expect(judged.verdict.verdict).toBe(verdict);
    expect([judged.actions.ramp, judged.actions.experiment, judged.actions.gate]).toEqual(actions);
  });
});

describe('a guardrail that only warns', () => {
  const silent: MonitoredMetric = {
    ...guardrail('a', false, 'warn'),
    arms: [{ kind: 'no-result', arm: 'B', refused: 'INSUFFICIENT_UNITS' }],
  };

  it('is told when it is worse, with its numbers, and stops nothing', () => {
    const { verdict } = judge(look({ metrics: [gained, guardrail('latency', true, 'warn')] }));
    const finding = verdict.findings.find(({ metric, kind }) => metric === 'latency' && kind === 'harm');
    expect(finding).toMatchObject({
      holds: true,
      sentence: 'latency is 7 % worse (one-sided p 5.0e-5 < 0.0167): a warning, which stops nothing',
    });
    expect(verdict.sentence).toContain(finding?.sentence);
  });

  it('is not waited for, neither for a result nor for its margin', () => {
    expect(judge(look({ policy: 'stage', plan: still, metrics: [same, silent] })).verdict.verdict).toBe('go');
    expect(judge(look({ policy: 'stage', plan: still, metrics: [same, { ...silent, onHarm: 'hold' }] })).verdict.verdict).toBe('continue');
    const lost = tested('B', { nonInferiority: { kind: 'tested', evidence: p(0.4), couldLose: 0.2 } });
    const margin = (onHarm: OnHarm): MonitoredMetric => ({ ...guardrail('a', false, onHarm), margin: { relative: 0.01 }, arms: [lost] });
    expect(judge(look({ plan: still, metrics: [gained, margin('warn')] })).verdict.verdict).toBe('go');
    expect(judge(look({ plan: still, metrics: [gained, margin('hold')] })).verdict.verdict).toBe('continue');
    // Its margin is not what a go could be made of.
    const kept = tested('B', { nonInferiority: { kind: 'tested', evidence: p(0.001), couldLose: 0 } });
    expect(judge(look({ plan: still, metrics: [{ ...margin('warn'), arms: [kept] }] })).verdict.verdict).toBe('continue');
  });
});

describe('a go', () => {
  const stage = (name: string, change: Partial<Look> = {}): Look =>
    look({ policy: 'stage', ramp: { ...ramp, stage: name }, plan: watched, knownUntilUs: 1, metrics: [same], ...change });

  it('is one of its step: the next step, and the ship at the end, are crossed anew', () => {
    const first = judge(stage('tenth')).latched;
    const second = judge(stage('half', { knownUntilUs: 2 }), first).latched;
    const again = judge(stage('half', { knownUntilUs: 3 }), second).latched;
    const last = judge(stage('all', { knownUntilUs: 4, policy: 'ship', metrics: [gained] }), again).latched;
    expect(last.map(({ test, knownUntilUs, ramp: step }) => [test, knownUntilUs, step?.stage, step?.policy])).toEqual([
      ['go', 1, 'tenth', 'stage'],
      ['go', 2, 'half', 'stage'],
      ['go', 4, 'all', 'ship'],
    ]);
    const anotherRun = judge(stage('half', { knownUntilUs: 5, ramp: { ...ramp, run: 2 } }), last).latched;
    expect(anotherRun).toHaveLength(4);
  });

  it('at one step is none at the next, where something is not known yet', () => {
    const { latched } = judge(stage('tenth'));
    const { verdict, actions } = judge(stage('half', { metrics: [unknown], knownUntilUs: 2 }), latched);
    expect([verdict.verdict, actions.ramp]).toEqual(['continue', 'stay']);
  });

  it('is never again what it was after harm, at whatever step that was shown', () => {
    const harm = { test: 'harm', metric: 'crashes', arm: 'B', knownUntilUs: 1, value: 9 } as const;
    const { actions } = judge(stage('half', { metrics: [same, guardrail('crashes', false)], knownUntilUs: 2 }), [harm]);
    expect(actions.ramp).toBe('roll-back');
  });
});
