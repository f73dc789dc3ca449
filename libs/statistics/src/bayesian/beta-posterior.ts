/** Beta posteriors of proportions, and two of them compared without simulation. */
import { requireLevel } from '../comparison/compared-effect.js';
import { beta } from '../distributions.js';
import { integrate } from '../kernel/quadrature.js';
import { requireCount } from '../sums/moments.js';

export interface BetaParameters {
  readonly a: number;
  readonly b: number;
}

/** Jeffreys' prior. */
export const JEFFREYS: BetaParameters = { a: 0.5, b: 0.5 };

/** Posterior after x successes in n. @throws RangeError unless 0 ≤ x ≤ n and the prior is proper */
export const betaPosterior = (successes: number, trials: number, prior: BetaParameters = JEFFREYS): BetaParameters => {
  if (requireCount('successes', successes) > requireCount('trials', trials))
    throw new RangeError(`${successes} successes in ${trials} trials`);
  if (!(prior.a > 0 && prior.b > 0)) throw new RangeError(`a proper prior has a and b above 0, got ${prior.a} and ${prior.b}`);
  return { a: prior.a + successes, b: prior.b + trials - successes };
};

/** Central credible interval holding `level` of the posterior. Golden: bb-interval-jeffreys */
export const betaInterval = ({ a, b }: BetaParameters, level: number): { readonly lower: number; readonly upper: number } => {
  const outside = (1 - requireLevel('level', level)) / 2;
  return { lower: beta.quantile(outside, a, b), upper: beta.isf(outside, a, b) };
};

export interface BetaComparison {
  /** P(p_B > p_A). */
  readonly chanceToWin: number;
  /** E[(p_B − p_A)⁺]: what keeping control gives away. */
  readonly lossKeepControl: number;
  readonly lossShipTreatment: number;
}

/** Standard deviations around each mean that hold all but 1e-30 of a posterior that is near normal; cut at 0 and 1. */
const SDS = 12;
const PANELS = 40;

/**
 * Two posteriors by quadrature. All integrands are positive, so nothing cancels at a million units.
 * Golden: bb-spotify-us, bb-50000-500000
 */
export const compareBetaPosteriors = (control: BetaParameters, treatment: BetaParameters): BetaComparison => {
  const [low, high] = commonSupport(control, treatment);
  const [fromControl, fromTreatment] = [support(control), support(treatment)];
  const density = ({ a, b }: BetaParameters, logit: number): number =>
    Math.exp(a * logSigmoid(logit) + b * logSigmoid(-logit) - beta.logNormaliser(a, b));
  const [windowLow, windowHigh] = fromTreatment;
  // Over the logit, where a posterior piled up at 0 or 1 is smooth too.
  const chanceToWin = integrate(
    (u) => density(treatment, u) * beta.cdf(sigmoid(u), control.a, control.b),
    logitOf(windowLow),
    logitOf(windowHigh),
    PANELS,
  );
  const loss = (worse: BetaParameters, better: BetaParameters): number =>
    integrate(
      (u) => beta.cdf(sigmoid(u), worse.a, worse.b) * beta.sf(sigmoid(u), better.a, better.b) * sigmoid(u) * sigmoid(-u),
      logitOf(Math.min(low, fromControl[0])),
      logitOf(Math.max(high, fromTreatment[1])),
      2 * PANELS,
    );
  return { chanceToWin: Math.min(1, chanceToWin), lossKeepControl: loss(control, treatment), lossShipTreatment: loss(treatment, control) };
};

const sigmoid = (u: number): number => 1 / (1 + Math.exp(-u));
const logSigmoid = (u: number): number => (u > 0 ? -Math.log1p(Math.exp(-u)) : u - Math.log1p(Math.exp(u)));
const logitOf = (p: number): number => Math.log(p) - Math.log1p(-p);

/** Where a posterior lives: its extreme quantiles, inside (0, 1) by what a logit in double precision can hold. */
const support = ({ a, b }: BetaParameters): readonly [number, number] => {
  const mean = a / (a + b);
  const sd = Math.sqrt((mean * (1 - mean)) / (a + b + 1));
  const [low, high] = [mean - SDS * sd, mean + SDS * sd];
  return [low > 1e-12 ? low : beta.quantile(1e-18, a, b), high < 1 - 1e-12 ? high : Math.min(1 - 1e-15, beta.isf(1e-18, a, b))];
};

const commonSupport = (one: BetaParameters, other: BetaParameters): readonly [number, number] => {
  const [a, b] = [support(one), support(other)];
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
};
