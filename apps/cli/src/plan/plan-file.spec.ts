import { describe, expect, it } from '@jest/globals';
import { Refusal } from '../refusal.js';
import { parsePlan } from './plan-file.js';

const complaintOf = (text: string): string => {
  try {
    parsePlan(text, 'plan.json');
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return 'nothing';
};
const plan = (parts: object) =>
  JSON.stringify({ key: 'x', unit: { column: 'u' }, time: { at: '2024-01-01T00:00:00Z' }, arms: { column: 'a' }, values: ['v'], ...parts });

describe('a plan', () => {
  it('is short where the defaults will do', () => {
    expect(parsePlan(plan({}), 'plan.json')).toMatchObject({
      unit: { column: 'u', type: 'user' },
      arms: { columns: ['a'] },
      values: [{ event: 'v', columns: ['v'] }],
      policy: 'ship',
    });
  });

  it('may begin with a byte-order mark', () => {
    expect(parsePlan(`\uFEFF${plan({})}`, 'plan.json').key).toBe('x');
  });

  it('names line and column of a field that does not exist, and the one that was meant', () => {
    const text =
      '{ "key": "x",\n  "unit": { "colum": "u" },\n  "time": { "at": "2024-01-01T00:00:00Z" }, "arms": { "column": "a" }, "values": ["v"] }';
    expect(complaintOf(text)).toContain('plan.json:2:13: /unit/colum: there is no field "colum" here. Did you mean "column"?');
  });

  it('names line and column where the text is no JSON', () => {
    expect(complaintOf('{\n  "key": "x",\n}')).toBe('plan.json:3:1: this is no JSON: expected a field name in double quotes, found "}".');
    expect(complaintOf('{ "key": "x" ')).toContain('plan.json:1:14: this is no JSON: expected "}", found the end of the file.');
    expect(complaintOf('{ "key": "x", "key": "y" }')).toContain('"key" is there already');
  });

  it('refuses a metric of an event that no column becomes', () => {
    expect(complaintOf(plan({ values: ['bought'], metrics: [{ event: 'bougth' }] }))).toContain(
      '/metrics/0/event: no column of "values" becomes the event "bougth". Did you mean "bought"?',
    );
    expect(complaintOf(plan({ metrics: [{ event: 'v', covariate: 'before' }] }))).toContain('no column of "covariates"');
  });

  it.each([
    [{ unit: {} }, '/unit: needs either "column"'],
    [{ time: { column: 't', zone: 'Europe/Berln' } }, '"Europe/Berln" is no time zone'],
    [{ time: { column: 't', at: '2024-01-01T00:00:00Z' } }, 'needs one of "column", "columns" and "at"'],
    [{ values: [] }, '/values: names no column'],
    [{ values: ['v', { column: 'w', event: 'v' }] }, 'the event "v" is there already'],
    [{ filters: [{ column: 'a', operator: 'in', value: 1 }] }, '"in" needs a list'],
    [{ values: [{ event: 'v' }] }, '/values/0: needs either "column" or "sum"'],
    [{ values: [{ when: [{ column: 'a', value: 'x' }] }] }, '/values/0/event: what has no column needs a name for its event'],
    [{ arms: { column: 'a', when: [{ colum: 'b', value: 'x' }] } }, '/arms/when/0/colum: there is no field "colum" here.'],
    [{ filters: [{ column: 'a', operator: 'gt', value: 'x' }] }, '"gt" needs a number'],
    [{ metrics: [{ event: 'v', margin: { relative: 0.1 } }] }, 'only a guardrail has a margin'],
    [{ metrics: [{ event: 'v', role: 'guardrail', margin: { absolute: '1' } }] }, '/margin/absolute: Invalid input: expected number'],
    [{ plan: { alfa: 0.1 } }, 'Did you mean "alpha"?'],
  ])('%j is refused with a sentence', (parts, sentence) => {
    expect(complaintOf(plan(parts))).toContain(sentence);
  });
});
