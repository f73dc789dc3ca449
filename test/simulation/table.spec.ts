import { describe, expect, it } from '@jest/globals';
import { type Row, withMeasurements } from './table.js';

const row = (scenario: string, alarms: number): Row => ({
  ...{ scenario, title: 'A/A', method: 'sequence', runs: 1_000, looks: 20, alarms, rate: alarms / 1_000, upper95: 0.03 },
  ...{ level: '≤ 5.00 %', outcome: 'holds', median: null },
});
const document = 'before\n<!-- measured: begin -->\n\n<!-- measured: end -->\nafter\n';
const order = ['first', 'second', 'third-0.5'];
const short = { seed: 1, long: false, engine: 'rampart/7' };

describe('tables of a document', () => {
  const all = withMeasurements(document, [row('second', 20), row('second', 21), row('first', 10), row('third-0.5', 30)], short, order);

  it('come in the order of the scenarios, each with what made it', () => {
    expect(all.match(/^\*\*.*/gm)).toEqual(['**first** – A/A', '**second** – A/A', '**third-0.5** – A/A']);
    expect(all).toContain('`npm run simulate -- --only second --seed 1`, engine `rampart/7`');
    expect(all).toMatch(/^before\n[\s\S]*\nafter\n$/);
  });

  it('are replaced one by one: the others stay to the letter', () => {
    const again = withMeasurements(all, [row('second', 25)], { seed: 2, long: true, engine: 'rampart/8' }, order);
    expect(again).toContain('| sequence | 1,000 | 20 | 25 | 2.50 % |');
    expect(again).not.toContain('| sequence | 1,000 | 20 | 21 |');
    expect(again).toContain('`npm run simulate -- --only second --long --seed 2`, engine `rampart/8`');
    expect(withMeasurements(again, [row('second', 20), row('second', 21)], short, order)).toBe(all);
  });

  it('go with their scenario', () => {
    expect(withMeasurements(all, [], short, ['first']).match(/^\*\*.*/gm)).toEqual(['**first** – A/A']);
  });

  it('have a place, or nothing is written', () => {
    expect(() => withMeasurements('no place', [], short, order)).toThrow('the document lacks');
  });
});
