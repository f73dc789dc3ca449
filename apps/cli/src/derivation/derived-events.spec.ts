import { describe, expect, it } from '@jest/globals';
import { cloudEvent } from '@rampart/contracts';
import { examplePlan } from '../plan/plan.examples.js';
import { eventDeriver } from './derived-events.js';
import { rowReader } from './row-reading.js';

const HEADER = ['user', 'at', 'arm', 'page', 'bought', 'spent', 'before', 'country'];
const ROW = ['u1', '2024-01-01 10:00:00', 'new', 'old', '1', '2.50', '12', 'DE'];

const derive = (parts: object, cells: readonly string[] = ROW, scales = new Map<string, bigint>()) => {
  const plan = examplePlan(parts);
  const reading = rowReader(plan, HEADER, 'file.csv').read(cells);
  expect(reading.problems).toEqual([]);
  return eventDeriver(plan, plan.arms.cells ?? [], scales)(reading, { hash: 'h', occurrence: 1 }).map(({ text }) => JSON.parse(text));
};
const dataOf = (events: readonly { data?: unknown }[]) => events.map(({ data }) => data);

describe('a row', () => {
  it('becomes an exposure and an outcome at its time, as the contract has them', () => {
    const events = derive({ properties: ['country'] });
    for (const event of events) expect(cloudEvent.safeParse(event).error).toBeUndefined();
    expect(events).toEqual([
      expect.objectContaining({ type: 'exposure.v1', id: 'h.1.x:arm', source: 'import/button', time: '2024-01-01T10:00:00.000Z' }),
      expect.objectContaining({ type: 'metric.v1', id: 'h.1.v:bought', time: '2024-01-01T10:00:00.000Z' }),
    ]);
    const unit = { type: 'user', id: 'u1' };
    expect(dataOf(events)).toEqual([
      { unit, experiment: 'button', variant: 'new', properties: { country: 'DE' } },
      { unit, name: 'bought', value: 1, properties: { country: 'DE' } },
    ]);
  });

  it('has one exposure for each arm column, so that contradictions show as two arms', () => {
    expect(dataOf(derive({ arms: { columns: ['arm', 'page'], cells: [{ variant: 'old' }, { variant: 'new' }] } }))).toMatchObject([
      { variant: 'new' },
      { variant: 'old' },
      { name: 'bought' },
    ]);
  });

  it('sends covariates one second before', () => {
    expect(derive({ covariates: ['before'] })[2]).toMatchObject({
      id: 'h.1.c:before',
      time: '2024-01-01T09:59:59.000Z',
      data: { value: 12 },
    });
    const undated = derive({ time: { at: '2020-05-05T00:00:00Z' }, covariates: ['before'] });
    expect(undated.map(({ time }) => time)).toEqual(['2020-05-05T00:00:00.000Z', '2020-05-05T00:00:00.000Z', '2020-05-04T23:59:59.000Z']);
  });

  it('sends no event for an empty cell, and none for a text that means no value', () => {
    expect(derive({}, ROW.with(4, ''))).toHaveLength(1);
    expect(derive({ missing: ['NA'] }, ROW.with(4, 'NA'))).toHaveLength(1);
    expect(derive({}, ROW.with(2, ''))).toHaveLength(1);
  });

  it('adds columns up exactly, maps words, multiplies by the scale', () => {
    const sum = { values: [{ event: 'total', sum: ['bought', 'spent'] }] };
    expect(dataOf(derive(sum, ROW.with(4, '0.1').with(5, '0.2')))[1]).toMatchObject({ name: 'total', value: 0.3 });
    const mapped = { values: [{ column: 'bought', map: { often: 3 } }] };
    expect(dataOf(derive(mapped, ROW.with(4, 'often')))[1]).toMatchObject({ value: 3 });
    const scales = new Map([['bought', 1_000_000n]]);
    expect(dataOf(derive({}, ROW.with(4, '55.805242061615'), scales))[1]).toMatchObject({ value: 55805242.061615 });
  });

  it('becomes the event that a column names, and an exposure only where the plan says so', () => {
    const funnel = {
      arms: { column: 'arm', cells: [{ variant: 'old' }, { variant: 'new' }], when: [{ column: 'page', value: 'view' }] },
      values: [
        { event: 'clicked', when: [{ column: 'page', value: 'click' }] },
        { column: 'spent', when: [{ column: 'page', operator: 'ne', value: 'view' }] },
      ],
    };
    expect(dataOf(derive(funnel, ROW.with(3, 'view')))).toEqual([expect.objectContaining({ variant: 'new' })]);
    expect(dataOf(derive(funnel, ROW.with(3, 'click')))).toEqual([
      expect.objectContaining({ name: 'clicked', value: 1 }),
      expect.objectContaining({ name: 'spent', value: 2.5 }),
    ]);
    expect(derive(funnel, ROW.with(3, 'click')).map(({ id }) => id)).toEqual(['h.1.v:clicked', 'h.1.v:spent']);
  });

  it('is a unit of its own where the file has no id', () => {
    expect(dataOf(derive({ unit: { row: true } }))[0]).toMatchObject({ unit: { type: 'row', id: 'h.1' } });
  });

  it('says which cell it is in by value, and by column', () => {
    const servers = [
      { variant: 'server 1', arm: 'new', values: 1 },
      { variant: 'server 2', arm: 'old', values: ['2', '3'] },
    ];
    expect(dataOf(derive({ arms: { column: 'arm', cells: servers } }, ROW.with(2, '3')))[0]).toMatchObject({ variant: 'server 2' });
    expect(dataOf(derive({ arms: { column: 'arm', cells: servers } }, ROW.with(2, '4')))[0]).toMatchObject({ variant: '4' });
    expect(dataOf(derive({ arms: { column: 'arm', cells: servers } }, ROW.with(2, 'server 1')))[0]).toMatchObject({
      variant: 'server 1 (not in the plan)',
    });
    const twice = [
      { variant: 'a', values: ['1'] },
      { variant: 'b', values: ['1'] },
    ];
    expect(() => derive({ arms: { column: 'arm', cells: twice } })).toThrow('belongs to two cells, "a" and "b"');
  });
});

describe('a row that cannot be read', () => {
  it('says which column, and what is wrong with it', () => {
    const reading = rowReader(examplePlan(), HEADER, 'file.csv').read(['', 'noon', 'new', '', 'much', '', '', '']);
    expect(reading.problems).toEqual([
      { column: 'user', sentence: 'names no unit' },
      { column: 'at', sentence: '"noon" is no time of the form 2024-05-31 12:00:00' },
      { column: 'bought', sentence: expect.stringContaining('"much" is no number') },
    ]);
  });

  it('names a column that the file lacks', () => {
    expect(() => rowReader(examplePlan({ values: ['bougt'] }), HEADER, 'file.csv')).toThrow(
      'file.csv has no column "bougt". Did you mean "bought"?',
    );
  });
});
