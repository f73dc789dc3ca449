import { describe, it } from '@jest/globals';
import { aMetric, T0 } from '../experiment/experiments.examples.js';
import { scenario } from '../scenario.contract.js';
import { metricDecider } from './decide-metric.js';
import type { MetricDefinition, MetricEvent } from './metric.js';

const { given } = scenario(metricDecider);
const defined = (version = 1, definition: MetricDefinition = aMetric()): MetricEvent => ({
  type: 'MetricDefined',
  version,
  definition,
  atUs: T0,
});
const create = (definition = aMetric()) => ({ type: 'CreateMetric', definition, atUs: T0 }) as const;
const define = (definition = aMetric()) => ({ type: 'DefineMetric', definition, atUs: T0 }) as const;

describe('no metric', () => {
  it('becomes version 1, created or defined', () => {
    given([]).when(create()).then([defined()]);
    given([]).when(define()).then([defined()]);
  });
  it('does not become one under a key that is none', () => {
    given([])
      .when(create(aMetric({ key: 'Ä' })))
      .thenRefuses('invalid-slug');
    given([])
      .when(define(aMetric({ key: 'undefined' })))
      .thenRefuses('reserved-slug');
  });
  it('does not become errors that are good', () => {
    given([])
      .when(create(aMetric({ type: 'first-error' })))
      .thenRefuses('metric-direction', 'set direction to decrease');
    const errors = aMetric({ type: 'first-error', direction: 'decrease' });
    given([])
      .when(create(errors))
      .then([defined(1, errors)]);
  });
});

describe('a metric', () => {
  const changed = aMetric({ windowUs: 1 });
  it('is created once', () => {
    given([defined()]).when(create()).thenRefuses('metric-exists', 'at version 1: replace it to add version 2');
  });
  it('gets a new version when something changed, and keeps the old one', () => {
    given([defined()])
      .when(define(changed))
      .then([defined(2, changed)]);
    given([defined(), defined(2, changed)])
      .when(define())
      .then([defined(3)]);
  });
  it('stays as it is when the newest version says the same, whatever the order of its fields', () => {
    given([defined()]).when(define()).then([]);
    const reordered = Object.fromEntries(Object.entries(aMetric()).reverse()) as unknown as MetricDefinition;
    given([defined()])
      .when(define({ ...reordered, capUpper: undefined }))
      .then([]);
  });
});
