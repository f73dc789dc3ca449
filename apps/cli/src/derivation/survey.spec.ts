import { describe, expect, it } from '@jest/globals';
import { examplePlan } from '../plan/plan.examples.js';
import { rowTest } from './row-filter.js';
import { rowReader } from './row-reading.js';
import { Survey } from './survey.js';

const HEADER = ['user', 'at', 'arm', 'bought', 'before'];
const survey = (parts: object, rows: readonly (readonly [arm: string, bought: string, before?: string])[]) => {
  const plan = examplePlan(parts);
  const reader = rowReader(plan, HEADER, 'file.csv');
  const found = new Survey(plan);
  for (const [index, [arm, bought, before = '']] of rows.entries())
    found.add(index + 2, reader.read([`u${index}`, '2024-01-01 10:00', arm, bought, before]));
  return found;
};

describe('a survey', () => {
  it('scales by the decimals found, together with the covariate', () => {
    const both = { covariates: ['before'] };
    expect(survey(both, [['old', '1.1234567', '1.12345678']]).scales()).toEqual(
      new Map([
        ['bought', 100n],
        ['before', 100n],
      ]),
    );
    expect(survey(both, [['old', '1.123456', '2']]).scales()).toEqual(
      new Map([
        ['bought', 1n],
        ['before', 1n],
      ]),
    );
  });

  it('refuses decimals that do not fit beside such large values, and says how many do', () => {
    expect(() => survey({}, [['old', '1000000.123456789012345']]).scales()).toThrow('Round it in the plan: "decimals": 12');
    expect(
      survey({ values: [{ column: 'bought', decimals: 9 }] }, [['old', '1000.123456789012345']])
        .scales()
        .get('bought'),
    ).toBe(1000n);
    expect(() => survey({}, [['old', '9200000000001']]).scales()).toThrow('the largest that can be added up exactly');
  });

  it('refuses a number of more digits than a double has', () => {
    expect(() => survey({}, [['old', '123456.789012345678']]).scales()).toThrow('Line 2: "bought" is 123456.789012345678');
  });

  it('tells texts that belong to no cell, and refuses where none does', () => {
    const found = survey({}, [
      ['old', '1'],
      ['odl', '1'],
    ]);
    expect(found.unknownArms(found.cells())).toEqual([{ column: 'arm', text: 'odl', rows: 1 }]);
    expect(() => survey({}, [['A', '1']]).cells()).toThrow('No row belongs to a cell of the plan: the arm columns say "A"');
  });

  it('finds the cells where the plan names none', () => {
    const arms = { arms: { column: 'arm' } };
    const found = survey(arms, [
      ['new', '1'],
      ['old', '1'],
    ]);
    expect(found.cells()).toEqual([
      { variant: 'new', weight: 1 },
      { variant: 'old', weight: 1 },
    ]);
    expect(() => survey(arms, [['new', '1']]).cells()).toThrow('hold 1 different values');
  });
});

describe('a filter', () => {
  const passes = (filters: object[], row: readonly string[]) =>
    rowTest(examplePlan({ filters }).filters, (name) => HEADER.indexOf(name))(row);
  const row = ['u1', '', 'new', '1.0', '10'];

  it.each([
    [{ column: 'arm', value: 'new' }, true],
    [{ column: 'arm', operator: 'ne', value: 'new' }, false],
    [{ column: 'bought', value: 1 }, true],
    [{ column: 'bought', value: '1' }, false],
    [{ column: 'before', operator: 'gt', value: 9 }, true],
    [{ column: 'before', operator: 'lt', value: 9 }, false],
    [{ column: 'arm', operator: 'gt', value: 0 }, false],
    [{ column: 'arm', operator: 'in', value: ['old', 'new'] }, true],
    [{ column: 'at', operator: 'exists' }, false],
    [{ column: 'at', operator: 'exists', value: false }, true],
    [
      {
        any: [
          { column: 'arm', value: 'old' },
          { column: 'user', value: 'u1' },
        ],
      },
      true,
    ],
    [
      {
        all: [
          { column: 'arm', value: 'old' },
          { column: 'user', value: 'u1' },
        ],
      },
      false,
    ],
  ])('%j gives %s', (filter, expected) => {
    expect(passes([filter], row)).toBe(expected);
  });
});
