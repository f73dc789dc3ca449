import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { experimentDecider } from './decide-experiment.js';
import type { ExperimentEvent } from './experiment.js';
import { anExperiment, DAY, defined, segment, started, surroundings, T0 } from './experiments.examples.js';
import { planInForce } from './plan-in-force.js';

const start = { kind: 'live', comparison: 1, startedAtUs: T0, run: null } as const;
const watched = { method: 'sequential', plannedUnits: 20_000, plannedEndUs: undefined } as const;
const ramp = (run: number) => ({ rollout: 'out', run, stage: 'one', stageStartedAtUs: T0, policy: 'stage' }) as const;

describe('the plan in force', () => {
  it('is its levels, N* and the power that each test needs', () => {
    const definition = anExperiment({
      plan: watched,
      metrics: [
        { metric: 'converted', role: 'success' },
        { metric: 'revenue', role: 'guardrail', margin: { relative: 0.02 } },
        { metric: 'visits', role: 'secondary' },
      ],
    });
    expect(planInForce(definition, start)).toEqual({
      comparison: 1,
      method: 'sequential',
      tightestAtUnits: 10_000,
      // Two metrics and the ratio share α₋.
      levels: { superiority: 0.05, nonInferiority: 0.05, harm: 0.05 / 3, ratioAlarmAtE: 1_000 },
      // β* = (.2 − .05)/(1 + 1).
      powerOfEach: 0.925,
      looks: [],
    });
    expect(planInForce(definition, { ...start, run: 2 }).levels.harm).toBeCloseTo(0.05 / 4 / 3, 15);
  });

  it('has its looks with the bounds that they have if information comes as planned', () => {
    const looks = { atUs: [1, 2, 3, 4, 5].map((week) => T0 + week * 7 * DAY) };
    const plan = planInForce(anExperiment({ plan: { method: 'group-sequential', alpha: 0.025, looks } }), start);
    expect(plan.looks.map(({ atUs, share }) => [atUs, share])).toEqual(looks.atUs.map((atUs, index) => [atUs, (index + 1) / 5]));
    // rpact 3.3.4, O’Brien–Fleming-like spending of .025 in five equal steps.
    [4.87688, 3.35701, 2.68028, 2.28982, 2.03103].forEach((published, index) => {
      expect(plan.looks[index]?.superiority).toBeCloseTo(published, 3);
    });
  });

  it('of a history is one look, whatever its definition says', () => {
    expect(planInForce(anExperiment({ plan: watched }), { ...start, kind: 'historical' })).toMatchObject({
      method: 'fixed-horizon',
      tightestAtUnits: null,
    });
  });
});

describe('a run', () => {
  const begun = (facts: readonly ExperimentEvent[]) => fold(experimentDecider, facts).runs.production;
  const promised = planInForce(anExperiment({ plan: watched }), start);
  const facts = [defined(anExperiment({ plan: watched })), started({ planInForce: promised })];

  it('keeps what was promised at its start, through pauses', () => {
    const [paused] = experimentDecider.decide(
      { type: 'PauseExperiment', environment: 'production', atUs: T0 + DAY },
      fold(experimentDecider, facts),
    );
    expect(begun(paused === undefined ? facts : [...facts, paused])?.planInForce).toEqual(promised);
  });

  it('that an earlier program started has none', () => {
    expect(begun([defined(), started()])).not.toHaveProperty('planInForce');
  });

  it('of a rollout is promised anew with each run, and not with each stage', () => {
    const governed = fold(experimentDecider, [
      defined(anExperiment({ plan: watched })),
      started({ ramp: ramp(1), planInForce: promised, segment: segment({ coverage: 0.1 }) }),
    ]);
    const moved = (run: number) =>
      experimentDecider.decide(
        { type: 'MoveRamp', environment: 'production', step: { coverage: 0.5, ramp: ramp(run) }, atUs: T0 + DAY },
        governed,
      )[0];
    expect(moved(1)).not.toHaveProperty('planInForce');
    expect(moved(2)).toMatchObject({ planInForce: { levels: { harm: 0.05 / 4 / 2 } } });
  });

  it('is started with what its definition amounts to', () => {
    const [event] = experimentDecider.decide(
      { type: 'StartExperiment', environment: 'production', kind: 'live', surroundings: surroundings(), seed: 's', atUs: T0 },
      fold(experimentDecider, [defined(anExperiment({ plan: watched }))]),
    );
    expect(event).toMatchObject({ planInForce: promised });
  });
});
