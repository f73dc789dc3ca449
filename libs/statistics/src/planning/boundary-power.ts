/** How often, and how soon, a statistic that is looked at several times crosses its boundary: one computation for every method that has one. */
import { normal } from '../distributions.js';
import { requireFinite } from '../kernel/requirements.js';

export interface BoundaryLook {
  /** Share of the information at the last look, in (0, 1]. */
  readonly informationFraction: number;
  /** The statistic, in standard errors, that is a crossing; `null` = none is possible at this look. */
  readonly bound: number | null;
}

export interface BoundaryPlan {
  /** In their order, information rising. */
  readonly looks: readonly BoundaryLook[];
  /** `symmetric` stops on both sides; `upper` only above. */
  readonly sides: 'symmetric' | 'upper';
}

export interface BoundaryCrossing {
  /** Chance to have crossed by the end. */
  readonly power: number;
  /** The same after each look. */
  readonly powerByLook: readonly number[];
  /** Average share of the whole information at the stop. */
  readonly expectedInformation: number;
}

/** Density times weight at each node, over the runs that have not crossed, without an effect. */
interface Running {
  readonly informationFraction: number;
  readonly nodes: Float64Array;
  readonly mass: Float64Array;
  /** Of the first look that can cross, which has a closed form. */
  readonly only: { readonly bound: number; readonly sides: BoundaryPlan['sides'] } | null;
}

/** Steps of the statistic beyond this many standard deviations have a density below 1e-15. */
const FAR = 8.5;
const INVERSE_ROOT_2PI = 1 / Math.sqrt(2 * Math.PI);
/** Where the grid ends if no bound does: without an effect nothing comes so far down, with one of 6 nothing so far up. */
const [LOWEST, HIGHEST] = [-8, 14];
/** An effect in the wrong direction: below this drift the chance to cross is taken as that of this one, which is next to nothing. */
const WRONG_WAY = -3;
const [FINEST, COARSEST] = [0.02, 0.06];

/**
 * The recursion of Armitage, McPherson & Rowe 1969 for a boundary that is given, once and without an effect: with an effect the density of a run that has come
 * to z at information t is larger by exp(θz√t − θ²t/2), whatever its way, so that every drift θ after that costs one sum.
 * @returns of a drift: the mean of the statistic at the end, effect / standard error there
 * @throws RangeError when there is no look, or information does not rise within (0, 1]
 * Golden: agrees with groupSequentialPower, and with the inflations that were measured by simulation
 */
export const boundaryCrossing = ({ looks, sides }: BoundaryPlan): ((drift: number) => BoundaryCrossing) => {
  requireRising(looks);
  const states: (Running | null)[] = [];
  const spacing = spacingOf(looks);
  let state: Running | null = null;
  for (const { informationFraction, bound } of looks) {
    const isLast = informationFraction === looks.at(-1)?.informationFraction;
    if (bound !== null) state = stillRunning(state, informationFraction, { bound, sides, spacing, isLast });
    states.push(bound === null ? null : state);
  }
  return (drift) =>
    crossingUnder(
      looks,
      states,
      sides === 'upper' ? Math.max(WRONG_WAY, requireFinite('drift', drift)) : Math.abs(requireFinite('drift', drift)),
    );
};

const requireRising = (looks: readonly BoundaryLook[]): void => {
  if (looks.length === 0) throw new RangeError('a boundary needs at least one look');
  looks.forEach(({ informationFraction: t, bound }, i) => {
    if (!(t > (looks[i - 1]?.informationFraction ?? 0) && t <= 1))
      throw new RangeError(`information must rise within (0, 1], got ${t} at look ${i + 1}`);
    if (bound !== null) requireFinite(`bound of look ${i + 1}`, bound);
  });
};

/** Two nodes for the smallest step's standard deviation: Simpson's rule has then converged. */
const spacingOf = (looks: readonly BoundaryLook[]): number => {
  const steps = looks.slice(1).map(({ informationFraction: t }, i) => Math.sqrt((t - (looks[i]?.informationFraction ?? 0)) / t));
  return Math.min(COARSEST, Math.max(FINEST, Math.min(...steps) / 2));
};

interface Cut {
  readonly bound: number;
  readonly sides: BoundaryPlan['sides'];
  readonly spacing: number;
  readonly isLast: boolean;
}

const stillRunning = (before: Running | null, t: number, { bound, sides, spacing, isLast }: Cut): Running => {
  const isFirst = before === null;
  const [low, high] = [Math.max(LOWEST, sides === 'symmetric' ? -bound : LOWEST), Math.min(HIGHEST, bound)];
  // One look alone has a closed form, and nothing comes after it.
  const isNeeded = high > low && !(isFirst && isLast);
  const intervals = isNeeded ? 2 * Math.ceil((high - low) / (2 * spacing)) : 0;
  const width = intervals === 0 ? 0 : (high - low) / intervals;
  const nodes = Float64Array.from({ length: intervals === 0 ? 0 : intervals + 1 }, (_, at) => low + at * width);
  const weight = (at: number): number => (width / 3) * (at === 0 || at === intervals ? 1 : at % 2 === 1 ? 4 : 2);
  return {
    informationFraction: t,
    nodes,
    mass: nodes.map((z, at) => weight(at) * (isFirst ? normal.pdf(z) : densityAt(before, t, z))),
    only: isFirst ? { bound, sides } : null,
  };
};

/**
 * Nodes are evenly apart, so that from one to the next the normal density changes by a factor that itself changes by a fixed one: three exponentials a sum instead of one
 * a node. Begun at the nearest node, where the density is largest; what rounding adds on the way out falls on terms that are smaller than it grows.
 */
const densityAt = (before: Running, t: number, z: number): number => {
  const { nodes, mass } = before;
  const last = nodes.length - 1;
  if (last < 1) return 0;
  const step = Math.sqrt(t - before.informationFraction);
  const [perNode, here] = [Math.sqrt(before.informationFraction) / step, (z * Math.sqrt(t)) / step];
  const [first = 0, second = 0] = nodes;
  const gap = (second - first) * perNode;
  const nearest = Math.min(last, Math.max(0, Math.round((here - first * perNode) / gap)));
  const off = here - (nodes[nearest] ?? 0) * perNode;
  if (Math.abs(off) > FAR) return 0;
  const peak = Math.exp(-0.5 * off * off);
  const fall = Math.exp(-gap * gap);
  let sum = (mass[nearest] ?? 0) * peak;
  let [density, factor] = [peak, Math.exp(gap * (off - gap / 2))];
  const highest = Math.min(last, nearest + Math.floor((FAR + off) / gap));
  for (let at = nearest + 1; at <= highest; at++) {
    density *= factor;
    factor *= fall;
    sum += (mass[at] ?? 0) * density;
  }
  [density, factor] = [peak, Math.exp(-gap * (off + gap / 2))];
  const lowest = Math.max(0, nearest - Math.floor((FAR - off) / gap));
  for (let at = nearest - 1; at >= lowest; at--) {
    density *= factor;
    factor *= fall;
    sum += (mass[at] ?? 0) * density;
  }
  return (sum * INVERSE_ROOT_2PI * Math.sqrt(t)) / step;
};

const crossingUnder = (looks: readonly BoundaryLook[], states: readonly (Running | null)[], drift: number): BoundaryCrossing => {
  const powerByLook: number[] = [];
  let [running, expectedInformation, from] = [1, 0, 0];
  looks.forEach(({ informationFraction: t }, i) => {
    expectedInformation += running * (t - from);
    const state = states[i] ?? null;
    if (state !== null) running = Math.min(1, Math.max(0, leftUnder(state, drift)));
    powerByLook.push(1 - running);
    from = t;
  });
  return { power: 1 - running, powerByLook, expectedInformation };
};

const leftUnder = ({ informationFraction: t, nodes, mass, only }: Running, drift: number): number => {
  const centre = drift * Math.sqrt(t);
  if (only !== null) return normal.cdf(only.bound - centre) - (only.sides === 'symmetric' ? normal.cdf(-only.bound - centre) : 0);
  // Down from the highest node, where the factor is largest: from node to node it changes by a fixed one.
  const [first = 0, second = 0] = nodes;
  let factor = Math.exp(centre * (nodes.at(-1) ?? 0) - (centre * centre) / 2);
  const step = Math.exp(-centre * (second - first));
  let sum = 0;
  for (let at = nodes.length - 1; at >= 0; at--) {
    sum += (mass[at] ?? 0) * factor;
    factor *= step;
  }
  return sum;
};
