import { describe, expect, it } from '@jest/globals';
import { metricDefinition } from './metrics.js';

const mean = { key: 'revenue', name: 'Revenue', type: 'mean', unitType: 'user', numerator: { event: 'purchase' } };
const refusals = (input: unknown): readonly string[] => {
  const parsed = metricDefinition.safeParse(input);
  return parsed.success ? [] : parsed.error.issues.map((issue) => `/${issue.path.join('/')} ${issue.message}`);
};

describe('a metric definition', () => {
  it('needs little', () => {
    expect(metricDefinition.parse(mean)).toMatchObject({
      aggregate: 'sum',
      scale: 1,
      delayUs: 0,
      windowUs: null,
      direction: 'increase',
      population: 'exposed',
    });
  });

  it.each([
    ['a ratio without denominator', { ...mean, type: 'ratio' }, '/denominator a ratio needs a denominator'],
    [
      'a denominator elsewhere',
      { ...mean, denominator: { event: 'visit' } },
      '/denominator only a ratio has a denominator, this is a mean',
    ],
    [
      'the denominator of a mean’s covariate',
      { ...mean, covariate: { lookbackUs: 1, denominator: { event: 'visit' } } },
      '/covariate/denominator only a ratio’s covariate has a denominator, this is a mean',
    ],
    ['a funnel without steps', { ...mean, type: 'funnel' }, '/steps a funnel needs the steps before its numerator'],
    ['the steps of a mean', { ...mean, steps: [{ event: 'visit' }] }, '/steps only a funnel has steps, this is a mean'],
    [
      'retention from the exposure on',
      { ...mean, type: 'retention', windowUs: 1 },
      '/delayUs retention begins some time after the exposure: name the delay',
    ],
    [
      'retention without end',
      { ...mean, type: 'retention', delayUs: 1 },
      '/windowUs retention ends: name how long after the delay a unit may come back',
    ],
    [
      'one covariate and several',
      {
        ...mean,
        covariate: { lookbackUs: 1 },
        covariates: ['a', 'b'].map((event) => ({ selector: { event }, lookbackUs: 1 })),
      },
      '/covariates name either one covariate or several covariates, not both',
    ],
    ['a quantile without its level', { ...mean, type: 'quantile' }, '/quantileLevel a quantile needs its level, such as 0.95'],
    ['the level of a mean', { ...mean, quantileLevel: 0.9 }, '/quantileLevel only a quantile has a quantileLevel, this is a mean'],
    [
      'a capped quantile',
      { ...mean, type: 'quantile', quantileLevel: 0.9, capUpper: '1' },
      '/capUpper a quantile has no cap: large values do not move it',
    ],
    [
      'a quantile of events that are taken together',
      { ...mean, type: 'quantile', quantileLevel: 0.9, aggregate: 'max' },
      '/aggregate a quantile of events takes each event’s own value',
    ],
    ['a scale that is no power of ten', { ...mean, scale: 20 }, '/scale must be a power of ten, got 20'],
    ['a capped proportion', { ...mean, type: 'proportion', capUpper: '1' }, '/capUpper a proportion is 0 or 1 and has no cap'],
    [
      'a cap of two kinds',
      { ...mean, capUpper: '5', capQuantile: { upper: 0.99 } },
      '/capQuantile/upper there is a capUpper already: choose one',
    ],
    [
      'caps at quantiles that cross',
      { ...mean, capQuantile: { lower: 0.9, upper: 0.9 } },
      '/capQuantile/lower must be below upper: 0.9 ≥ 0.9',
    ],
    ['a cap at no quantile', { ...mean, capQuantile: { cohort: 10 } }, '/capQuantile names neither a lower nor an upper level'],
    [
      'a proportion capped at a quantile',
      { ...mean, type: 'proportion', capQuantile: { upper: 0.9 } },
      '/capQuantile a proportion is 0 or 1 and has no cap',
    ],
    ['caps that cross', { ...mean, capLower: '5', capUpper: '5' }, '/capLower must be below capUpper: 5 ≥ 5'],
  ])('refuses %s', (_, input, sentence) => {
    expect(refusals(input)).toContain(sentence);
  });

  it('refuses unknown fields by name', () => {
    expect(refusals({ ...mean, windowMs: 5 }).join()).toContain('windowMs');
  });
});
