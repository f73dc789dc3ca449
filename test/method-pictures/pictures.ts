/** What each method asks for and gives, drawn by its own functions: docs/statistics.md shows them. */
import { ladderRanks } from '@rampart/feedback-store';
import {
  type BoundaryLook,
  boundaryCrossing,
  firstErrorHarm,
  groupSequentialBounds,
  mixtureSprtCriticalZ,
  normal,
  normalPosterior,
  quantileDifferenceSequence,
  type RankedArm,
  type Spending,
  sequenceMultiplier,
} from '@rampart/statistics';
import type { Chart, Line } from './chart.js';

const COLOURS = { teal: '#0f766e', blue: '#1d4ed8', amber: '#b45309', violet: '#6d28d9', red: '#b91c1c', grey: '#64748b' };
const ALPHA = 0.05;
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => (at + 1) / count);
const percent = (value: number): string => `${Math.round(value * 100)} %`;

/** One-sided at 5 %, as decisions are. */
const sequential = (t: number): number => sequenceMultiplier(t, { alpha: ALPHA, tightestAtUnits: 0.5, alternative: 'greater' });
/** τ = the effect that one look at the end finds with 80 %. */
const FIXED_DRIFT = normal.isf(ALPHA) + normal.quantile(0.8);
const mixture = (t: number): number => mixtureSprtCriticalZ(1, FIXED_DRIFT ** 2 * t, 2 * ALPHA);
const planned = (kind: 'obrien-fleming' | 'pocock'): readonly BoundaryLook[] =>
  groupSequentialBounds({ informationFractions: upTo(5), alphaPerSide: ALPHA, spending: { kind } satisfies Spending, sides: 'upper' }).map(
    ({ informationFraction, z }) => ({ informationFraction, bound: z }),
  );
const watched = (bound: (t: number) => number, looks = 100): readonly BoundaryLook[] =>
  upTo(looks).map((t) => ({ informationFraction: t, bound: bound(t) }));
const pointsOf = (looks: readonly BoundaryLook[]): Line['points'] =>
  looks.flatMap(({ informationFraction, bound }) => (bound === null ? [] : [[informationFraction, bound] as const]));

const bounds: Chart = {
  title: 'What a gain must exceed, from the first unit to the last',
  description:
    'Standard errors that an estimate must exceed to be shown. One look: 1.64 at the end. O’Brien–Fleming at five looks: from 4.2 down to 1.7. Pocock: about 2.1 throughout. Sequential and the mixture: a curve that comes down to 2.8 by a third of the units and stays there.',
  x: { name: 'share of the planned units', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], shown: percent },
  y: { name: 'standard errors', from: 1, to: 5, ticks: [1, 2, 3, 4, 5] },
  lines: [
    { name: 'sequential', colour: COLOURS.teal, points: pointsOf(watched(sequential)) },
    { name: 'msprt', colour: COLOURS.violet, points: pointsOf(watched(mixture)), isDashed: true },
    { name: 'O’Brien–Fleming, five looks', colour: COLOURS.blue, points: pointsOf(planned('obrien-fleming')), isDots: true },
    { name: 'Pocock, five looks', colour: COLOURS.amber, points: pointsOf(planned('pocock')), isDots: true },
    { name: 'fixed-horizon: one look', colour: COLOURS.grey, points: [[1, normal.isf(ALPHA)]], isDots: true },
  ],
};

/** Of a run that goes on to twice the units of one look. */
const MOST = 2;
const found = (name: string, colour: string, looks: readonly BoundaryLook[], isDashed = false): Line => {
  const { powerByLook } = boundaryCrossing({ looks, sides: 'upper' })(FIXED_DRIFT * Math.sqrt(MOST));
  return { name, colour, isDashed, points: powerByLook.map((power, at) => [MOST * (looks[at]?.informationFraction ?? 0), power] as const) };
};
const oneLook: Line = {
  name: 'one look, at so many units',
  colour: COLOURS.grey,
  points: upTo(100).map((t) => [MOST * t, normal.sf(normal.isf(ALPHA) - FIXED_DRIFT * Math.sqrt(MOST * t))]),
};

const power: Chart = {
  title: 'The chance to have found an effect',
  description:
    'An effect that one look at 100 % of the units finds with 80 %. Of the runs that are watched, sequential or msprt, a fifth have found it by half of the units, half by all of them, and 80 % by 180 %. O’Brien–Fleming with five looks on the way to 200 % finds a quarter at 80 % of the units and two thirds at 120 %.',
  x: { name: 'units, as a share of those of one look', from: 0, to: MOST, ticks: [0, 0.5, 1, 1.5, 2], shown: percent },
  y: { name: 'found by then', from: 0, to: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], shown: percent },
  lines: [
    oneLook,
    found('sequential', COLOURS.teal, watched(sequential)),
    found(
      'msprt',
      COLOURS.violet,
      watched((t) => mixtureSprtCriticalZ(1, FIXED_DRIFT ** 2 * MOST * t, 2 * ALPHA)),
      true,
    ),
    found('O’Brien–Fleming, five looks', COLOURS.blue, planned('obrien-fleming')),
  ],
};

const LOOKS = 100;
const alarms = (name: string, colour: string, bound: (t: number) => number): Line => {
  const { powerByLook } = boundaryCrossing({ looks: watched(bound, LOOKS), sides: 'upper' })(0);
  return { name, colour, points: powerByLook.map((power, at) => [at + 1, power] as const) };
};

const peeking: Chart = {
  title: 'Without any effect: how often something is found by looking again and again',
  description:
    'The chance of a false alarm by the n-th of 100 looks. With the bound of one look it passes 30 percent; the sequence and the mixture stay below 5 percent at every look.',
  x: { name: 'looks', from: 0, to: LOOKS, ticks: [0, 25, 50, 75, 100] },
  y: { name: 'false alarms by then', from: 0, to: 0.35, ticks: [0, 0.05, 0.1, 0.2, 0.3], shown: percent },
  lines: [
    alarms('wrong: one look’s, each time', COLOURS.red, () => normal.isf(ALPHA)),
    alarms('sequential', COLOURS.teal, sequential),
    alarms('msprt', COLOURS.violet, mixture),
    {
      name: 'α',
      colour: COLOURS.grey,
      isDashed: true,
      points: [
        [0, ALPHA],
        [LOOKS, ALPHA],
      ],
    },
  ],
};

const densityOf = (name: string, colour: string, { mean, sd }: { mean: number; sd: number }, isDashed = false): Line => ({
  ...{ name, colour, isDashed },
  points: Array.from({ length: 161 }, (_, at) => -0.08 + at / 1000).map((x) => [x, normal.pdf((x - mean) / sd) / sd] as const),
});
const PRIOR = { mean: 0, sd: 0.02 };
const SEEN = { mean: 0.03, sd: 0.015 };
const posterior = normalPosterior({ estimate: SEEN.mean, se: SEEN.sd, prior: { mean: 0, variance: PRIOR.sd ** 2 }, alpha: ALPHA });
const believed = posterior.kind === 'posterior' ? posterior : { mean: 0, sd: 1 };

const belief: Chart = {
  title: 'What was known, what was seen, what is believed',
  description:
    'Three densities over the relative effect. The prior is centred at 0 with a spread of 2 percent; the data say plus 3 percent give or take 1.5; the posterior lies between them at plus 1.9 percent.',
  x: { name: 'relative effect', from: -0.08, to: 0.08, ticks: [-0.08, -0.04, 0, 0.04, 0.08], shown: percent },
  y: { name: 'density', from: 0, to: 36, ticks: [0, 12, 24, 36] },
  lines: [
    densityOf('prior: N(0, 2 %)', COLOURS.grey, PRIOR, true),
    densityOf('seen: + 3 % ± 1.5 %', COLOURS.amber, SEEN),
    densityOf('posterior, which decides', COLOURS.teal, believed),
  ],
};

const cuped: Chart = {
  title: 'What the past of a unit takes off the variance',
  description:
    'The variance that is left is one minus the square of the correlation with the value before: 75 percent at 0.5, 36 percent at 0.8.',
  x: { name: 'correlation with the value before', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1] },
  y: { name: 'units needed, as a share of those without', from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], shown: percent },
  lines: [{ name: 'CUPED: 1 − ρ²', colour: COLOURS.teal, points: [0, ...upTo(100)].map((rho) => [rho, 1 - rho ** 2] as const) }],
};

const ERRORS = 40;
const evidence = (name: string, colour: string, share: number): Line => ({
  name,
  colour,
  points: Array.from({ length: ERRORS }, (_, at) => at + 1).map((units) => {
    const treatment = Math.round(share * units);
    const { logE } = firstErrorHarm({ periods: [{ observed: [units - treatment, treatment], weights: [1, 1] }], alpha: 0.0045 });
    return [units, logE / Math.LN10] as const;
  }),
});

const errors: Chart = {
  title: 'Evidence of first errors',
  description:
    'Log of E over units that erred. If all of them are in the treatment, E reaches 222 at the fourteenth; with two of three it grows slowly; with half of them it stays below 1.',
  x: { name: 'units with a first error, of both arms', from: 0, to: ERRORS, ticks: [0, 10, 20, 30, 40] },
  y: { name: 'E', from: -1, to: 5, ticks: [-1, 0, 1, 2, 3, 4, 5], shown: (power) => (power < 0 ? '0.1' : `${10 ** power}`) },
  lines: [
    evidence('all in the treatment', COLOURS.red, 1),
    evidence('three of four', COLOURS.amber, 0.75),
    evidence('half and half', COLOURS.teal, 0.5),
    {
      name: 'harm at a level of .0045',
      colour: COLOURS.grey,
      isDashed: true,
      points: [
        [0, Math.log10(1 / 0.0045)],
        [ERRORS, Math.log10(1 / 0.0045)],
      ],
    },
  ],
};

const [LEVEL, ARM, TRUE_LOSS_MS] = [0.95, 10_000, 60];
/** Latencies, log-normal: ever the same ones, spread as evenly as chance is on average. */
const latencies = (base: number, lossMs: number): readonly number[] =>
  Array.from({ length: ARM }, (_, at) => Math.exp(5.3 + 0.5 * normal.quantile(reversedDigits(at + 1, base))) + lossMs);
const reversedDigits = (count: number, base: number): number => {
  let [left, place, value] = [count, 1 / base, 0];
  for (; left > 0; left = Math.floor(left / base), place /= base) value += (left % base) * place;
  return value;
};
const rankedArm = (values: readonly number[]): RankedArm => {
  const sorted = [...values].sort((a, b) => a - b);
  return { n: sorted.length, ladder: ladderRanks(sorted.length, LEVEL, 1).map((rank) => ({ rank, value: sorted[rank - 1] ?? 0 })) };
};
const [control, slower] = [latencies(2, 0), latencies(3, TRUE_LOSS_MS)];
const courseOfQuantile = Array.from({ length: 50 }, (_, look) => ((look + 1) * ARM) / 50).flatMap((n) => {
  const arms = { control: rankedArm(control.slice(0, n)), treatment: rankedArm(slower.slice(0, n)) };
  const found = quantileDifferenceSequence({ ...arms, nu: LEVEL, tightestAtUnits: ARM, alpha: ALPHA, difference: 'absolute' });
  return found.kind === 'refused' ? [] : [{ n, lower: found.lower, upper: found.upper }];
});
const end = (name: string, colour: string, of: 'lower' | 'upper'): Line => ({
  ...{ name, colour },
  points: courseOfQuantile.map((look) => [look.n, look[of]] as const),
});
const level = (name: string, colour: string, value: number): Line => ({
  name,
  colour,
  isDashed: true,
  points: [
    [0, value],
    [ARM, value],
  ],
});

const quantiles: Chart = {
  title: 'By how much the 95th percentile is slower, at every look',
  description:
    'Two arms whose latencies differ by 60 ms everywhere. The interval of the difference of their 95th percentiles, valid at every look, begins at some hundred units, leaves 0 before half of the units, holds the 60 ms at every look and ends at about 40 to 80 ms.',
  x: { name: 'units in each arm', from: 0, to: ARM, ticks: [0, 2_500, 5_000, 7_500, 10_000] },
  y: { name: 'difference of the 95th percentiles, ms', from: -100, to: 250, ticks: [-100, 0, 100, 200] },
  lines: [
    end('upper end', COLOURS.blue, 'upper'),
    end('lower end', COLOURS.teal, 'lower'),
    level('the truth: 60 ms', COLOURS.grey, TRUE_LOSS_MS),
    level('no difference', COLOURS.red, 0),
  ],
};

/** By the name of the file. */
export const pictures: Readonly<Record<string, Chart>> = {
  'method-bounds': bounds,
  'method-power': power,
  'method-peeking': peeking,
  'method-bayesian': belief,
  'method-cuped': cuped,
  'method-first-errors': errors,
  'method-quantiles': quantiles,
};
