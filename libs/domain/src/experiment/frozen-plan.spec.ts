import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { scenario } from '../scenario.contract.js';
import { type ExperimentCommand, experimentDecider, nextStartUs } from './decide-experiment.js';
import type { ExperimentEvent } from './experiment.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import { anExperiment, DAY, defined, metricOf, paused, segment, started, surroundings, T0 } from './experiments.examples.js';

const { given } = scenario(experimentDecider);
const atUs = T0 + 2 * DAY;

const sequential = (change: Parameters<typeof anExperiment>[0] = {}): ExperimentDefinition =>
  anExperiment({ ...change, plan: { method: 'sequential', plannedUnits: 20_000, plannedEndUs: undefined, ...change?.plan } });
const believing = (sd: number) => ({
  ...({ model: 'normal', prior: { mean: 0, sd }, betaPrior: { a: 0.5, b: 0.5 } } as const),
  ...{ minimumUnits: 1_000, expectedLoss: 0.0025, chanceToWin: 0.95 },
});
const running: readonly ExperimentEvent[] = [defined(sequential()), started()];
const redefine = (definition: ExperimentDefinition, at = atUs) =>
  ({
    type: 'RedefineExperiment',
    definition,
    surroundings: surroundings({ converted: metricOf({}, {}), revenue: metricOf({}) }),
    atUs: at,
  }) as const;

const accepted = (facts: readonly ExperimentEvent[], definition: ExperimentDefinition, version = 2) =>
  given(facts)
    .when(redefine(definition))
    .then([expect.objectContaining({ type: 'ExperimentRedefined', version, definition }) as unknown as ExperimentEvent]);

describe('a sequential plan that is looked at', () => {
  it.each([
    ['plan.method', sequential({ plan: { method: 'fixed-horizon' } }), '"sequential" to "fixed-horizon"'],
    ['plan.alpha', sequential({ plan: { alpha: 0.1 } }), '0.05 to 0.1'],
    ['plan.alphaMinus', sequential({ plan: { alphaMinus: 0.01 } }), '0.05 to 0.01'],
    ['plan.plannedUnits', sequential({ plan: { plannedUnits: 40_000 } }), '20000 to 40000'],
    ['plan.plannedUnits', sequential({ plan: { plannedUnits: undefined } }), '20000 to none'],
    ['plan.intervalLevel', sequential({ plan: { intervalLevel: 0.9 } }), '0.95 to 0.9'],
    ['plan.allowedLatenessUs', sequential({ plan: { allowedLatenessUs: 0 } }), '3600000000 to 0'],
    ['plan.multipleExposure', sequential({ plan: { multipleExposure: 'first' } }), '"exclude" to "first"'],
    ['plan.cupedTheta', sequential({ plan: { cupedTheta: 'within' } }), '"pooled" to "within"'],
    ['plan.stratum', sequential({ plan: { stratum: { property: 'country', values: ['de'] } } }), 'none to {"property":"country"'],
    ['plan.harmBound', sequential({ plan: { harmBound: 0.1 } }), 'none to 0.1'],
    ['policy', sequential({ policy: 'stage' }), '"ship" to "stage"'],
    ['control', sequential({ control: 'green' }), '"blue" to "green"'],
    ['metrics', sequential({ metrics: [{ metric: 'converted', version: 2, role: 'success' }] }), '"version":1'],
    [
      'metrics',
      sequential({
        metrics: [
          { metric: 'converted', role: 'success' },
          { metric: 'revenue', role: 'guardrail', margin: { relative: 0.1 } },
        ],
      }),
      '"role":"guardrail"',
    ],
    [
      'metrics',
      sequential({
        metrics: [
          { metric: 'converted', role: 'success' },
          { metric: 'revenue', role: 'guardrail', onHarm: 'warn' },
        ],
      }),
      '"onHarm":"warn"',
    ],
  ])('keeps %s', (field, definition, values) => {
    given(running).when(redefine(definition)).thenRefuses('plan-frozen', `${field} can't change from`);
    given(running).when(redefine(definition)).thenRefuses('plan-frozen', values);
  });

  it('says what else would change, and what to do', () => {
    given(running)
      .when(redefine(sequential({ plan: { alpha: 0.1, alphaMinus: 0.1 } })))
      .thenRefuses('plan-frozen', /0\.05 to 0\.1 \(and plan\.alphaMinus\) in this comparison; leave it, or ask for \?newComparison=true/);
  });

  it('takes texts, its end, its minimum run and metrics that are only shown', () => {
    accepted(running, sequential({ hypothesis: 'told better' }));
    accepted(running, sequential({ plan: { plannedEndUs: T0 + 30 * DAY, minimumRunUs: DAY } }));
    accepted(
      running,
      sequential({
        metrics: [
          { metric: 'converted', role: 'success' },
          { metric: 'revenue', role: 'secondary' },
        ],
      }),
    );
    // The version that counts already, named.
    accepted(running, sequential({ metrics: [{ metric: 'converted', version: 1, role: 'success' }] }));
  });

  it.each([
    [
      'metrics',
      sequential({ plan: { method: 'msprt' }, metrics: [{ metric: 'converted', role: 'success', tau: 0.01 }] }),
      sequential({ plan: { method: 'msprt' }, metrics: [{ metric: 'converted', role: 'success', tau: 0.02 }] }),
    ],
    [
      'plan.looks',
      sequential({ plan: { method: 'group-sequential', looks: { atUs: [T0 + 7 * DAY, T0 + 14 * DAY] } } }),
      sequential({ plan: { method: 'group-sequential', looks: { atUs: [T0 + 7 * DAY, T0 + 21 * DAY] } } }),
    ],
    [
      'plan.spending',
      sequential({ plan: { method: 'group-sequential', looks: { atUs: [T0 + 7 * DAY] } } }),
      sequential({ plan: { method: 'group-sequential', looks: { atUs: [T0 + 7 * DAY] }, spending: 'pocock' } }),
    ],
    [
      'plan.bayesian',
      sequential({ plan: { method: 'bayesian', bayesian: believing(0.3) } }),
      sequential({ plan: { method: 'bayesian', bayesian: believing(0.1) } }),
    ],
    ['plan.multiplicity', sequential({ plan: { multiplicity: 'e-bh' } }), sequential({ plan: { multiplicity: 'holm' } })],
  ])('of another method keeps %s too', (field, before, after) => {
    given([defined(before), started()])
      .when(redefine(after))
      .thenRefuses('plan-frozen', `${field} can't change from`);
  });

  it('takes another prior of a view that decides nothing', () => {
    accepted(running, sequential({ plan: { bayesian: believing(0.1) } }));
  });

  it('is frozen while paused too', () => {
    given([...running, paused()])
      .when(redefine(sequential({ plan: { alpha: 0.1 } })))
      .thenRefuses('plan-frozen', 'is paused in production');
  });

  it('begins anew with a new comparison', () => {
    const three = sequential({
      plan: { alpha: 0.1 },
      variants: [
        { key: 'blue', weight: 1 },
        { key: 'green', weight: 1 },
        { key: 'red', weight: 1 },
      ],
    });
    accepted([...running, paused()], three);
    // Back to the old comparison with the new level: that would be the old plan changed.
    given([...running, paused(), { type: 'ExperimentRedefined', version: 2, definition: three, adoptedIn: [], atUs }])
      .when(redefine(sequential({ plan: { alpha: 0.1 } })))
      .thenRefuses('plan-frozen', 'plan.alpha');
  });

  it('is free before its start, after its decision, and in history', () => {
    const change = sequential({ plan: { alpha: 0.1 } });
    accepted([defined(sequential())], change);
    accepted([defined(sequential()), started({ environment: 'past', kind: 'historical' })], change);
    accepted([...running, decided], change);
  });
});

const decided: ExperimentEvent = {
  type: 'ExperimentDecided',
  environment: 'production',
  decision: { outcome: 'stop', arm: null, reason: '', record: null },
  closedAtUs: atUs,
  atUs,
};

describe('a frozen plan that is replaced by a new comparison', () => {
  const stricter = sequential({ plan: { alpha: 0.01 } });
  const anew = (definition: ExperimentDefinition, at = atUs) => ({ ...redefine(definition, at), newComparisonSeed: 'seed-2' }) as const;
  const resume = {
    type: 'ResumeExperiment',
    environment: 'production',
    surroundings: surroundings(),
    seed: 'seed-3',
    atUs: T0 + 3 * DAY,
  } as const;
  const after = (facts: readonly ExperimentEvent[], ...commands: readonly ExperimentCommand[]) => {
    const events = [...facts];
    for (const command of commands) events.push(...experimentDecider.decide(command, fold(experimentDecider, events)));
    return events;
  };
  const runOf = (facts: readonly ExperimentEvent[]) => fold(experimentDecider, facts).runs.production;

  it('opens a segment with another seed at once, in which nothing of before counts', () => {
    const run = runOf(after(running, anew(stricter)));
    expect(run?.segments.slice(1)).toEqual([{ segment: 2, comparison: 2, startedAtUs: atUs, coverage: 1, seed: 'seed-2', hashVersion: 2 }]);
    expect(run).toMatchObject({ status: 'running', version: 2, planInForce: { comparison: 2, levels: { superiority: 0.01 } } });
  });

  it('says what that does to validity', () => {
    const before = { comparisons: 1, alpha: 0.05, alphaMinus: 0.05 };
    const sentence =
      'comparison 2 began since its plan is another (plan.alpha): units are assigned anew, and what comparison 1 saw decides nothing here. Each comparison keeps its own error rates; of all 2 together, a treatment without the gain or the margins that its plan asks for gets a go under ship with a chance of at most 6 %, and a false alarm for harm or sample ratio has a chance of at most 10 %';
    const own = { assignment: 'rampart' } as const;
    const runs = [defined(sequential(own)), started()];
    expect(runOf(after(runs, anew({ ...stricter, ...own })))?.planInForce?.before).toEqual({ ...before, sentence });
    const third = runOf(after(running, anew(stricter), anew(sequential({ plan: { alphaMinus: 0.01 } }), atUs + DAY)));
    expect(third?.planInForce?.before).toMatchObject({ comparisons: 2, alpha: 0.06, alphaMinus: 0.1 });
    expect(third?.planInForce?.before?.sentence).toMatch(
      /^comparison 3 .* \(plan\.alpha, plan\.alphaMinus\): .* comparisons 1 to 2 saw .* at most 11 %, .* at most 11 %$/,
    );
  });

  it('promises no chance of a wrong ship where one of them was Bayesian', () => {
    const run = runOf(after(running, anew(sequential({ plan: { method: 'bayesian', bayesian: believing(0.3) } }))));
    expect(run?.planInForce?.before?.sentence).toContain('no chance of a wrong go is promised');
    expect(run?.planInForce?.before?.alpha).toBe(0.05);
  });

  it('promises none by a false discovery rate of several gains, and of one as ever', () => {
    const byRate = { plan: { multiplicity: 'e-bh' } } as const;
    const two = [
      { metric: 'converted', role: 'success' },
      { metric: 'revenue', role: 'success' },
    ] as const;
    const many = runOf(after(running, anew(sequential({ ...byRate, metrics: two }))));
    expect(many?.planInForce?.before?.sentence).toContain('no chance of a wrong go is promised');
    expect(runOf(after(running, anew(sequential(byRate))))?.planInForce?.before?.sentence).toContain('chance of at most 10 %');
  });

  it('bounds no wrong go of a policy that only asks whether anything is worse, and nothing above certainty', () => {
    const watched = runOf(after(running, anew(sequential({ policy: 'stage' }))));
    expect(watched?.planInForce?.before?.sentence).toContain('a wrong go has no bound, since policy stage');
    const often = [0.4, 0.41, 0.42].map((alphaMinus, index) => anew(sequential({ plan: { alphaMinus } }), atUs + index));
    expect(runOf(after(running, ...often))?.planInForce?.before?.sentence).toMatch(/ratio has a chance of at most 100 %$/);
  });

  it('leaves the assignment to whoever assigns', () => {
    const elsewhere = runOf(after(running, anew(stricter)))?.planInForce?.before?.sentence;
    expect(elsewhere).toContain('units must be assigned anew where that is done, or what chance did to the arms is counted again');
    given(running).when(redefine(stricter)).thenRefuses('plan-frozen', 'units must be assigned anew where that is done');
  });

  it('keeps what it said through changes that its plan allows', () => {
    const replaced = after(running, anew(stricter));
    const told = after(replaced, redefine({ ...stricter, hypothesis: 'told better' }, atUs + DAY));
    expect(runOf(told)?.segments).toEqual(runOf(replaced)?.segments);
    expect(runOf(told)?.planInForce).toEqual(runOf(replaced)?.planInForce);
  });

  it('changes nothing that its plan allows into a new comparison', () => {
    expect(runOf(after(running, anew(sequential({ hypothesis: 'told better' }))))?.segments).toHaveLength(1);
  });

  it('waits for the resumption of a paused run', () => {
    const asked = after([...running, paused()], anew(stricter));
    expect(runOf(asked)).toMatchObject({ status: 'paused', version: 1 });
    const resumed = runOf(after(asked, resume));
    expect(resumed?.segments.at(-1)).toEqual({
      segment: 3,
      comparison: 2,
      startedAtUs: T0 + 3 * DAY,
      coverage: 1,
      seed: 'seed-3',
      hashVersion: 2,
    });
    expect(resumed?.planInForce).toMatchObject({ comparison: 2, levels: { superiority: 0.01 }, before: { comparisons: 1 } });
  });

  it('is not what a change of coverage brings along', () => {
    const own = { assignment: 'rampart' } as const;
    const held = [defined(sequential(own)), started(), paused()];
    const half = { ...own, coverage: 0.5 };
    given(held)
      .when(redefine(sequential({ ...half, plan: { alpha: 0.01 } })))
      .thenRefuses('plan-frozen', 'plan.alpha');
    const asked = after(held, anew(sequential({ ...half, plan: { alpha: 0.01 } })), resume);
    expect(runOf(asked)?.segments.at(-1)).toMatchObject({ comparison: 2, coverage: 0.5 });
    const halved = after(held, redefine(sequential(half)), resume);
    expect(runOf(halved)?.segments.at(-1)).toMatchObject({ comparison: 1, coverage: 0.5 });
  });

  it('promises anew what a fixed horizon may still change, also where coverage changed with it', () => {
    const own = { assignment: 'rampart' } as const;
    const stricterHalf = anExperiment({ ...own, coverage: 0.5, plan: { alpha: 0.01 } });
    const run = runOf(after([defined(anExperiment(own)), started(), paused()], redefine(stricterHalf), resume));
    expect(run).toMatchObject({ version: 2, planInForce: { comparison: 1, levels: { superiority: 0.01, nonInferiority: 0.01 } } });
  });

  it('gives every unit another arm only in a new comparison: ranges begin with the control', () => {
    const own = anExperiment({ assignment: 'rampart' });
    const turned = { ...own, control: 'green' };
    const begun = [defined(own), started()];
    given(begun).when(redefine(turned)).thenRefuses('plan-frozen', 'control can\'t change from "blue" to "green"');
    given([...begun, paused()])
      .when(redefine(turned))
      .thenRefuses('plan-frozen', 'control');
    expect(runOf(after(begun, anew(turned)))?.segments.at(-1)).toMatchObject({ comparison: 2, seed: 'seed-2' });
    // Whoever assigns elsewhere goes by no ranges of ours, and history has happened.
    accepted([defined(), started()], anExperiment({ control: 'green' }));
  });

  it('is when a look has to lie behind its start', () => {
    const asked = fold(experimentDecider, after([...running, paused()], anew(stricter)));
    expect(nextStartUs(asked, 'production', T0 + 3 * DAY)).toBe(T0 + 3 * DAY);
    expect(nextStartUs(fold(experimentDecider, [...running, paused()]), 'production', T0 + 3 * DAY)).toBe(T0);
    expect(nextStartUs(asked, 'elsewhere', T0 + 3 * DAY)).toBe(T0 + 3 * DAY);
  });

  it('is refused where nobody comes any more, and to what a rollout moves', () => {
    const frozen: ExperimentEvent = {
      type: 'EnrolmentFrozen',
      environment: 'production',
      segment: segment({ segment: 2, coverage: 0 }),
      atUs,
    };
    given([...running, frozen])
      .when(anew(stricter))
      .thenRefuses('plan-frozen', 'nobody is enrolled any more');
    const ramp = { rollout: 'out', run: 1, stage: 'one', stageStartedAtUs: T0, policy: 'stage' } as const;
    given([defined(sequential()), started({ ramp })])
      .when(anew(stricter))
      .thenRefuses('plan-frozen', 'roll back, change it, and start the rollout again');
    // What an earlier program took while it was paused.
    const taken: ExperimentEvent = { type: 'ExperimentRedefined', version: 2, definition: stricter, adoptedIn: [], atUs };
    given([defined(sequential()), started({ ramp }), paused(), taken])
      .when({ ...resume, rollout: 'out' })
      .thenRefuses('plan-frozen', 'plan.alpha');
  });

  it('gives a fixed horizon another look', () => {
    const past = T0 + 20 * DAY;
    const again = anExperiment({ plan: { plannedEndUs: T0 + 40 * DAY } });
    given([defined(), started()]).when(redefine(again, past)).thenRefuses('look-is-over', 'newComparison=true');
    const run = runOf(after([defined(), started()], anew(again, past)));
    expect(run?.segments.at(-1)).toMatchObject({ comparison: 2, startedAtUs: past });
    expect(run?.planInForce?.before?.sentence).toContain('its plan is another (plan)');
  });
});
