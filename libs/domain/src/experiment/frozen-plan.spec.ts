import { describe, expect, it } from '@jest/globals';
import { scenario } from '../scenario.contract.js';
import { experimentDecider } from './decide-experiment.js';
import type { ExperimentEvent } from './experiment.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import { anExperiment, DAY, defined, metricOf, paused, started, surroundings, T0 } from './experiments.examples.js';

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
      .thenRefuses('plan-frozen', /0\.05 to 0\.1 \(and plan\.alphaMinus\); leave it, or decide the experiment and define a new one/);
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
