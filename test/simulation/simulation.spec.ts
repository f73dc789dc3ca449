import { beforeAll, describe, expect, it } from '@jest/globals';
import { inParallel } from './parallel.js';
import { Random } from './random.js';
import type { Stops } from './scenario.js';
import { scenarioNamed } from './scenarios.js';
import { lowerBound, tallied, upperBound } from './tally.js';
import { simulate } from './worker.js';

const SEED = 20_260_101;

/** A short form of `npm run simulate`. The wrong twin of each method is simulated beside it: it is what the method would be if it broke there. */
const PAIRS = [
  { name: 'endless', valid: 'sequence, two-sided', twin: 'wrong: N* follows n', runs: 700 },
  { name: 'endless', valid: 'sequence, one-sided', twin: 'wrong: N* follows n', runs: 700 },
  { name: 'burn-in', valid: 'sequence, one-sided, after', twin: 'wrong: from the first unit on', runs: 150 },
  { name: 'heavy-tailed-canary', valid: 'sequence, one-sided, less', twin: 'wrong: each arm by its own', runs: 100 },
  { name: 'coming-back', valid: 'sequence, two-sided, variance over units', twin: 'wrong: variance over visits', runs: 20 },
  { name: 'margin', valid: 'sequence, one-sided, relative', twin: 'wrong: the one-look test', runs: 60 },
  { name: 'sample-ratio', valid: 'sample ratio, alarm at E', twin: 'wrong: χ²', runs: 200 },
  { name: 'sample-ratio-ramp', valid: 'the same at E ≥ 20', twin: 'wrong: totals against', runs: 20 },
  { name: 'first-error', valid: 'first error, at a share', twin: 'wrong: every error', runs: 100 },
  { name: 'stratified', valid: 'sequence, two-sided', twin: 'wrong: p', runs: 200 },
  { name: 'stratified-covariate', valid: 'one look at 1,500 units, two', twin: 'wrong: one look, one', runs: 150 },
  { name: 'cuped-ratio', valid: 'sequence, two-sided', twin: 'wrong: |z|', runs: 40 },
  { name: 'methods', valid: 'group-sequential, Pocock', twin: 'wrong: flat prior', runs: 40 },
  { name: 'methods', valid: 'group-sequential, O', twin: 'wrong: flat prior', runs: 40 },
  { name: 'methods', valid: 'msprt', twin: 'wrong: flat prior', runs: 40 },
  { name: 'capped', valid: 'sequence, two-sided, one cap', twin: 'wrong: a cap of each', runs: 60 },
  { name: 'quantile', valid: '95 % interval, events taken together', twin: 'wrong: events as if', runs: 100 },
  { name: 'quantile-sequence', valid: 'median, exact', twin: 'wrong: the one-look test', runs: 25 },
  { name: 'quantile-events', valid: 'requests taken together by unit', twin: 'wrong: requests as if', runs: 25 },
  { name: 'week', valid: 'sequence, two-sided, closed', twin: 'wrong: |z|', runs: 60 },
] as const;

const simulated = new Map<string, readonly Stops[]>();

beforeAll(async () => {
  // On a thread of their own: inside Jest's module sandbox the same arithmetic takes ten times as long.
  const wanted = [...new Map(PAIRS.map(({ name, runs }) => [name, { scenario: scenarioNamed(name), runs }])).values()];
  for (const { scenario, stops } of await inParallel(wanted, SEED, 1)) simulated.set(scenario.name, stops);
}, 600_000);

/** Alarms of the line whose method begins so. */
const rateOf = (name: string, method: string) => {
  const { lines } = scenarioNamed(name);
  const line = lines.findIndex((one) => one.method.startsWith(method));
  const claim = lines[line]?.claim;
  const stops = simulated.get(name);
  if (claim === undefined || stops === undefined) throw new RangeError(`${name} has no line "${method}", or was not simulated`);
  const alarms = stops.filter((one) => one[line] !== null).length;
  return { alarms, runs: stops.length, rate: alarms / stops.length, outcome: tallied(alarms, stops.length, claim).outcome };
};

describe('looked at again and again', () => {
  it.each(PAIRS)('$name: "$valid" keeps its level, and "$twin" is seen to exceed it', ({ name, valid, twin }) => {
    expect(rateOf(name, valid).outcome).not.toBe('broken');
    expect(rateOf(name, twin).outcome).toBe('holds');
  });

  it('a level that is halved or doubled on the way (α for 2α, one side for two) is told from the right one', () => {
    const [least, most] = [0.022, 0.05];
    for (const method of ['sequence, two-sided', 'sequence, one-sided']) {
      expect(rateOf('endless', method).rate).toBeGreaterThan(least);
      expect(rateOf('endless', method).rate).toBeLessThan(most);
    }
    expect(rateOf('endless', 'wrong: one-sided with twice its level').rate).toBeGreaterThan(most);
    expect(rateOf('endless', 'wrong: one-sided with half its level').rate).toBeLessThan(least);
  });

  it('the exact process uses its level: neither a tenth nor twice of it', () => {
    const { rate } = rateOf('sample-ratio', 'the same at E ≥ 20');
    expect(rate).toBeGreaterThan(0.005);
    expect(rate).toBeLessThan(0.06);
  });

  it('fourteen errors against none are shown to be harm at a share of α₋, thirteen are not', () => {
    expect(simulate({ scenario: 'crash-new', seed: SEED, from: 0, runs: 1 })).toEqual([[14]]);
  });
});

describe('the simulation itself', () => {
  it('draws the same run whatever was drawn before it', () => {
    const together = simulate({ scenario: 'crash-twice', seed: 7, from: 0, runs: 5 });
    expect(simulate({ scenario: 'crash-twice', seed: 7, from: 3, runs: 2 })).toEqual(together.slice(3));
    expect(simulate({ scenario: 'crash-twice', seed: 8, from: 0, runs: 5 })).not.toEqual(together);
  });

  it('draws normal, exponential, Poisson and geometric values with their means and variances', () => {
    const random = new Random(3, 'moments', 0);
    const n = 10_000;
    const of = (draw: () => number) => {
      const values = Array.from({ length: n }, draw);
      const mean = values.reduce((sum, value) => sum + value, 0) / n;
      return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) };
    };
    const near = (found: { mean: number; variance: number }, mean: number, variance: number) => {
      expect(Math.abs(found.mean - mean)).toBeLessThan(4 * Math.sqrt(variance / n));
      expect(Math.abs(found.variance / variance - 1)).toBeLessThan(0.1);
    };
    near(
      of(() => random.normal()),
      0,
      1,
    );
    near(
      of(() => random.exponential(3)),
      3,
      9,
    );
    near(
      of(() => random.poisson(45)),
      45,
      45,
    );
    near(
      of(() => random.geometric(10)),
      10,
      90,
    );
    near(
      of(() => (random.happens(0.3) ? 1 : 0)),
      0.3,
      0.21,
    );
  });

  it('bounds a rate exactly as Clopper and Pearson do', () => {
    // 0 of n: 1 − 0.05^(1/n); 5 of 100: the published two-sided 95 % interval is 1.64 % to 11.28 %.
    expect(upperBound(0, 100, 0.05)).toBeCloseTo(1 - 0.05 ** (1 / 100), 12);
    expect(lowerBound(0, 100, 0.05)).toBe(0);
    expect(lowerBound(5, 100, 0.025)).toBeCloseTo(0.0164, 4);
    expect(upperBound(5, 100, 0.025)).toBeCloseTo(0.1128, 4);
  });

  it('calls a claim broken only where the alarms refute it, and shown only where they show it', () => {
    const atFive = { kind: 'at-most', level: 0.05 } as const;
    expect(tallied(30, 1_000, atFive).outcome).toBe('holds');
    expect(tallied(50, 1_000, atFive).outcome).toBe('open');
    expect(tallied(65, 1_000, atFive).outcome).toBe('open');
    expect(tallied(80, 1_000, atFive).outcome).toBe('broken');
    expect(tallied(50, 1_000, { kind: 'above', level: 0.05 }).outcome).toBe('broken');
    expect(tallied(800, 1_000, { kind: 'about', level: 0.8, tolerance: 0.03 }).outcome).toBe('holds');
    expect(tallied(700, 1_000, { kind: 'about', level: 0.8, tolerance: 0.03 }).outcome).toBe('broken');
  });
});
