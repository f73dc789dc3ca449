import { describe, expect, it } from '@jest/globals';
import { fieldAt, formOf, type PlanForm, queryOf, questionOf } from './plan-form.js';

const form = (more: Partial<PlanForm> = {}): PlanForm => ({ ...formOf('rate=10%25&effect=5%25'), ...more });

describe('the form of a plan', () => {
  it('is as its address says, and says so again', () => {
    const query = 'metric=spend&from=checkout&effect=2%25&method=group-sequential&looks=4&perDay=2000';
    expect(queryOf(formOf(query))).toBe(query);
    expect(queryOf(formOf('else=1'))).toBe('');
  });

  it('asks about shares and about means', () => {
    const rest = { method: 'sequential', treatments: 1, power: 0.8, alpha: 0.05, successMetrics: 1 };
    expect(questionOf(form())).toEqual({
      path: '/v1/plans/power',
      body: { metric: { rate: 0.1 }, minimumEffect: { relative: 0.05 }, ...rest },
    });
    const asked = questionOf(form({ kind: 'mean', mean: '1 200', sd: '15.5', effect: '-0.4', perDay: '2000', units: '9000' }));
    expect(asked).toMatchObject({
      body: { metric: { mean: 1200, sd: 15.5 }, minimumEffect: { absolute: -0.4 }, unitsPerDay: 2000, units: 9000 },
    });
  });

  it('asks an experiment what its metric was like', () => {
    const asked = questionOf(form({ from: 'a b', metric: 'spend', correlation: '0.5' }));
    expect(asked).toMatchObject({ path: '/v1/experiments/a%20b/power', body: { metric: 'spend' } });
    expect(asked).not.toHaveProperty('body.correlation');
  });

  it('tells each method only what it needs', () => {
    const all = { looks: '4', tau: '2', priorSd: '3%' };
    expect(questionOf(form({ ...all, method: 'msprt' }))).toMatchObject({ body: { tau: 2 } });
    expect(questionOf(form({ ...all, method: 'bayesian' }))).toMatchObject({ body: { bayesian: { prior: { mean: 0, sd: 0.03 } } } });
    expect(questionOf(form({ ...all, method: 'group-sequential' }))).toMatchObject({ body: { looks: 4 } });
    for (const name of ['looks', 'tau', 'bayesian']) expect(questionOf(form(all))).not.toHaveProperty(`body.${name}`);
  });

  it('names what is missing in the order of the page, and what is wrong at its place', () => {
    expect(questionOf(formOf('method=msprt'))).toEqual({ missing: ['rate', 'effect', 'tau'], wrong: {} });
    expect(questionOf(form({ from: 'x' }))).toEqual({ missing: ['metric'], wrong: {} });
    const { wrong } = questionOf(form({ rate: '120%', effect: '0,4', power: 'much', perDay: '1e' })) as { wrong: Record<string, string> };
    expect(wrong).toEqual({
      rate: 'must lie between 0 and 1 (0 % and 100 %)',
      effect: '“0,4” has a comma: write a dot before decimals, and nothing between thousands',
      power: '“much” is not a number',
      perDay: '“1e” is not a number',
    });
    expect(questionOf(form({ effect: '0%' }))).toMatchObject({ wrong: { effect: 'must not be 0' } });
    expect(questionOf(form({ method: 'guess' }))).toMatchObject({ wrong: { method: expect.stringContaining('is none of') } });
  });

  it.each([
    ['/minimumEffect/relative', 'effect'],
    ['/metric', 'rate'],
    ['/power', 'power'],
    ['/unitsPerDay', 'perDay'],
    ['/bayesian/prior/sd', 'priorSd'],
    ['/elsewhere', undefined],
  ] as const)('a refusal at %s belongs to %s', (path, field) => {
    expect(fieldAt(path, form())).toBe(field);
  });
});
