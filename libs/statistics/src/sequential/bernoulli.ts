/** One proportion at every look, without asymptotics: beta-binomial mixtures (Howard et al. 2021) and the polynomial stitching bound. */
import { beta } from '../distributions.js';
import { type Probability, requireCount, requireLevel } from '../kernel/requirements.js';
import { findRoot } from '../kernel/root-finding.js';
import { riemannZeta } from '../kernel/zeta.js';
import { normalMixture, type Sides } from './normal-mixture.js';

/** A mixture for increments bounded in [−g, h] with variance at most g·h. */
export interface BetaBinomialMixture {
  readonly g: number;
  readonly h: number;
  readonly r: number;
  readonly sides: Sides;
}

export const betaBinomialMixture = (input: {
  readonly g: number;
  readonly h: number;
  /** Intrinsic time at which the boundary is tightest. */
  readonly vOpt: number;
  readonly alphaOpt: Probability;
  readonly sides: Sides;
}): BetaBinomialMixture => {
  const { g, h, vOpt, alphaOpt, sides } = input;
  if (!(g > 0 && h > 0)) throw new RangeError(`g and h must be above 0, got ${g} and ${h}`);
  return { g, h, r: Math.max(normalMixture({ vOpt, alphaOpt, sides }).rho - g * h, 1e-3 * g * h), sides };
};

/** ln of the mixture supermartingale at sum s and intrinsic time v; s ≤ v/g. Golden: bb1-logmix */
export const logBetaBinomialMixture = ({ g, h, r, sides }: BetaBinomialMixture, s: number, v: number): number => {
  const width = g + h;
  const upTo = sides === 'one-sided' ? h / width : 1;
  const logIncomplete = (a: number, b: number): number => beta.logNormaliser(a, b) + (upTo === 1 ? 0 : beta.logCdf(upTo, a, b));
  return (
    (v / (g * h)) * Math.log(width) -
    ((v + h * s) / (h * width)) * Math.log(g) -
    ((v - g * s) / (g * width)) * Math.log(h) +
    logIncomplete((r + v - g * s) / (g * width), (r + v + h * s) / (h * width)) -
    logIncomplete(r / (g * width), r / (h * width))
  );
};

/**
 * ln E of x successes in n against a success probability θ₀, with a Beta(a, b) prior on what it might be instead.
 * Valid at any look; needs no burn-in.
 */
export const logBetaBinomialE = (
  successes: number,
  trials: number,
  theta0: number,
  prior: { readonly a: number; readonly b: number },
): number => {
  requireSuccesses(successes, trials);
  requireLevel('theta0', theta0);
  const { a, b } = prior;
  return (
    beta.logNormaliser(a + successes, b + trials - successes) -
    beta.logNormaliser(a, b) -
    successes * Math.log(theta0) -
    (trials - successes) * Math.log1p(-theta0)
  );
};

const requireSuccesses = (successes: number, trials: number): void => {
  if (requireCount('successes', successes) > requireCount('trials', trials)) {
    throw new RangeError(`${successes} successes in ${trials} trials`);
  }
};

/**
 * Confidence sequence for a proportion: all p whose mixture, tuned to `tightestAtTrials`, does not reject.
 * @returns bounds in [0, 1]; without trials all of it
 * Golden: seq_bernoulli_cs
 */
export const bernoulliConfidenceSequence = (input: {
  readonly successes: number;
  readonly trials: number;
  readonly alpha: Probability;
  readonly tightestAtTrials: number;
  /** Level the tuning is done for; alpha unless told. */
  readonly alphaOpt?: number;
}): { readonly lower: number; readonly upper: number } => {
  const { successes, trials, tightestAtTrials } = input;
  requireSuccesses(successes, trials);
  const alpha = requireLevel('alpha', input.alpha);
  if (trials === 0) return { lower: 0, upper: 1 };
  const observed = successes / trials;
  const excess = (p: Probability): number => {
    const variance = p * (1 - p);
    const mixture = betaBinomialMixture({
      g: p,
      h: 1 - p,
      vOpt: variance * tightestAtTrials,
      alphaOpt: input.alphaOpt ?? alpha,
      sides: 'two-sided',
    });
    return logBetaBinomialMixture(mixture, (observed - p) * trials, variance * trials) + Math.log(alpha);
  };
  const EDGE = 1e-12;
  const lower =
    observed > 0 && excess(Math.min(EDGE, observed / 2)) > 0 ? findRoot(excess, Math.min(EDGE, observed / 2), observed * (1 - EDGE)) : 0;
  const top = 1 - EDGE;
  const upper = observed < 1 && excess(top) > 0 ? findRoot(excess, observed + (1 - observed) * EDGE, top) : 1;
  return { lower, upper };
};

/**
 * Polynomial stitching bound on a sub-gamma sum with scale c at intrinsic time v (Howard et al. 2021, eq. 10): no mixture, any v ≥ vMin.
 * Golden: polystitch
 */
export const polyStitchingBound = (input: {
  readonly v: number;
  readonly alpha: Probability;
  readonly vMin: number;
  readonly c?: number;
  /** Exponent of the polynomial decay, > 1. */
  readonly s?: number;
  /** Ratio between epochs, > 1. */
  readonly eta?: number;
}): number => {
  const { v, vMin, c = 0, s = 1.4, eta = 2 } = input;
  const alpha = requireLevel('alpha', input.alpha);
  if (!(vMin > 0 && s > 1 && eta > 1)) throw new RangeError(`vMin must exceed 0, s and eta must exceed 1, got ${vMin}, ${s}, ${eta}`);
  const at = Math.max(v, vMin);
  const level = s * Math.log(Math.log((eta * at) / vMin)) + Math.log(riemannZeta(s)) - s * Math.log(Math.log(eta)) - Math.log(alpha);
  const k1 = (eta ** 0.25 + eta ** -0.25) / Math.SQRT2;
  const drift = ((Math.sqrt(eta) + 1) / 2) * c * level;
  return Math.sqrt(k1 * k1 * at * level + drift * drift) + drift;
};
