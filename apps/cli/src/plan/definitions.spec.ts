import { describe, expect, it } from '@jest/globals';
import { definitionsOf, slugOf } from './definitions.js';
import { examplePlan } from './plan.examples.js';

const cells = [
  { variant: 'old', weight: 1 },
  { variant: 'new', weight: 1 },
];
const define = (parts: object, scales = new Map<string, bigint>()) => definitionsOf(examplePlan(parts), cells, scales);

describe('what the platform is told', () => {
  it('is the mean of each value, and the first decides, where the plan names no metric', () => {
    const { metrics, experiment } = define({ values: ['bought', 'Spent €'] });
    expect(metrics.map(({ key, type }) => [key, type])).toEqual([
      ['bought', 'mean'],
      ['spent', 'mean'],
    ]);
    expect(experiment.metrics.map(({ role }) => role)).toEqual(['success', 'secondary']);
  });

  it('leaves the decision to whom the plan names', () => {
    const metrics = [{ event: 'bought' }, { key: 'b2', event: 'bought', role: 'guardrail', margin: { relative: 0.1 } }];
    expect(define({ metrics }).experiment.metrics.map(({ role }) => role)).toEqual(['secondary', 'guardrail']);
  });

  it('adjusts by the only covariate', () => {
    expect(define({ covariates: ['before'] }).metrics[0]?.covariate?.selector).toEqual({ event: 'before' });
    expect(define({ covariates: ['before', 'age'] }).metrics[0]?.covariate).toBeUndefined();
  });

  it('passes the scale of its event on to a metric', () => {
    expect(define({}, new Map([['bought', 1000n]])).metrics[0]?.scale).toBe(1000);
  });

  it('asks for the control where no arm is called so', () => {
    expect(() => define({ control: undefined })).toThrow('Which arm is the control? The arms are "old", "new"');
    expect(() => define({ control: 'odl' })).toThrow('Did you mean "old"?');
  });

  it('refuses what the contracts refuse, in a sentence', () => {
    expect(() => define({ metrics: [{ event: 'bought', type: 'proportion', capUpper: 1 }] })).toThrow(
      'The metric "bought" of this plan is not valid',
    );
  });

  it('makes keys of any column name', () => {
    expect(['Sum of Rounds', 'ÄÖ', '_x', 'a.b-c'].map(slugOf)).toEqual(['sum-of-rounds', 'value', 'x', 'a.b-c']);
  });
});
