import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { experimentDecider } from '../experiment/decide-experiment.js';
import { defined, metricOf, segment, started } from '../experiment/experiments.examples.js';
import { scenario } from '../scenario.contract.js';
import { rolloutDecider } from './decide-rollout.js';
import { nextAction } from './next-action.js';
import { durationText } from './rollout-definition.js';
import { stagesOfTemplate } from './rollout-templates.js';
import {
  advancedTo,
  aLook,
  aRampable,
  aRecord,
  aRollout,
  aRun,
  aStage,
  BAKED,
  definedRollout,
  heldRollout,
  pausedRollout,
  rolloutAfter,
  SECOND,
  someFacts,
  startedRollout,
  T0,
  theSurroundings,
} from './rollouts.examples.js';

const { given } = scenario(rolloutDecider);
const by = { actor: 'ann', reason: null, atUs: BAKED };
const define = (definition = aRollout(), surroundings = theSurroundings()) =>
  ({ type: 'DefineRollout', definition, surroundings, atUs: T0 }) as const;
const begun = [definedRollout(), startedRollout()];
const lastStage = [...begun, advancedTo(1), advancedTo(2)];
const atLast = (change: object = {}) => {
  const seen = { stage: 'all', policy: 'ship', ...change } as const;
  return someFacts({ experiment: aRun('all'), look: aLook(seen), record: aRecord(seen) });
};

describe('a definition', () => {
  it('is kept as a draft, once', () => {
    given([]).when(define()).then([definedRollout()]);
    given([definedRollout()]).when(define()).thenRefuses('rollout-exists', 'draft');
  });

  it.each<[string, Parameters<typeof aRollout>[0], RegExp]>([
    ['coverage-falls', { stages: [aStage({ coverage: 0.5 }), aStage({ name: 'b', coverage: 0.25 })] }, /25 %.*50 %/],
    ['stage-twice', { stages: [aStage(), aStage()] }, /stages 1 and 2/],
    ['deadline-before-bake-time', { stages: [aStage({ deadlineSeconds: 30 })] }, /30 s.*1 min/],
    ['last-stage-unmonitored', { stages: [aStage({ monitored: false })] }, /stage 1 of 1/],
    ['stage-count', { stages: [] }, /1 to 20/],
    ['invalid-slug', { key: 'Not a slug' }, /./],
  ])('is refused as %s', (code, change, sentence) => {
    given([])
      .when(define(aRollout(change)))
      .thenRefuses(code, sentence);
  });

  it.each<[string, Parameters<typeof aRampable>[0], RegExp]>([
    ['is not assigned by Rampart', { assignment: 'external' }, /external/],
    ['is on no feature', { feature: undefined }, /no feature/],
    [
      'has weights of its own',
      {
        variants: [
          { key: 'blue', weight: 2 },
          { key: 'green', weight: 1 },
        ],
      },
      /2 and 1/,
    ],
    ['has three arms', { variants: ['blue', 'green', 'red'].map((key) => ({ key, weight: 1 })) }, /3 variants/],
    ['has a control that is not the default', { control: 'green' }, /"green".*"blue"/],
    ['has one look only', { plan: { method: 'fixed-horizon' } }, /fixed-horizon/],
  ])('is refused where its experiment %s', (_, change, sentence) => {
    given([])
      .when(define(aRollout(), theSurroundings(aRampable(change))))
      .thenRefuses('experiment-not-rampable', sentence);
  });

  it('is refused where there is no experiment, or only history', () => {
    given([])
      .when(define(aRollout(), theSurroundings(aRampable(), { experiment: { versions: [], runs: {} } })))
      .thenRefuses('experiment-not-found');
    given([])
      .when(define(aRollout(), theSurroundings(aRampable(), { kind: 'historical' })))
      .thenRefuses('experiment-not-rampable', /history/);
  });

  it('is refused where a monitored stage is shorter than a guardrail takes to be final', () => {
    const surroundings = theSurroundings(
      aRampable({
        metrics: [
          { metric: 'converted', role: 'success' },
          { metric: 'latency', role: 'guardrail' },
        ],
      }),
    );
    // Window 20 s, lateness 5 s.
    given([])
      .when(define(aRollout({ stages: [aStage({ bakeSeconds: 24 })] }), surroundings))
      .thenRefuses('stage-too-short', /24 s.*25 s/);
    const long = aRollout({ stages: [aStage({ bakeSeconds: 25 })] });
    given([])
      .when(define(long, surroundings))
      .then([definedRollout(long)]);
    const unmonitored = aRollout({ stages: [aStage({ bakeSeconds: 0, monitored: false }), aStage({ name: 'all' })] });
    given([])
      .when(define(unmonitored, surroundings))
      .then([definedRollout(unmonitored)]);
  });

  it('can be replaced as long as it is a draft, and afterwards in what is still to come', () => {
    const { stages } = aRollout();
    const redefine = (definition: ReturnType<typeof aRollout>) =>
      ({ type: 'RedefineRollout', definition, surroundings: theSurroundings(), atUs: T0 }) as const;
    const slower = aRollout({ stages: [aStage({ bakeSeconds: 90 }), ...stages.slice(1)] });
    const event = (definition: typeof slower) => ({ type: 'RolloutRedefined', definition, atUs: T0 }) as const;
    given([definedRollout()])
      .when(redefine(slower))
      .then([event(slower)]);
    given(begun)
      .when(redefine(slower))
      .thenRefuses('stage-begun', /stage 1/);
    const longer = aRollout({
      name: 'Other',
      stages: [...stages.slice(0, 1), aStage({ name: 'third', coverage: 0.3 }), ...stages.slice(1)],
    });
    given(begun)
      .when(redefine(longer))
      .then([event(longer)]);
    given(begun).when(redefine(aRollout())).then([]);
    given(begun)
      .when(redefine(aRollout({ environment: 'staging' })))
      .thenRefuses('rollout-begun');
    given(begun)
      .when(redefine(aRollout({ stages: [] })))
      .thenRefuses('stage-begun');
  });

  it('may name a template, whose stages rise to everybody', () => {
    for (const template of ['careful', 'standard', 'fast'] as const) {
      const definition = aRollout({ stages: stagesOfTemplate(template) });
      given([])
        .when(define(definition))
        .then([definedRollout(definition)]);
      expect(definition.stages.at(-1)?.coverage).toBe(1);
    }
  });
});

describe('a start', () => {
  const start = (surroundings = theSurroundings()) => ({ type: 'StartRollout', surroundings, ...by }) as const;
  it('begins its first run at its first stage', () => {
    const sentence = 'ann started it: stage 1 of 3, "canary", 5 % of the eligible units';
    given([definedRollout()])
      .when(start())
      .then([{ type: 'RolloutStarted', run: 1, sentence, atUs: BAKED }]);
  });

  it('is refused twice, and where the experiment runs already or could not start', () => {
    given(begun)
      .when(start())
      .thenRefuses('rollout-status', /running.*draft/);
    const running = { experiment: fold(experimentDecider, [defined(aRampable()), started()]) };
    given([definedRollout()])
      .when(start(theSurroundings(aRampable(), running)))
      .thenRefuses('experiment-status', /running in production/);
    const around = { ...theSurroundings().around, metrics: { crashes: metricOf({ type: 'first-error', windowUs: null }) } };
    given([definedRollout()])
      .when(start(theSurroundings(aRampable(), { around })))
      .thenRefuses('experiment-not-ready', /converted/);
  });
});

describe('a person', () => {
  it('moves the stage that was in force when it was asked, and no later one', () => {
    const facts = someFacts();
    for (const command of [
      { type: 'AdvanceStage', isForced: true, facts, meantStage: 0, ...by },
      { type: 'CompleteRollout', isForced: true, facts, meantStage: 0, ...by },
      { type: 'ApproveStage', meantStage: 0, ...by },
    ] as const) {
      given([...begun, advancedTo(1)])
        .when(command)
        .thenRefuses('stage-left', /has left stage "canary" and is at stage 2 of 3 \("half", 50 %\)/);
    }
    const [moved] = rolloutDecider.decide(
      { type: 'AdvanceStage', isForced: true, facts, meantStage: 1, ...by },
      rolloutAfter(...begun, advancedTo(1)),
    );
    expect(moved).toMatchObject({ type: 'RolloutAdvanced', from: 1, to: 2 });
  });

  it('advances with all gates open, or over closed ones by force, which is recorded with what was unmet', () => {
    const advance = (isForced: boolean, facts = someFacts()) =>
      ({ type: 'AdvanceStage', isForced, facts, meantStage: null, ...by }) as const;
    const event = { type: 'RolloutAdvanced', from: 0, to: 1, atUs: BAKED } as const;
    const next = 'stage 2 of 3 begins ("half", 50 %)';
    given(begun)
      .when(advance(false))
      .then([{ ...event, forcedOver: [], record: 'record', sentence: `ann advanced it with all gates open: ${next}` }]);
    const few = someFacts({ look: aLook({ units: 7 }), record: null });
    given(begun)
      .when(advance(false, few))
      .thenRefuses('gates-closed', /2 gates are closed.*7 of 100 units/);
    const forcedOver = [
      'the newest look says go, but nothing is recorded of this stage: only what is recorded is acted on',
      '7 of 100 units have been exposed',
    ];
    given(begun)
      .when(advance(true, few))
      .then([{ ...event, forcedOver, record: null, sentence: `ann advanced it over 2 closed gates: ${next}` }]);
    given([...begun, heldRollout('quality')])
      .when(advance(false))
      .thenRefuses('gates-closed', /held \(quality\)/);
    given(lastStage).when(advance(true, atLast())).thenRefuses('last-stage');
    given([...begun, pausedRollout(T0)])
      .when(advance(true))
      .thenRefuses('rollout-status', /paused/);
  });

  it('releases without force at a go of the last stage alone, and only then upon its record', () => {
    const complete = (isForced: boolean, facts = atLast()) =>
      ({ type: 'CompleteRollout', isForced, facts, meantStage: null, ...by }) as const;
    const event = { type: 'RolloutReleased', actor: 'ann', atUs: BAKED } as const;
    const at = 'ann released it at stage 3 of 3 ("all", 100 %)';
    given(lastStage)
      .when(complete(false))
      .then([{ ...event, forcedOver: [], record: 'record', sentence: `${at} with all gates open` }]);
    given(lastStage)
      .when(complete(false, atLast({ verdict: 'continue' })))
      .thenRefuses('gates-closed');
    given(begun)
      .when(complete(false, someFacts()))
      .thenRefuses('gates-closed', /2 of 3 stages are still to come/);
    given(begun)
      .when(complete(true, someFacts()))
      .then([
        {
          ...event,
          forcedOver: ['2 of 3 stages are still to come'],
          record: null,
          sentence: 'ann released it at stage 1 of 3 ("canary", 5 %) over 1 closed gates',
        },
      ]);
  });

  it('approves at any time, where a stage asks for it, once', () => {
    const approve = { type: 'ApproveStage', meantStage: null, ...by } as const;
    const asking = [definedRollout(aRollout({ stages: [aStage({ requiresApproval: true })] })), startedRollout()];
    const event = {
      type: 'RolloutApproved',
      stage: 0,
      actor: 'ann',
      sentence: 'ann approved the end of stage "canary"',
      atUs: BAKED,
    } as const;
    given(asking).when(approve).then([event]);
    given([...asking, event])
      .when(approve)
      .then([]);
    given(begun).when(approve).thenRefuses('approval-not-asked');
  });

  it('holds, pauses, resumes and rolls back, each with reason and place; what is so already is no event', () => {
    const at = 'at stage 1 of 3 ("canary", 5 %)';
    const held = { type: 'RolloutHeld', cause: 'person', record: null, sentence: `ann holds it ${at}: lunch`, atUs: BAKED } as const;
    given(begun)
      .when({ type: 'HoldRollout', ...by, reason: 'lunch' })
      .then([held]);
    given([...begun, held])
      .when({ type: 'HoldRollout', ...by })
      .then([]);
    given([...begun, held])
      .when({ type: 'ResumeRollout', ...by })
      .then([{ type: 'RolloutResumed', sentence: `ann resumed it ${at}`, atUs: BAKED }]);
    given(begun)
      .when({ type: 'ResumeRollout', ...by })
      .then([]);
    given([...begun, pausedRollout(T0)])
      .when({ type: 'PauseRollout', ...by })
      .then([]);
    const back = { type: 'RolloutRolledBack', actor: 'ann', record: null, sentence: `ann rolled it back ${at}`, atUs: BAKED } as const;
    for (const facts of [begun, [...begun, held], [...begun, pausedRollout(T0)]])
      given(facts)
        .when({ type: 'RollBack', ...by })
        .then([back]);
    given([...begun, back])
      .when({ type: 'RollBack', ...by })
      .thenRefuses('rollout-status', /rolled-back/);
    given([definedRollout()])
      .when({ type: 'HoldRollout', ...by })
      .thenRefuses('rollout-status', /draft/);
    given([])
      .when({ type: 'HoldRollout', ...by })
      .thenRefuses('rollout-not-found');
  });
});

describe('the process', () => {
  const follow = (facts = someFacts()) => ({ type: 'FollowEvidence', facts, atUs: BAKED }) as const;
  it('does what state and facts require, and refuses where that is nothing: a second one finds the work done', () => {
    const sentence = 'stage 2 of 3 begins ("half", 50 %): nothing is worse';
    const advanced = { type: 'RolloutAdvanced', from: 0, to: 1, forcedOver: [], record: 'record', sentence, atUs: BAKED } as const;
    given(begun).when(follow()).then([advanced]);
    given([...begun, advanced])
      .when(follow())
      .thenRefuses('nothing-to-do');
    given([...begun, heldRollout('person')])
      .when(follow())
      .thenRefuses('nothing-to-do');
  });

  it('in shadow mode says what it would have done, once', () => {
    const shadow = [definedRollout(aRollout({ mode: 'shadow' })), startedRollout()];
    const said = {
      type: 'RolloutWouldHaveActed',
      stage: 0,
      action: 'advance',
      record: 'record',
      sentence: 'nothing is worse',
      atUs: BAKED,
    } as const;
    given(shadow).when(follow()).then([said]);
    given([...shadow, said])
      .when(follow())
      .thenRefuses('nothing-to-do');
  });
});

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [5_400, '1 h 30 min'],
    [86_400, '1 d'],
    [86_460, '1 d'],
    [SECOND, '11 d 13 h'],
  ])('of %d s reads %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe('a rollout that was rolled back', () => {
  const rolledBack = { type: 'RolloutRolledBack', actor: 'ann', record: null, sentence: 's', atUs: BAKED } as const;
  const stoppedRun = (change: object = {}) =>
    aRun('canary', {
      status: 'decided',
      decision: { outcome: 'stop', arm: null, reason: 's', record: null },
      closedAtUs: BAKED,
      ...change,
    } as never);
  const around = (run = stoppedRun()) => {
    const { experiment, ...rest } = theSurroundings();
    return { ...rest, experiment: { ...experiment, runs: { production: run } } };
  };
  const start = (surroundings = around()) => ({ type: 'StartRollout', surroundings, ...by }) as const;
  const back = [...begun, rolledBack];

  it('starts again with its first stage, as run 2, and says what that costs', () => {
    given(back)
      .when(start())
      .then([
        {
          type: 'RolloutStarted',
          run: 2,
          sentence:
            'ann started it again, run 2, whose tests for harm have half of the run before: stage 1 of 3, "canary", 5 % of the eligible units',
          atUs: BAKED,
        },
      ]);
    const again = rolloutAfter(...back, { type: 'RolloutStarted', run: 2, sentence: 's', atUs: BAKED });
    expect(again).toMatchObject({ status: 'running', run: 2, stage: { index: 0, startedAtUs: BAKED } });
  });

  it('waits until its experiment has stopped, and never takes one that was archived or is moved by another rollout', () => {
    given(back)
      .when(start(around(aRun())))
      .thenRefuses('experiment-status', 'still running in production with run 1');
    given(back)
      .when(start(around(stoppedRun({ status: 'archived', archivedAtUs: BAKED }))))
      .thenRefuses('experiment-status', 'define another experiment');
    const ramp = { rollout: 'another', run: 1, stage: 'canary', stageStartedAtUs: T0, policy: 'stage' };
    given(back)
      .when(start(around(stoppedRun({ ramp }))))
      .thenRefuses('experiment-status', 'define another experiment');
  });

  it('is not started when it was released, nor for ever', () => {
    const released = { type: 'RolloutReleased', actor: 'ann', forcedOver: [], record: null, sentence: 's', atUs: BAKED } as const;
    given([...begun, released])
      .when(start())
      .thenRefuses('rollout-status', 'only a draft or rolled-back');
    const runs = Array.from({ length: 15 }, (_, index) => [
      { type: 'RolloutStarted', run: index + 2, sentence: 's', atUs: BAKED } as const,
      rolledBack,
    ]);
    given([...back, ...runs.flat()])
      .when(start())
      .thenRefuses('too-many-runs', 'started 16 times');
  });

  it('is not judged by what was seen of the run before', () => {
    const again = rolloutAfter(...back, { type: 'RolloutStarted', run: 2, sentence: 's', atUs: BAKED });
    const harmOfRun1 = aRecord({ verdict: 'no-go', ramp: 'roll-back' });
    expect(nextAction(again, someFacts({ experiment: stoppedRun(), record: harmOfRun1 })).action).toBeNull();
    const run2 = aRun('canary', {
      segments: [segment({ coverage: 0.05 }), segment({ segment: 2, comparison: 2, coverage: 0.05 })],
      ramp: { rollout: 'greener', run: 2, stage: 'canary', stageStartedAtUs: BAKED, policy: 'stage' },
    });
    expect(nextAction(again, someFacts({ experiment: run2, record: harmOfRun1 })).action).toBeNull();
    expect(nextAction(again, someFacts({ experiment: run2, record: { ...harmOfRun1, comparison: 2 } })).action?.kind).toBe('roll-back');
  });
});
