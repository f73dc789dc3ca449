import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { experimentDecider } from '../experiment/decide-experiment.js';
import { comparisonStartUs, type Experiment, type ExperimentEvent, type Run } from '../experiment/experiment.js';
import { defined, paused, segment, started } from '../experiment/experiments.examples.js';
import { experimentInStep } from './experiment-in-step.js';
import { gateOf } from './gate.js';
import {
  advancedTo,
  aLook,
  aRampable,
  aRecord,
  aRollout,
  aRun,
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
  theSurroundings,
} from './rollouts.examples.js';

const draft = fold(experimentDecider, [defined(aRampable())]);
const at = (run: Run): Experiment => ({ ...draft, runs: { production: run } });
const running = rolloutAfter(definedRollout(), startedRollout());
const ended = (type: 'RolloutReleased' | 'RolloutRolledBack') =>
  rolloutAfter(definedRollout(), startedRollout(), { type, actor: 'ann', forcedOver: [], record: 'record', sentence: 'why', atUs: BAKED });
const askedOf = (rollout = running, experiment = at(aRun())) => experimentInStep(rollout, experiment);

describe('what a rollout asks of its experiment', () => {
  it('is to start at the first stage, and nothing once it is there', () => {
    const ramp = { rollout: 'greener', run: 1, stage: 'canary', stageStartedAtUs: T0, policy: 'stage' };
    expect(askedOf(running, draft)).toEqual({ request: { type: 'StartExperiment', step: { coverage: 0.05, ramp } }, obstacle: null });
    expect(askedOf().request).toBeNull();
    expect(askedOf(rolloutAfter(definedRollout()), draft).request).toBeNull();
  });

  it('is to follow to the next stage, also after a crash in between, with the experiment’s own policy in the last one', () => {
    const next = rolloutAfter(definedRollout(), startedRollout(), advancedTo(1, BAKED));
    const ramp = { rollout: 'greener', run: 1, stage: 'half', stageStartedAtUs: BAKED, policy: 'stage' };
    expect(askedOf(next).request).toEqual({ type: 'MoveRamp', step: { coverage: 0.5, ramp } });
    const last = rolloutAfter(definedRollout(), startedRollout(), advancedTo(1), advancedTo(2));
    expect(askedOf(last).request).toMatchObject({ step: { coverage: 1, ramp: { stage: 'all', policy: 'ship' } } });
    // A stage that comes after it makes it one like the others.
    const { stages, ...rest } = aRollout();
    const longer = { ...rest, stages: [...stages, { ...stages[2], name: 'more' } as never] };
    const changed = rolloutAfter(definedRollout(), startedRollout(), advancedTo(1), advancedTo(2), {
      type: 'RolloutRedefined',
      definition: longer,
      atUs: T0,
    });
    expect(askedOf(changed, at(aRun('all', { segments: [segment({ coverage: 1 })] }))).request).toMatchObject({
      type: 'MoveRamp',
      step: { ramp: { policy: 'stage' } },
    });
  });

  it('is to pause with it and to resume with it; a hold leaves it as it is', () => {
    const stopped = rolloutAfter(definedRollout(), startedRollout(), pausedRollout(BAKED));
    expect(askedOf(stopped).request).toEqual({ type: 'PauseExperiment' });
    const pausedRun = aRun('canary', { status: 'paused', pausedAtUs: BAKED } as Partial<Run>);
    expect(askedOf(stopped, at(pausedRun)).request).toBeNull();
    const goesOn = rolloutAfter(definedRollout(), startedRollout(), pausedRollout(BAKED), resumedRollout(BAKED + 1));
    expect(askedOf(goesOn, at(pausedRun)).request).toEqual({ type: 'ResumeExperiment' });
    expect(askedOf(rolloutAfter(definedRollout(), startedRollout(), heldRollout('person'))).request).toBeNull();
  });

  it('is to end with it, upon the record that was acted on', () => {
    const decide = { type: 'DecideExperiment', reason: 'why', record: 'record' } as const;
    expect(askedOf(ended('RolloutReleased')).request).toEqual({ ...decide, outcome: 'ship' });
    expect(askedOf(ended('RolloutRolledBack')).request).toEqual({ ...decide, outcome: 'stop' });
    const decided = aRun('canary', {
      status: 'decided',
      closedAtUs: BAKED,
      decision: { outcome: 'ship', arm: 'green', reason: 'r', record: null },
    } as Partial<Run>);
    expect(askedOf(ended('RolloutReleased'), at(decided))).toEqual({ request: null, obstacle: null });
    expect(askedOf(ended('RolloutRolledBack'), draft)).toEqual({ request: null, obstacle: null });
  });

  it('is nothing where another one moves it, or it has ended: said, with the next step', () => {
    const { ramp: _, ...plain } = aRun();
    expect(askedOf(running, at(plain as Run)).obstacle).toMatch(/started without a rollout.*roll "greener" back/);
    const foreign = aRun('x', { ramp: { rollout: 'bluer', run: 1, stage: 'x', stageStartedAtUs: T0, policy: 'stage' } });
    expect(askedOf(running, at(foreign))).toEqual({ request: null, obstacle: expect.stringContaining('moved by rollout "bluer"') });
    expect(askedOf(ended('RolloutRolledBack'), at(foreign))).toEqual({ request: null, obstacle: null });
  });
});

describe('what is asked, done by the experiment', () => {
  const step = (stage: string, coverage: number) => ({
    coverage,
    ramp: { rollout: 'greener', run: 1, stage, stageStartedAtUs: T0, policy: 'stage' as const },
  });
  const begun: readonly ExperimentEvent[] = [
    defined(aRampable()),
    started({ segment: segment({ coverage: 0.05 }), metricVersions: { converted: 1, crashes: 1 }, ramp: step('canary', 0.05).ramp }),
  ];
  const decide = (command: object, facts = begun) =>
    experimentDecider.decide({ environment: 'production', atUs: BAKED, ...command } as never, fold(experimentDecider, facts));

  it('opens a segment of the same comparison at the higher coverage, once', () => {
    const moved = decide({ type: 'MoveRamp', step: step('half', 0.5) });
    const { seed, comparison } = segment();
    expect(moved).toEqual([
      {
        type: 'RampMoved',
        environment: 'production',
        segment: segment({ segment: 2, startedAtUs: BAKED, coverage: 0.5, seed, comparison }),
        ramp: step('half', 0.5).ramp,
        atUs: BAKED,
      },
    ]);
    expect(decide({ type: 'MoveRamp', step: step('half', 0.5) }, [...begun, ...moved])).toEqual([]);
  });

  it('obeys its rollout alone', () => {
    for (const type of ['PauseExperiment', 'FreezeEnrolment']) {
      expect(() => decide({ type })).toThrow(/moved by the rollout "greener".*stage "canary"/);
      expect(() => decide({ type, rollout: 'bluer' })).toThrow(/moved by the rollout "greener"/);
      expect(decide({ type, rollout: 'greener' })).toHaveLength(1);
    }
    const foreign = { ...step('half', 0.5), ramp: { ...step('half', 0.5).ramp, rollout: 'bluer' } };
    expect(() => decide({ type: 'MoveRamp', step: foreign })).toThrow(/greener/);
    const plain = [defined(aRampable()), started()];
    expect(() => decide({ type: 'MoveRamp', step: step('half', 0.5) }, plain)).toThrow(/without a rollout/);
    expect(decide({ type: 'PauseExperiment' }, plain)).toHaveLength(1);
  });

  it('goes on at its stage’s coverage after a pause', () => {
    const resumed = decide({ type: 'ResumeExperiment', rollout: 'greener', seed: 'unused', surroundings: theSurroundings().around }, [
      ...begun,
      paused(BAKED - SECOND),
    ]);
    expect(resumed).toMatchObject([{ type: 'ExperimentResumed', segment: { segment: 3, comparison: 1, coverage: 0.05, seed: 'seed-1' } }]);
  });
});

describe('the gate', () => {
  it.each<[string, ReturnType<typeof rolloutAfter>, Parameters<typeof someFacts>[0], string]>([
    ['a draft', rolloutAfter(definedRollout()), {}, 'wait'],
    ['a stage whose gates are open', running, {}, 'go'],
    ['a stage that bakes', running, { look: aLook({ knownUntilUs: T0 }) }, 'wait'],
    ['a stage whose data are missing', running, { look: null }, 'wait'],
    ['a held one, whatever the verdict', rolloutAfter(definedRollout(), startedRollout(), heldRollout('person')), {}, 'wait'],
    ['a paused one', rolloutAfter(definedRollout(), startedRollout(), pausedRollout(BAKED)), {}, 'wait'],
    ['what can’t be trusted', running, { record: aRecord({ verdict: 'invalid', ramp: 'hold' }) }, 'wait'],
    ['an exhausted plan', running, { record: aRecord({ verdict: 'inconclusive', ramp: 'hold-and-ask' }) }, 'wait'],
    ['harm', running, { record: aRecord({ verdict: 'no-go', ramp: 'roll-back' }) }, 'no-go'],
    [
      'harm while held',
      rolloutAfter(definedRollout(), startedRollout(), heldRollout('person')),
      { record: aRecord({ verdict: 'no-go', ramp: 'roll-back' }) },
      'no-go',
    ],
    ['a released one', ended('RolloutReleased'), {}, 'go'],
    ['one that was rolled back', ended('RolloutRolledBack'), {}, 'no-go'],
  ])('of %s', (_, rollout, facts, verdict) => {
    if (rollout.status === 'absent') throw new Error('it is there');
    const gate = gateOf(rollout, someFacts(facts));
    expect(gate.verdict).toBe(verdict);
    expect(gate.reason).not.toBe('');
  });
});

/** Of an experiment; run 2 has a quarter, shared by one success metric, one guardrail and the designed ratio. */
const ALPHA_MINUS = aRampable().plan.alphaMinus;

describe('a rollout that begins once more', () => {
  const rolledBack = { type: 'RolloutRolledBack', actor: 'ann', record: null, sentence: 'harm', atUs: BAKED } as const;
  const again = rolloutAfter(definedRollout(), startedRollout(), rolledBack, {
    type: 'RolloutStarted',
    run: 2,
    sentence: 's',
    atUs: BAKED + SECOND,
  });
  const ramp = (run: number) => ({ rollout: 'greener', run, stage: 'canary', stageStartedAtUs: T0, policy: 'stage' }) as const;
  const step = { coverage: 0.05, ramp: { ...ramp(2), stageStartedAtUs: BAKED + SECOND } };
  const stopped: readonly ExperimentEvent[] = [
    defined(aRampable()),
    { ...started(), ramp: ramp(1) } as ExperimentEvent,
    {
      type: 'ExperimentDecided',
      environment: 'production',
      decision: { outcome: 'stop', arm: null, reason: 'harm', record: null },
      closedAtUs: BAKED,
      atUs: BAKED,
    },
  ];
  const start = {
    type: 'StartExperiment',
    environment: 'production',
    kind: 'live',
    surroundings: theSurroundings().around,
    seed: 'seed-2',
    step,
    atUs: BAKED + 2 * SECOND,
  } as const;

  it('asks its experiment to start with other units in a comparison of their own', () => {
    const experiment = fold(experimentDecider, stopped);
    expect(experimentInStep(again, experiment)).toEqual({ request: { type: 'StartExperiment', step }, obstacle: null });
    const events = experimentDecider.decide(start, experiment);
    expect(events).toMatchObject([
      {
        type: 'ExperimentRestarted',
        version: 1,
        ramp: { run: 2 },
        planInForce: { comparison: 2, levels: { harm: ALPHA_MINUS / 4 / 3 } },
        segment: { segment: 2, comparison: 2, coverage: 0.05, seed: 'seed-2' },
      },
    ]);
    const run = fold(experimentDecider, [...stopped, ...events]).runs.production;
    expect(run).toMatchObject({ status: 'running', revision: 3, segments: [{ comparison: 1, seed: 'seed-1' }, { comparison: 2 }] });
    expect(run).not.toHaveProperty('decision');
    expect(run).not.toHaveProperty('closedAtUs');
    expect(run === undefined ? null : comparisonStartUs(run)).toBe(BAKED + 2 * SECOND);
    expect(experimentInStep(again, fold(experimentDecider, [...stopped, ...events])).request).toBeNull();
  });

  it('counts every run before it with its own share of α₋, also those that an earlier program began', () => {
    const third = stopped.map((event): ExperimentEvent => {
      if (event.type !== 'ExperimentStarted') return event;
      return { ...event, ramp: ramp(3), segment: { ...event.segment, segment: 3, comparison: 3 } };
    });
    const fourth = { ...start, step: { ...step, ramp: { ...step.ramp, run: 4 } } };
    const [event] = experimentDecider.decide(fourth, fold(experimentDecider, third));
    const alphaMinus: unknown = expect.closeTo(ALPHA_MINUS * (1 / 2 + 1 / 4 + 1 / 8), 12);
    expect(event).toMatchObject({ planInForce: { before: { comparisons: 3, alphaMinus } } });
  });

  it('and never one that was shipped, archived, stopped by a person, or is at that run already', () => {
    const refused = (change: (events: readonly ExperimentEvent[]) => readonly ExperimentEvent[], asked: typeof start = start) =>
      expect(() => experimentDecider.decide(asked, fold(experimentDecider, change(stopped)))).toThrow(/only a draft one can be started/);
    refused((events) =>
      events.map((event) => (event.type === 'ExperimentDecided' ? { ...event, decision: { ...event.decision, outcome: 'ship' } } : event)),
    );
    refused((events) => [...events, { type: 'ExperimentArchived', environment: 'production', atUs: BAKED }]);
    refused((events) => events.map((event) => (event.type === 'ExperimentStarted' ? started() : event)));
    refused((events) => events, { ...start, step: { ...step, ramp: { ...step.ramp, run: 1 } } as never });
  });
});
