import { describe, expect, it } from '@jest/globals';
import { planState, type Schedule, waitSentence, withUnits } from './plan-state.js';

const DAY = 86_400_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;
const at = (days: number) => start + days * DAY;

const live = (overrides: Partial<Schedule>): Schedule => ({
  historical: false,
  importing: false,
  method: 'fixed-horizon',
  startedAtUs: start,
  minimumRunUs: 7 * DAY,
  plannedEndUs: at(14),
  closedAtUs: null,
  knownUntilUs: at(3),
  ...overrides,
});
const waitsFor = (schedule: Schedule) => planState(schedule).waits.map((wait) => wait.what);

describe('a fixed horizon in a live environment', () => {
  it('waits for minimum run and planned end, then looks as of the planned end', () => {
    expect(waitsFor(live({}))).toEqual(['minimum-run', 'planned-end']);
    expect(waitsFor(live({ knownUntilUs: at(8) }))).toEqual(['planned-end']);
    expect(planState(live({ knownUntilUs: at(20) }))).toMatchObject({
      isDue: true,
      waits: [],
      exhausted: true,
      minimumRunOver: true,
      lookAtUs: at(14),
    });
  });

  it('looks as of the minimum run where the planned end comes before it', () => {
    expect(planState(live({ plannedEndUs: at(2), knownUntilUs: at(20) })).lookAtUs).toBe(at(7));
    expect(waitsFor(live({ plannedEndUs: at(2) }))).toEqual(['minimum-run']);
  });

  it('asks for an end where the plan names none', () => {
    const state = planState(live({ plannedEndUs: null, knownUntilUs: at(20) }));
    expect(state).toMatchObject({ exhausted: false, waits: [{ what: 'a-planned-end', untilUs: null }] });
  });

  it('takes a closing as its look, too short or not', () => {
    expect(planState(live({ closedAtUs: at(2) }))).toMatchObject({
      isDue: true,
      waits: [],
      exhausted: true,
      minimumRunOver: false,
      lookAtUs: at(2),
    });
    expect(planState(live({ closedAtUs: at(9), knownUntilUs: at(20) }))).toMatchObject({ minimumRunOver: true, lookAtUs: at(9) });
  });

  it('waits for start and watermark', () => {
    expect(waitsFor(live({ startedAtUs: null }))).toEqual(['start']);
    expect(waitsFor(live({ knownUntilUs: null }))).toEqual(['watermark']);
  });
});

describe('a sequential plan in a live environment', () => {
  const sequential = (overrides: Partial<Schedule> = {}) => planState(live({ method: 'sequential', ...overrides }));

  it('may be judged from the first look on, whatever it waits for', () => {
    expect(sequential()).toMatchObject({ isDue: true, exhausted: false, minimumRunOver: false, lookAtUs: null });
    expect(sequential().waits.map(({ what }) => what)).toEqual(['minimum-run', 'evidence']);
    expect(sequential({ startedAtUs: null }).isDue).toBe(false);
    expect(sequential({ knownUntilUs: null }).isDue).toBe(false);
  });

  it('is over at its planned end, though it may be looked at further, and never before the minimum run', () => {
    expect(sequential({ knownUntilUs: at(14) })).toMatchObject({ isDue: true, exhausted: true, waits: [], lookAtUs: null });
    expect(sequential({ knownUntilUs: at(14) - 1 }).exhausted).toBe(false);
    expect(sequential({ plannedEndUs: at(2) })).toMatchObject({ exhausted: false, minimumRunOver: false });
  });

  it('is over when the planned units are in, and the minimum run', () => {
    const counted = (days: number, units: number, planned: number | null = 20_000) =>
      withUnits(sequential({ knownUntilUs: at(days) }), units, planned);
    expect(counted(8, 20_000)).toMatchObject({ exhausted: true, waits: [] });
    expect(counted(8, 19_999).exhausted).toBe(false);
    expect(counted(3, 30_000).exhausted).toBe(false);
    expect(counted(8, 9e9, null).exhausted).toBe(false);
  });

  it('says until when, and how many units are in', () => {
    const said = (overrides: Partial<Schedule>, planned: number | null) =>
      withUnits(sequential({ knownUntilUs: at(8), ...overrides }), 8000, planned).waits.map(waitSentence);
    expect(said({}, 20_000)).toEqual([
      'waits for evidence until 2026-01-15T00:00:00.000Z or 20,000 units of the largest pair, 8,000 so far',
    ]);
    expect(said({ plannedEndUs: null }, null)).toEqual([
      'waits for evidence, 8,000 units of the largest pair so far: the plan names neither an end nor planned units',
    ]);
  });

  it('takes a closing as its last look', () => {
    expect(sequential({ closedAtUs: at(2) })).toMatchObject({
      isDue: true,
      exhausted: true,
      minimumRunOver: false,
      lookAtUs: at(2),
      waits: [],
    });
  });
});

describe('a history', () => {
  it('has its one look when the import is complete, without a minimum run', () => {
    const history = live({ historical: true, plannedEndUs: null });
    expect(waitsFor({ ...history, importing: true })).toEqual(['import']);
    expect(planState({ ...history, method: 'sequential' })).toEqual(planState(history));
    expect(planState(history)).toMatchObject({ isDue: true, waits: [], exhausted: true, minimumRunOver: true, lookAtUs: null });
  });
});

describe('the sentence', () => {
  it('says until when', () => {
    expect(waitSentence({ what: 'minimum-run', untilUs: at(7) })).toBe('waits for the minimum run until 2026-01-08T00:00:00.000Z');
  });
});
