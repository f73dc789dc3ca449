import { describe, expect, it } from '@jest/globals';
import { judge } from './judge.js';
import type { Crossing } from './latching.js';
import type { ArmTest, Look, QualityCheck } from './look.js';
import { badRatio, conversion, crashes, e, latency, look, tested, watched } from './looks.examples.js';

const at = Date.UTC(2026, 0, 15) * 1000;
const later = at + 86_400_000_000;
const sequential = (overrides: Partial<Look>): Look => look({ plan: watched, ...overrides });

const gain = (E: number, arm = 'B'): ArmTest => tested(arm, { gain: { relative: 0.082 }, better: e(E), worse: e(0.01) });
const loss = (E: number, arm = 'B'): ArmTest => tested(arm, { gain: { relative: -0.07 }, better: e(0.01), worse: e(E) });
const kept = (E: number, couldLose = 0.004, arm = 'B'): ArmTest =>
  tested(arm, { better: e(0.5), worse: e(0.5), couldLose, nonInferiority: { kind: 'tested', evidence: e(E), couldLose } });
const erring = (control: number, treatment: number, E: number, arm = 'B'): ArmTest =>
  tested(arm, {
    gain: null,
    better: { kind: 'none', refused: 'OPEN_WINDOW' },
    worse: e(E),
    firstError: { control, treatment, expectedShare: 0.5 },
  });
const burningIn: ArmTest = { kind: 'no-result', arm: 'B', refused: 'NOT_ENOUGH_DATA', have: 60, needed: 100 };
const ratioOff: QualityCheck = { ...badRatio, logE: Math.log(1500) };

describe('ship, looked at continuously', () => {
  it('goes when a gain and every margin hold at this look', () => {
    const { verdict, actions, latched } = judge(sequential({ metrics: [conversion(gain(45)), latency(kept(33))] }));
    expect(verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    expect(verdict.sentence).toBe(
      'go with B – conversion is 8.2 % better (E 45 ≥ 20); guardrail latency could be 0.4 % worse, margin 1 % (E 33 ≥ 20)',
    );
    expect(actions).toEqual({ ramp: 'advance', experiment: 'recommend-shipping', gate: 'go' });
    expect(latched).toEqual([{ test: 'go', metric: null, arm: 'B', knownUntilUs: at, value: expect.closeTo(1 / 45, 12) }]);
  });

  it('goes at E = 1/α, not below', () => {
    const verdictAt = (gainE: number, marginE: number) =>
      judge(sequential({ metrics: [conversion(gain(gainE)), latency(kept(marginE))] })).verdict.verdict;
    expect([verdictAt(1 / 0.05, 1 / 0.05), verdictAt(19.99, 25), verdictAt(25, 19.99)]).toEqual(['go', 'continue', 'continue']);
  });

  it('says what it waits for: what is not shown, until when, and how many units are in', () => {
    const { verdict } = judge(sequential({ metrics: [conversion(gain(3)), latency(kept(33))] }));
    expect(verdict.sentence).toBe(
      'continue – conversion is 8.2 % better, which is not shown to be a gain (E 3 < 20); waits for evidence until 2026-02-01T00:00:00.000Z or 20,000 units of the largest pair, 8,000 so far',
    );
  });

  it('never goes before the minimum run, and then waits for nothing else', () => {
    const plan = { ...watched, minimumRunOver: false, waits: [{ what: 'minimum-run' as const, untilUs: later }, ...watched.waits] };
    const { verdict } = judge(sequential({ plan, metrics: [conversion(gain(45)), latency(kept(33))] }));
    expect(verdict).toMatchObject({ verdict: 'continue', sentence: 'continue – waits for the minimum run until 2026-01-16T00:00:00.000Z' });
  });

  it('stops for harm from the first look on', () => {
    const plan = { ...watched, minimumRunOver: false };
    const { verdict, actions } = judge(sequential({ plan, metrics: [conversion(loss(61))] }));
    expect(verdict).toMatchObject({ verdict: 'no-go', sentence: 'no-go – conversion is 7 % worse (E 61 ≥ 40)' });
    expect(actions).toEqual({ ramp: 'roll-back', experiment: 'recommend-stopping', gate: 'no-go' });
  });

  it('is inconclusive when the planned units are in', () => {
    const plan = { ...watched, waits: [], exhausted: true };
    const { verdict, actions } = judge(sequential({ plan, metrics: [conversion(gain(3))] }));
    expect(verdict.sentence).toBe(
      'inconclusive, keep control – the plan is over: conversion is 8.2 % better, which is not shown to be a gain (E 3 < 20)',
    );
    expect(actions).toEqual({ ramp: 'hold-and-ask', experiment: 'recommend-control', gate: 'wait' });
  });

  it('shares α evenly among success metrics and treatments: each needs E ≥ 40 of two', () => {
    const arms = (b: number, c: number) => sequential({ treatments: ['B', 'C'], metrics: [conversion(gain(b), gain(c, 'C'))] });
    expect(judge(arms(39, 45)).verdict.arms.map(({ verdict }) => verdict)).toEqual(['continue', 'go']);
    expect(judge(arms(39, 45)).verdict.sentence).toMatch(/^go with C – conversion is 8.2 % better \(E 45 ≥ 40\)/);
  });
});

describe('missing data', () => {
  it('holds, and says both numbers of a burn-in', () => {
    const { verdict, actions } = judge(sequential({ metrics: [conversion(gain(45)), crashes(burningIn)] }));
    expect(verdict.verdict).toBe('continue');
    expect(verdict.sentence).toContain('crashes has no result (burn-in: 60 of 100 units an arm)');
    expect(actions).toEqual({ ramp: 'stay', experiment: 'stay', gate: 'wait' });
  });

  it('says which outcome is too rare', () => {
    const rare: ArmTest = { ...burningIn, have: 3, needed: 25 };
    expect(judge(sequential({ metrics: [conversion(rare)] })).verdict.sentence).toContain(
      'burn-in: 3 of 25 units an arm with the rarer outcome',
    );
  });

  it('holds where an event was never seen, and lets equal constants pass where it was', () => {
    const constant = (isEventSeen: boolean): ArmTest => ({ kind: 'equal-constants', arm: 'B', isEventSeen });
    const stage = (isSeen: boolean) => judge(sequential({ policy: 'stage', metrics: [crashes(constant(isSeen))] })).verdict;
    expect(stage(false)).toMatchObject({ verdict: 'continue', sentence: expect.stringContaining('crashes has no data') });
    expect(stage(true)).toMatchObject({ verdict: 'go', rule: 'nothing-is-worse' });
  });
});

describe('first errors', () => {
  it('are a no-go from 14 against 0 at a level of .0045, with the counts', () => {
    // α₋ .009 over one metric and the ratio test.
    const of = (treatment: number, E: number) =>
      judge(sequential({ policy: 'stage', alphaMinus: 0.009, metrics: [crashes(erring(0, treatment, E))] }));
    expect(of(14, 370).verdict.sentence).toBe(
      'no-go – crashes is worse: 14 of 14 units that have it are in B, whose share is 50 % (E 370 ≥ 222)',
    );
    expect(of(13, 199).verdict).toMatchObject({ verdict: 'go' });
  });
});

describe('stage', () => {
  it('goes when nothing is worse, and says of each metric how far it is from it', () => {
    const { verdict, actions } = judge(sequential({ policy: 'stage', metrics: [conversion(gain(3)), crashes(erring(3, 4, 0.8))] }));
    expect(verdict.sentence).toBe(
      'go with B – conversion is not shown to be worse (E 0.01 < 60); crashes is not shown to be worse: 4 of 7 units that have it are in B, whose share is 50 % (E 0.8 < 60)',
    );
    expect(actions).toEqual({ ramp: 'advance', experiment: 'stay', gate: 'go' });
  });

  it('needs no gain and no margin, and no minimum run', () => {
    const plan = { ...watched, minimumRunOver: false };
    expect(judge(sequential({ policy: 'stage', plan, metrics: [latency(kept(0.1, 0.5))] })).verdict.verdict).toBe('go');
  });

  it('holds while the harm that can’t be excluded reaches the bound', () => {
    const bounded = (couldLose: number) =>
      judge(sequential({ policy: 'stage', harmBound: 0.02, metrics: [latency(kept(1, couldLose))] })).verdict;
    expect(bounded(0.0199).verdict).toBe('go');
    expect(bounded(0.02)).toMatchObject({
      verdict: 'continue',
      sentence: expect.stringContaining('latency could be 2 % worse, a stage may risk less than 2 %'),
    });
  });
});

describe('the most severe action', () => {
  const crashing = crashes(erring(0, 30, 1e6));

  it('holds for a ratio alone', () => {
    const { verdict, actions } = judge(sequential({ quality: [ratioOff], metrics: [conversion(gain(45))] }));
    expect(verdict.verdict).toBe('invalid');
    expect(actions).toEqual({ ramp: 'hold', experiment: 'recommend-repair', gate: 'wait' });
  });

  it('rolls back for harm beside a broken ratio, and says both', () => {
    const { verdict, actions } = judge(sequential({ quality: [ratioOff], metrics: [crashing] }));
    expect(verdict).toMatchObject({ verdict: 'invalid', rule: 'quality-failed' });
    expect(verdict.sentence).toContain('cells hold 500 and 900 units; crashes is worse: 30 of 30 units');
    expect(actions).toEqual({ ramp: 'roll-back', experiment: 'recommend-stopping', gate: 'no-go' });
  });

  it('is that of the harmed arm while another one still waits, and not where one goes', () => {
    const two = (b: ArmTest, c: ArmTest) => judge(sequential({ treatments: ['B', 'C'], metrics: [conversion(b, c)] }));
    expect(two(gain(3), loss(100, 'C'))).toMatchObject({ verdict: { verdict: 'continue' }, actions: { ramp: 'roll-back', gate: 'no-go' } });
    expect(two(gain(45), loss(100, 'C'))).toMatchObject({ verdict: { verdict: 'go' }, actions: { experiment: 'recommend-shipping' } });
  });

  it('does not go by harm that may not be judged yet', () => {
    const plan = { ...watched, isDue: false, method: 'fixed-horizon' as const };
    const p = tested('B', { worse: { kind: 'p', p: 1e-9 } });
    expect(judge(sequential({ plan, quality: [badRatio], metrics: [crashes(p)] })).actions.ramp).toBe('hold');
  });
});

describe('what has been crossed', () => {
  const harmed = judge(sequential({ metrics: [conversion(loss(61))] }));
  const recovered = sequential({ knownUntilUs: later, metrics: [conversion(gain(45)), latency(kept(33))] });

  it('keeps its no-go though the evidence falls, and says when and with what it crossed', () => {
    expect(harmed.latched).toEqual([
      { test: 'harm', metric: 'conversion', arm: 'B', knownUntilUs: at, value: expect.closeTo(Math.log(61), 10) },
    ]);
    const after = judge(recovered, harmed.latched);
    expect(after.verdict).toMatchObject({ verdict: 'no-go', rule: 'deteriorated' });
    expect(after.verdict.sentence).toBe(
      'no-go – conversion was shown to be worse at 2026-01-15T00:00:00.000Z with E 61, and a crossing stays; now it is not shown to be worse (E 0.01 < 60)',
    );
    expect(after.latched).toEqual(harmed.latched);
    expect(after.actions.ramp).toBe('roll-back');
  });

  it('stays where the metric has no number any more', () => {
    const after = judge({ ...recovered, metrics: [conversion(burningIn)] }, harmed.latched);
    expect(after.verdict.verdict).toBe('no-go');
  });

  it('keeps a broken ratio invalid', () => {
    const off = judge(sequential({ quality: [ratioOff] }));
    expect(off.latched).toContainEqual({
      test: 'sample-ratio',
      metric: null,
      arm: null,
      knownUntilUs: at,
      value: expect.closeTo(Math.log(1500), 10),
    });
    const after = judge(recovered, off.latched);
    expect(after.verdict.sentence).toBe(
      'invalid – cells hold 500 and 501 units; it was off at 2026-01-15T00:00:00.000Z with E 1,500, and a crossing stays',
    );
    expect(judge({ ...recovered, quality: [] }, off.latched).verdict.verdict).toBe('invalid');
  });

  it('remembers a go without being bound by it: later harm wins', () => {
    const went = judge(sequential({ metrics: [conversion(gain(45))] }));
    const after = judge(sequential({ knownUntilUs: later, metrics: [conversion(loss(100))] }), went.latched);
    expect(after.verdict.verdict).toBe('no-go');
    expect(after.latched.map(({ test, knownUntilUs }) => [test, knownUntilUs])).toEqual([
      ['go', at],
      ['harm', later],
    ]);
    const fallen = judge(sequential({ knownUntilUs: later, metrics: [conversion(gain(3))] }), went.latched);
    expect(fallen).toMatchObject({ verdict: { verdict: 'continue' }, latched: went.latched });
  });

  it('crosses each boundary once', () => {
    const again = judge(sequential({ knownUntilUs: later, metrics: [conversion(loss(500))] }), harmed.latched);
    expect(again.latched).toEqual(harmed.latched);
  });

  it('binds the arm that crossed, and no other', () => {
    const ofC: Crossing = { test: 'harm', metric: 'conversion', arm: 'C', knownUntilUs: at, value: 5 };
    const after = judge(sequential({ treatments: ['B', 'C'], metrics: [conversion(gain(45), gain(45, 'C'))] }), [ofC]);
    expect(after.verdict.arms.map(({ verdict }) => verdict)).toEqual(['go', 'no-go']);
  });

  it('is told arm by arm, and says nothing of what is no treatment', () => {
    const both = judge(sequential({ treatments: ['B', 'C'], metrics: [conversion(loss(100), loss(200, 'C'))] }));
    expect(both.latched.map(({ arm }) => arm)).toEqual(['B', 'C']);
    const ofC: Crossing = { test: 'harm', metric: 'conversion', arm: 'C', knownUntilUs: at, value: 5 };
    const { verdict, actions } = judge(recovered, [ofC]);
    expect(verdict.findings.filter(({ arm }) => arm === 'C')).toEqual([]);
    expect(actions.ramp).toBe('advance');
  });

  it('is nothing before the first look', () => {
    expect(judge(sequential({ plan: { ...watched, isDue: false }, metrics: [conversion(loss(100))] })).latched).toEqual([]);
  });

  it('is nothing at the one look of a fixed horizon', () => {
    const p = tested('B', { worse: { kind: 'p', p: 1e-9 } });
    expect(judge(look({ metrics: [crashes(p)] }))).toMatchObject({ verdict: { verdict: 'no-go' }, latched: [] });
  });
});
