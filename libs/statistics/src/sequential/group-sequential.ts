/** Group sequential tests with an alpha-spending function (Lan & DeMets 1983): for looks that are planned, such as a daily job. */
import { normal } from '../distributions.js';
import type { Probability } from '../kernel/requirements.js';
import { bracketUpwards, findRoot } from '../kernel/root-finding.js';
import { type Grid, normalGrid } from './normal-grid.js';

/** `power` spends alpha·t^exponent. */
export type Spending =
  | { readonly kind: 'obrien-fleming' }
  | { readonly kind: 'pocock' }
  | { readonly kind: 'power'; readonly exponent: number };

/** Alpha spent, per side, when the share `t` of the planned information is in. */
export const spentAlpha = (spending: Spending, alphaPerSide: Probability, t: number): number => {
  if (!(t > 0)) return 0;
  const at = Math.min(1, t);
  switch (spending.kind) {
    case 'obrien-fleming':
      return 2 * normal.sf(normal.isf(alphaPerSide / 2) / Math.sqrt(at));
    case 'pocock':
      return alphaPerSide * Math.log1p((Math.E - 1) * at);
    case 'power':
      return alphaPerSide * at ** spending.exponent;
  }
};

export interface GroupSequentialLook {
  readonly informationFraction: number;
  /** Reject when the statistic reaches it; `null` = no rejection is possible at this look. */
  readonly z: number | null;
  readonly nominalPTwoSided: Probability;
  /** Alpha spent so far, per side. */
  readonly spent: number;
}

export interface GroupSequentialPlan {
  /** Shares of the planned maximum information (1/variance of the estimate), increasing, the last at most 1. */
  readonly informationFractions: readonly number[];
  readonly alphaPerSide: Probability;
  readonly spending: Spending;
  /** `symmetric` rejects on both sides; `upper` only above. */
  readonly sides: 'symmetric' | 'upper';
}

/** Below this gain of information a look repeats the previous bound and spends nothing. */
const SAME_INFORMATION = 1e-5;
/** Below this increment of alpha no bound can be computed, and none is needed. */
const NOTHING_TO_SPEND = 1e-14;

/**
 * Critical values per look by the recursion of Armitage, McPherson & Rowe 1969 on the grid of Jennison & Turnbull 2000 (ch. 19).
 * A look's bound depends on the looks before it only, so bounds already used never change. After the last one no alpha is left.
 * @throws RangeError when fractions do not increase, exceed 1, or alpha per side is outside (0, ½)
 * Golden: ldof-k5, kd2-k4, spotify-runover
 */
export const groupSequentialBounds = (plan: GroupSequentialPlan): readonly GroupSequentialLook[] => {
  const { informationFractions, alphaPerSide, spending, sides } = plan;
  if (!(alphaPerSide > 0 && alphaPerSide < 0.5)) throw new RangeError(`alphaPerSide must be in (0, 0.5), got ${alphaPerSide}`);
  requireIncreasing(informationFractions);
  const looks: GroupSequentialLook[] = [];
  let state: Density | undefined;
  let spent = 0;
  for (const t of informationFractions) {
    const previous = looks.at(-1);
    if (previous !== undefined && t - previous.informationFraction < SAME_INFORMATION) {
      looks.push({ ...previous, informationFraction: t });
      continue;
    }
    const increment = spentAlpha(spending, alphaPerSide, t) - spent;
    const crossing = crossingBeyond(state, t);
    const z = increment < NOTHING_TO_SPEND ? null : solveBound(crossing, increment);
    if (z !== null) spent += increment;
    looks.push({ informationFraction: t, z, nominalPTwoSided: z === null ? 0 : 2 * normal.sf(z), spent });
    state = continueBelow(state, t, z ?? NEVER, sides);
  }
  return looks;
};

const requireIncreasing = (fractions: readonly number[]): void => {
  fractions.forEach((t, i) => {
    if (!(t > 0 && t <= 1 && t >= (fractions[i - 1] ?? 0))) throw new RangeError(`information fractions must rise within (0, 1], got ${t}`);
  });
};

/** Beyond every statistic that a double can tell from certainty. */
const NEVER = 38;

/** The sub-density of the statistic over those still running, on a grid. `drift` is the mean of z at full information. */
interface Density {
  readonly t: number;
  readonly drift: number;
  readonly grid: Grid;
  /** Density times weight at each node. */
  readonly mass: readonly number[];
}

/** P(still running before, and beyond c at this look) as a function of c. */
const crossingBeyond =
  (state: Density | undefined, t: number, drift = 0) =>
  (c: number): number => {
    if (state === undefined) return normal.sf(c - drift * Math.sqrt(t));
    const step = Math.sqrt(t - state.t);
    let sum = 0;
    state.mass.forEach((mass, i) => {
      const u = state.grid.nodes[i] ?? 0;
      sum += mass * normal.sf((c * Math.sqrt(t) - u * Math.sqrt(state.t) - drift * (t - state.t)) / step);
    });
    return sum;
  };

const solveBound = (crossing: (c: number) => number, increment: number): number => {
  const excess = (c: number): number => Math.log(Math.max(crossing(c), 1e-320)) - Math.log(increment);
  const [low, high] = bracketUpwards(excess, -NEVER, NEVER / 2);
  return findRoot(excess, low, high, 1e-13);
};

const continueBelow = (state: Density | undefined, t: number, upper: number, sides: 'symmetric' | 'upper', drift = 0): Density => {
  const centre = drift * Math.sqrt(t);
  const grid = normalGrid(centre, sides === 'symmetric' ? -upper : -Number.MAX_VALUE, upper);
  const mass = grid.nodes.map((z, i) => (grid.weights[i] ?? 0) * densityAt(state, t, z, drift));
  return { t, drift, grid, mass };
};

/** Further apart than this a step's density is below 1e-18, and most pairs of nodes are. */
const FAR = 9;
// Looked up once: the innermost loop runs millions of times.
const { exp } = Math;
const INVERSE_ROOT_2PI = 1 / Math.sqrt(2 * Math.PI);

const densityAt = (state: Density | undefined, t: number, z: number, drift: number): number => {
  if (state === undefined) return normal.pdf(z - drift * Math.sqrt(t));
  const step = Math.sqrt(t - state.t);
  const scale = Math.sqrt(t) / step;
  const here = (z * Math.sqrt(t) - drift * (t - state.t)) / step;
  const perNode = Math.sqrt(state.t) / step;
  let sum = 0;
  state.mass.forEach((mass, i) => {
    const off = here - (state.grid.nodes[i] ?? 0) * perNode;
    if (off < FAR && off > -FAR) sum += mass * exp(-0.5 * off * off);
  });
  return sum * scale * INVERSE_ROOT_2PI;
};

export interface NextLook {
  /** Of the looks before, in their order: information (1/variance of the estimate, on any scale) and the bound that was used. */
  readonly past: readonly { readonly information: number; readonly bound: number | null }[];
  readonly information: number;
  /** Alpha of this side that this look may use up. */
  readonly spend: Probability;
  readonly sides: 'symmetric' | 'upper';
}

/**
 * Critical value of one more look after bounds that were used and stay as they are: what is spent may follow another clock than the information does
 * (calendar time: Lan & DeMets 1989, Communications in Statistics 18), so that looks need no known end of the information.
 * @returns the bound with what it spends; without more information than any look before the same bound again, which spends nothing; null = no rejection is possible
 * Golden: agrees with groupSequentialBounds look by look
 */
export const nextGroupSequentialBound = ({
  past,
  information,
  spend,
  sides,
}: NextLook): { readonly bound: number | null; readonly spent: number } => {
  if (!(information > 0 && Number.isFinite(information))) throw new RangeError(`information must be above 0, got ${information}`);
  const steps = rising(past);
  const highest = steps.at(-1);
  if (highest !== undefined && isNoMore(information, highest.information)) return { bound: highest.bound, spent: 0 };
  if (spend < NOTHING_TO_SPEND) return { bound: null, spent: 0 };
  let state: Density | undefined;
  for (const look of steps) state = continueBelow(state, look.information / information, look.bound ?? NEVER, sides);
  return { bound: solveBound(crossingBeyond(state, 1), spend), spent: spend };
};

const isNoMore = (information: number, than: number): boolean => information <= than * (1 + SAME_INFORMATION);

/** Looks that brought more information than any before: the others repeated a bound and spent nothing, and leave the density of those still running as it was. */
const rising = (past: NextLook['past']): NextLook['past'] => {
  const steps: NextLook['past'][number][] = [];
  for (const look of past) {
    const highest = steps.at(-1)?.information;
    if (highest === undefined || !isNoMore(look.information, highest)) steps.push(look);
  }
  return steps;
};

export interface GroupSequentialPower {
  readonly power: Probability;
  /** Average share of the planned maximum information at the stop. */
  readonly expectedInformation: number;
}

/** Chance to reject above, when the statistic at full information has mean `drift` = effect / standard error there. */
export const groupSequentialPower = (
  looks: readonly GroupSequentialLook[],
  sides: 'symmetric' | 'upper',
  drift: number,
): GroupSequentialPower => {
  let state: Density | undefined;
  let power = 0;
  let expectedInformation = 0;
  let running = 1;
  looks.forEach(({ informationFraction: t, z }, i) => {
    const isLast = i === looks.length - 1;
    // The same data again, against the same bound.
    if (state !== undefined && t - state.t < SAME_INFORMATION) {
      if (isLast) expectedInformation += running * t;
      return;
    }
    const bound = z ?? NEVER;
    const above = crossingBeyond(state, t, drift)(bound);
    const below = sides === 'symmetric' ? crossedBelow(state, t, -bound, drift) : 0;
    power += above;
    const stops = isLast ? running : above + below;
    expectedInformation += stops * t;
    running -= above + below;
    state = continueBelow(state, t, bound, sides, drift);
  });
  return { power, expectedInformation };
};

const crossedBelow = (state: Density | undefined, t: number, c: number, drift: number): number => {
  if (state === undefined) return normal.cdf(c - drift * Math.sqrt(t));
  return state.mass.reduce((sum, mass) => sum + mass, 0) - crossingBeyond(state, t, drift)(c);
};

/**
 * How much more information the plan needs at most, compared with one look at the end, for the same power; and how much on average
 * under the effect it is made for. Golden: ldpoc-inflation
 */
export const groupSequentialInflation = (
  plan: GroupSequentialPlan,
  power: Probability,
): { readonly maximum: number; readonly average: number } => {
  if (!(power > plan.alphaPerSide && power < 1)) throw new RangeError(`power must be in (${plan.alphaPerSide}, 1), got ${power}`);
  const looks = groupSequentialBounds(plan);
  const fixedDrift = normal.isf(plan.alphaPerSide) + normal.quantile(power);
  const lacking = (drift: number): number => groupSequentialPower(looks, plan.sides, drift).power - power;
  const drift = findRoot(lacking, 0.5 * fixedDrift, 3 * fixedDrift + 1, 1e-9);
  const maximum = (drift / fixedDrift) ** 2;
  return { maximum, average: maximum * groupSequentialPower(looks, plan.sides, drift).expectedInformation };
};
