import { describe, expect, it } from '@jest/globals';
import type { ExperimentInput, TakenLook } from '@rampart/contracts';
import { concluded, converted, type ExampleLook, latency, onDay, ones, spread } from './conclusion.examples.js';

const plan: ExperimentInput['plan'] = { method: 'group-sequential', looks: { atUs: [onDay(7), onDay(14), onDay(28)] } };

/** So many units an arm; B converts more by this share. */
const cells = (units: number, lift: number) => [
  [ones(units, units / 10), spread(units, 100, 20)],
  [ones(units, Math.round((units / 10) * (1 + lift))), spread(units, 100, 20)],
];
const at = (days: number, { units = 5000, lift = 0, ...change }: { units?: number; lift?: number } & Partial<ExampleLook> = {}) =>
  concluded({ metrics: [converted, latency], cells: cells(units, lift), experiment: { plan }, knownUntilUs: onDay(days), ...change });
const before = (looks: readonly TakenLook[] | null) => ({ looksBefore: looks ?? [] });

describe('a plan of several looks', () => {
  it('shows no gain before its first, however large it is, and says what it waits for', () => {
    const { verdict, looks } = at(6, { lift: 1 });
    expect(looks).toEqual([]);
    expect(verdict.verdict).toBe('continue');
    expect(verdict.sentence).toContain('none of its planned looks was taken yet');
    expect(at(8, {}).verdict.sentence).toContain('waits for look 1 of 3 until 1970-01-08');
  });

  it('takes its look as of the planned moment, with the bound of its share of α', () => {
    const { verdict, looks } = at(7, { lift: 0.24 });
    expect(looks).toEqual([
      expect.objectContaining({
        look: 1,
        looks: 3,
        knownUntilUs: onDay(7),
        tests: [
          expect.objectContaining({ test: 'superiority', metric: 'converted', arm: 'B', level: 0.05 }),
          expect.objectContaining({ test: 'non-inferiority', metric: 'latency', arm: 'B', level: 0.05 }),
        ],
      }),
    ]);
    const [gain] = looks?.[0]?.tests ?? [];
    // 2 − 2Φ(z₀.₀₂₅/√¼) of .05 is spent.
    expect(gain?.spent).toBeCloseTo(8.857e-5, 7);
    expect(verdict.sentence).toMatch(
      /^go with B – converted is 24 % better \(look 1 of 3: z 3\.8\d* ≥ 3\.75\); guardrail latency could be .* worse, margin 5 % \(look 1 of 3: z /,
    );
  });

  it('keeps what a look said until the next one, and forgets it then', () => {
    const first = at(7, { lift: 0.24 });
    const between = at(9, { lift: 0, units: 6000, ...before(first.looks) });
    expect(between.verdict.verdict).toBe('go');
    expect(between.looks).toEqual(first.looks);
    const second = at(14, { lift: 0, units: 9000, ...before(first.looks) });
    expect(second.verdict.verdict).toBe('continue');
    expect(second.looks?.[0]).toEqual(first.looks?.[0]);
  });

  it('is over with its last look', () => {
    const two = at(14, { units: 9000, ...before(at(7).looks) });
    const last = at(28, { units: 18_000, lift: 0.01, ...before(two.looks) });
    expect(last.verdict.sentence).toMatch(
      /^inconclusive, keep control – the plan is over: converted is .* not shown to be a gain \(look 3 of 3: z .* < 1\.\d+\)/,
    );
    expect(last.looks?.map(({ look }) => look)).toEqual([1, 2, 3]);
    expect(last.looks?.at(-1)?.tests[0]?.spent).toBeCloseTo(0.05, 9);
  });

  it('watches harm all the time', () => {
    const harmed = at(5, { lift: -0.5, units: 20_000 });
    expect(harmed.verdict).toMatchObject({ verdict: 'no-go', rule: 'deteriorated' });
    expect(harmed.latched).toMatchObject([{ test: 'harm', metric: 'converted' }]);
  });

  it('tests nothing before its burn-in, and leaves the α to the next look', () => {
    const early = at(7, { units: 90, lift: 1 });
    expect(early.looks?.[0]?.tests[0]).toMatchObject({ statistic: null, bound: null, spent: 0 });
    expect(early.verdict.verdict).toBe('continue');
  });

  it('is judged as of the moment at which it was closed, by the looks before it', () => {
    const first = at(7, { lift: 0.24 });
    const second = at(14, { lift: 0, units: 9000, ...before(first.looks) });
    const closed = at(9, { lift: 0, units: 6000, ...before(second.looks) });
    expect(closed.verdict.verdict).toBe('go');
    // And the record keeps what was taken after it.
    expect(closed.looks).toEqual(second.looks);
  });

  it('by units is taken at the first whole hour at which they are in', () => {
    const shares = { ...plan, plannedUnits: 20_000, looks: { informationFractions: [0.5, 1] } };
    const hour = 200 * 3_600_000_000;
    const look = (knownUntilUs: number, units: number) => at(0, { units, lift: 0.24, knownUntilUs, experiment: { plan: shares } });
    expect(look(hour, 4990).looks).toEqual([]);
    expect(look(hour + 1, 5000).looks).toEqual([]);
    expect(look(hour, 5000).looks).toMatchObject([{ look: 1, looks: 2 }]);
    expect(look(hour, 4990).verdict.sentence).toContain('waits for look 1 of 2 at 10,000 units of the largest pair, 9,980 so far');
  });
});
