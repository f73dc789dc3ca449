import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { scenario } from '../scenario.contract.js';
import { experimentDecider } from './decide-experiment.js';
import { anExperiment, DAY, defined, metricOf, paused, segment, started, surroundings, T0 } from './experiments.examples.js';
import type { LayerInSight } from './start-checklist.js';

const { given } = scenario(experimentDecider);
const assigned = (change: Parameters<typeof anExperiment>[0] = {}) => anExperiment({ assignment: 'rampart', ...change });
const define = (definition = assigned()) => ({ type: 'DefineExperiment', definition, atUs: T0 }) as const;
const nested = (depth: number): Readonly<Record<string, unknown>> => (depth === 0 ? { country: 'de' } : { $and: [nested(depth - 1)] });

describe('whom an experiment reaches', () => {
  it('is for those alone that Rampart assigns', () => {
    const reach = { targeting: { country: 'de' }, layer: { key: 'page', ranges: [[0, 0.5]] as const }, coverage: 0.2 };
    given([])
      .when(define(assigned(reach)))
      .then([defined(assigned(reach))]);
    for (const [field, value] of Object.entries(reach))
      given([])
        .when(define(anExperiment({ [field]: value })))
        .thenRefuses('reach-without-assignment', new RegExp(`^${field} .* external`));
  });

  it.each<[string, Parameters<typeof anExperiment>[0], RegExp]>([
    ['layer-range-empty', { layer: { key: 'page', ranges: [[0.5, 0.5]] } }, /from 0.5 to 0.5/],
    [
      'layer-ranges-overlap',
      {
        layer: {
          key: 'page',
          ranges: [
            [0, 0.5],
            [0.4, 0.6],
          ],
        },
      },
      /ranges 1 and 2/,
    ],
    ['targeting-too-deep', { targeting: nested(11) }, /20 are allowed/],
  ])('is refused as %s', (code, change, sentence) => {
    given([])
      .when(define(assigned(change)))
      .thenRefuses(code, sentence);
  });
});

describe('a coverage of its own', () => {
  it('is that of the first segment, and of the one after a pause', () => {
    const start = {
      type: 'StartExperiment',
      environment: 'production',
      kind: 'live',
      surroundings: surroundings(),
      seed: 's',
      atUs: T0,
    } as const;
    const facts = [defined(assigned({ coverage: 0.2 }))];
    const [begun] = experimentDecider.decide(start, fold(experimentDecider, facts));
    expect(begun).toMatchObject({ segment: { coverage: 0.2 } });
    const resume = {
      type: 'ResumeExperiment',
      environment: 'production',
      surroundings: surroundings(),
      seed: 'x',
      atUs: T0 + 2 * DAY,
    } as const;
    const wider = { type: 'ExperimentRedefined', version: 2, definition: assigned({ coverage: 0.6 }), adoptedIn: [], atUs: T0 } as const;
    const stopped = [...facts, started({ segment: segment({ coverage: 0.2 }) }), paused(), wider];
    // The same comparison: who takes part may change within it.
    expect(experimentDecider.decide(resume, fold(experimentDecider, stopped))).toMatchObject([
      { version: 2, segment: { segment: 3, comparison: 1, coverage: 0.6, seed: 'seed-1' } },
    ]);
  });

  it('can’t be changed while it runs, as targeting can’t', () => {
    for (const change of [{ coverage: 0.6 }, { targeting: { country: 'de' } }])
      given([defined(assigned()), started()])
        .when({ type: 'RedefineExperiment', definition: assigned(change), surroundings: surroundings(), atUs: T0 })
        .thenRefuses('experiment-assigns', /targeting/);
  });
});

describe('a start in a layer', () => {
  const definition = assigned({ layer: { key: 'page', ranges: [[0.2, 0.6]] } });
  const start = (layer: LayerInSight) =>
    ({
      type: 'StartExperiment',
      environment: 'production',
      kind: 'live',
      surroundings: { ...surroundings({ converted: metricOf({}) }), layer },
      seed: 's',
      atUs: T0,
    }) as const;

  it('is refused where the layer is not there, or another experiment has the range', () => {
    given([defined(definition)])
      .when(start({ isDefined: false, taken: [] }))
      .thenRefuses('experiment-not-ready', 'no layer "page"');
    const taken = [
      {
        experiment: 'banner',
        ranges: [
          [0, 0.2],
          [0.5, 0.7],
        ] as const,
      },
    ];
    given([defined(definition)])
      .when(start({ isDefined: true, taken }))
      .thenRefuses('experiment-not-ready', '[0.2, 0.6) of layer "page" overlaps [0.5, 0.7), which experiment "banner" has');
  });

  it('is taken beside experiments that end where it begins', () => {
    const taken = [
      {
        experiment: 'banner',
        ranges: [
          [0, 0.2],
          [0.6, 1],
        ] as const,
      },
    ];
    const [event] = experimentDecider.decide(start({ isDefined: true, taken }), fold(experimentDecider, [defined(definition)]));
    expect(event?.type).toBe('ExperimentStarted');
  });
});
