import { describe, expect, it } from '@jest/globals';
import { nextAction } from './next-action.js';
import type { RolloutFacts } from './rollout-facts.js';
import {
  advancedTo,
  aLook,
  aRecord,
  aRollout,
  aRun,
  aStage,
  BAKED,
  definedRollout,
  heldRollout,
  pausedRollout,
  resumedRollout,
  rolloutAfter,
  SECOND,
  someFacts,
  startedRollout,
  T0,
} from './rollouts.examples.js';

const running = rolloutAfter(definedRollout(), startedRollout());
const withStage = (change: Parameters<typeof aStage>[0], mode: 'act' | 'shadow' = 'act') => {
  const { stages, ...rest } = aRollout({ mode });
  return rolloutAfter(definedRollout({ ...rest, stages: [aStage(change), ...stages.slice(1)] }), startedRollout());
};
const kindOf = (rollout = running, change: Partial<RolloutFacts> = {}) => nextAction(rollout, someFacts(change)).action?.kind ?? null;
const waitsOf = (rollout = running, change: Partial<RolloutFacts> = {}) =>
  nextAction(rollout, someFacts(change)).waits.map(({ what }) => what);

describe('a stage whose gates are all open', () => {
  it('ends, upon the record that says go', () => {
    expect(nextAction(running, someFacts())).toEqual({
      action: { kind: 'advance', record: 'record', sentence: 'nothing is worse' },
      waits: [],
    });
  });

  it('is released when it is the last one, which asks what the experiment asks', () => {
    const last = rolloutAfter(definedRollout(), startedRollout(), advancedTo(1), advancedTo(2));
    const seen = { stage: 'all', policy: 'ship' } as const;
    const facts = { experiment: aRun('all'), look: aLook(seen), record: aRecord(seen) };
    expect(kindOf(last, facts)).toBe('release');
    expect(kindOf(last, { ...facts, look: aLook({ ...seen, policy: 'stage' }) })).toBeNull();
    expect(kindOf(last, { ...facts, record: aRecord({ ...seen, policy: 'stage' }) })).toBeNull();
  });
});

describe('a stage that waits', () => {
  it.each<[string, Partial<RolloutFacts>, readonly string[]]>([
    ['nobody has looked', { look: null }, ['data', 'bake-time', 'units']],
    ['its look is older than the freshness limit', { nowUs: BAKED + 31 * SECOND }, ['freshness']],
    ['its look does not say go', { look: aLook({ verdict: 'continue', ramp: 'stay' }) }, ['verdict']],
    ['its look says go, and no record does', { record: null }, ['verdict']],
    ['its look says go, its record does not', { record: aRecord({ verdict: 'continue', ramp: 'stay' }) }, ['verdict']],
    ['its look does not know all of the bake time', { look: aLook({ knownUntilUs: BAKED - 1 }) }, ['bake-time']],
    ['99 of 100 units were exposed', { look: aLook({ units: 99 }) }, ['units']],
    ['its feature is killed, and that was seen', { isFeatureKilled: true }, []],
  ])('says so when %s', (_, change, waits) => {
    if (waits.length > 0) expect([kindOf(running, change), waitsOf(running, change)]).toEqual([null, waits]);
    else expect(kindOf(running, change)).toBe('hold-feature-killed');
  });

  it('says both numbers, and until when where time alone ends it', () => {
    const { waits } = nextAction(
      running,
      someFacts({ look: aLook({ knownUntilUs: T0 + 20 * SECOND, units: 7 }), nowUs: T0 + 21 * SECOND }),
    );
    expect(waits).toEqual([
      { what: 'bake-time', have: 20, needed: 60, untilUs: BAKED, sentence: 'stage "canary" bakes for 1 min, 20 s of it are known' },
      { what: 'units', have: 7, needed: 100, untilUs: null, sentence: '7 of 100 units have been exposed' },
    ]);
  });

  it('asks for approval last, and goes on once it is given', () => {
    const asking = withStage({ requiresApproval: true });
    expect(waitsOf(asking)).toEqual(['approval']);
    expect(waitsOf(asking, { look: null }).at(-1)).toBe('approval');
    const approved = { type: 'RolloutApproved', stage: 0, actor: 'ann', sentence: 's', atUs: T0 } as const;
    const { stages, ...rest } = aRollout();
    const events = [
      definedRollout({ ...rest, stages: [aStage({ requiresApproval: true }), ...stages.slice(1)] }),
      startedRollout(),
      approved,
    ];
    expect(kindOf(rolloutAfter(...events))).toBe('advance');
    // Void in the next stage.
    const second = rolloutAfter(...events, advancedTo(1));
    expect(second).toMatchObject({ stage: { index: 1, approvedBy: null } });
  });
});

describe('what is said of something else', () => {
  it.each<[string, Partial<ReturnType<typeof aLook>>]>([
    ['another stage', { stage: 'half' }],
    ['no stage', { stage: null }],
    ['another comparison', { comparison: 2 }],
    ['another experiment', { experiment: 'banner' }],
    ['another environment', { environment: 'staging' }],
  ])('neither moves nor harms it: %s', (_, place) => {
    expect(kindOf(running, { look: aLook(place) })).toBeNull();
    expect(kindOf(running, { record: aRecord(place) })).toBeNull();
    expect(kindOf(running, { record: aRecord({ ...place, verdict: 'no-go', ramp: 'roll-back' }) })).toBeNull();
    expect(kindOf(running, { record: aRecord({ ...place, verdict: 'invalid', ramp: 'hold' }) })).toBeNull();
  });

  it('does not move it either while another rollout has its experiment', () => {
    const foreign = aRun('canary', { ramp: { rollout: 'bluer', run: 1, stage: 'canary', stageStartedAtUs: T0, policy: 'stage' } });
    expect(kindOf(running, { experiment: foreign })).toBeNull();
  });
});

describe('harm', () => {
  const harm = { record: aRecord({ verdict: 'no-go', ramp: 'roll-back', sentence: '14 crashes against 0' }) };
  it('rolls back whatever the look says, held, paused or unmonitored', () => {
    const states = [
      running,
      rolloutAfter(definedRollout(), startedRollout(), heldRollout('person')),
      rolloutAfter(definedRollout(), startedRollout(), pausedRollout(T0 + 1)),
      withStage({ monitored: false }),
    ];
    for (const state of states) {
      expect(nextAction(state, someFacts(harm)).action).toEqual({ kind: 'roll-back', record: 'record', sentence: '14 crashes against 0' });
      expect(kindOf(state, { ...harm, look: null, nowUs: BAKED + 9_999 * SECOND, isFeatureKilled: true })).toBe('roll-back');
    }
  });

  it('is not acted on by a look alone: only what is recorded is', () => {
    expect(kindOf(running, { look: aLook({ verdict: 'no-go', ramp: 'roll-back' }) })).toBeNull();
  });
});

describe('what a person should see', () => {
  it.each<[string, Partial<RolloutFacts>, string]>([
    ['the evidence can’t be trusted', { record: aRecord({ verdict: 'invalid', ramp: 'hold' }) }, 'hold-quality'],
    ['a guardrail that only holds is worse', { record: aRecord({ verdict: 'no-go', ramp: 'hold' }) }, 'hold-guardrail'],
    ['the plan is over', { record: aRecord({ verdict: 'inconclusive', ramp: 'hold-and-ask' }) }, 'hold-inconclusive'],
    ['the feature is killed', { isFeatureKilled: true }, 'hold-feature-killed'],
  ])('holds when %s, and once seen not again in the same stage', (_, change, kind) => {
    expect(kindOf(running, change)).toBe(kind);
    const cause = kind.slice('hold-'.length) as 'quality';
    const held = rolloutAfter(definedRollout(), startedRollout(), heldRollout(cause));
    expect(kindOf(held, change)).toBeNull();
    const seen = rolloutAfter(definedRollout(), startedRollout(), heldRollout(cause), resumedRollout(BAKED));
    expect(kindOf(seen, change)).toBeNull();
    // Seen is not allowed: it still does not go on.
    expect(waitsOf(seen, change).length).toBeGreaterThan(0);
  });

  it('includes a deadline, which comes before a go; a pause shifts it', () => {
    const late = { nowUs: T0 + 90 * SECOND, look: aLook({ knownUntilUs: T0 + 89 * SECOND }) };
    const stages = withStage({ deadlineSeconds: 90 });
    expect(nextAction(stages, someFacts(late)).action).toMatchObject({
      kind: 'hold-deadline',
      sentence: 'stage "canary" has taken 1 min 30 s, its deadline is 1 min 30 s: go on, or roll back',
    });
    expect(kindOf(stages, { ...late, nowUs: T0 + 90 * SECOND - 1 })).toBe('advance');
    const { stages: rest, ...definition } = aRollout();
    const paused = [definedRollout({ ...definition, stages: [aStage({ deadlineSeconds: 90 }), ...rest.slice(1)] }), startedRollout()];
    const shifted = rolloutAfter(...paused, pausedRollout(T0 + 10 * SECOND), resumedRollout(T0 + 20 * SECOND));
    expect(kindOf(shifted, late)).toBe('advance');
    expect(kindOf(shifted, { ...late, look: aLook({ knownUntilUs: T0 + 69 * SECOND }) })).toBeNull();
  });
});

describe('a stage that is not monitored', () => {
  const unmonitored = withStage({ monitored: false });
  it('ends by time and units alone', () => {
    expect(kindOf(unmonitored, { record: null, look: aLook({ verdict: 'continue', ramp: 'stay' }) })).toBe('advance');
    expect(waitsOf(unmonitored, { record: null, look: null, nowUs: BAKED - 1 })).toEqual(['bake-time', 'units']);
    expect(kindOf(withStage({ monitored: false, minUnits: 0 }), { record: null, look: null })).toBe('advance');
  });
});

describe('shadow mode', () => {
  it('says each action of a stage once', () => {
    const shadow = withStage({}, 'shadow');
    expect(kindOf(shadow)).toBe('advance');
    if (shadow.status !== 'running') throw new Error('it runs');
    const told = { ...shadow, stage: { ...shadow.stage, told: ['advance' as const] } };
    expect([kindOf(told), waitsOf(told)]).toEqual([null, ['person']]);
    expect(kindOf(told, { record: aRecord({ verdict: 'no-go', ramp: 'roll-back' }) })).toBe('roll-back');
  });
});

describe('a rollout that does not run', () => {
  it('has nothing to do: absent, draft, ended', () => {
    const ended = { type: 'RolloutRolledBack', actor: 'ann', record: null, sentence: 's', atUs: T0 } as const;
    for (const state of [rolloutAfter(), rolloutAfter(definedRollout()), rolloutAfter(definedRollout(), startedRollout(), ended)])
      expect(nextAction(state, someFacts())).toEqual({ action: null, waits: [] });
  });
});
