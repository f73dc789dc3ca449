/** Beta posteriors of proportions, and two of them compared without simulation. */
import { beta } from '../distributions.js';
import { digamma, trigamma } from '../kernel/digamma.js';
import { integrateBetween } from '../kernel/quadrature.js';
import { type Probability, requireCount, requireLevel } from '../kernel/requirements.js';

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
  readonly chanceToWin: Probability;
  /** E[(p_B − p_A)⁺]: what keeping control gives away. */
  readonly lossKeepControl: number;
  readonly lossShipTreatment: number;
}

/**
 * Mean and spread of ln(p_B / p_A): exact moments, from which a normal interval of the ratio is made for display.
 * @returns `sd` is above 0
 */
export const logRateRatio = (control: BetaParameters, treatment: BetaParameters): { readonly mean: number; readonly sd: number } => {
  const [a, b] = [control, treatment].map((arm) => ({
    mean: digamma(arm.a) - digamma(arm.a + arm.b),
    variance: trigamma(arm.a) - trigamma(arm.a + arm.b),
  }));
  if (a === undefined || b === undefined) throw new RangeError('two arms are compared');
  return { mean: b.mean - a.mean, sd: Math.sqrt(a.variance + b.variance) };
};

/** What may be left out at each end of a posterior. */
const NEGLIGIBLE = 1e-18;
const PANELS = 8;

/**
 * Two posteriors by quadrature over the logit, where one piled up at 0 or 1 is smooth too. All integrands are positive, so nothing
 * cancels at a million units.
 * Golden: bb-spotify-us, bb-50000-500000
 */
export const compareBetaPosteriors = (control: BetaParameters, treatment: BetaParameters): BetaComparison => {
  const corners = [control, treatment].flatMap(cornersOf).sort((a, b) => a - b);
  const logNormaliser = beta.logNormaliser(treatment.a, treatment.b);
  const density = (u: number): number => Math.exp(treatment.a * logSigmoid(u) + treatment.b * logSigmoid(-u) - logNormaliser);
  const chanceToWin = integrateBetween(
    (u) => density(u) * beta.cdf(sigmoid(u), control.a, control.b),
    inside(corners, treatment, treatment),
    PANELS,
  );
  const loss = (worse: BetaParameters, better: BetaParameters): number =>
    integrateBetween(
      (u) => beta.cdf(sigmoid(u), worse.a, worse.b) * beta.sf(sigmoid(u), better.a, better.b) * sigmoid(u) * sigmoid(-u),
      inside(corners, worse, better),
      PANELS,
    );
  return { chanceToWin: Math.min(1, chanceToWin), lossKeepControl: loss(control, treatment), lossShipTreatment: loss(treatment, control) };
};

const sigmoid = (u: number): number => 1 / (1 + Math.exp(-u));
const logSigmoid = (u: number): number => (u > 0 ? -Math.log1p(Math.exp(-u)) : u - Math.log1p(Math.exp(u)));
const logitOf = (p: Probability): number => Math.log(p) - Math.log1p(-p);

/** Logits of a posterior's ends and middle. The upper end is the mirrored lower one: near 1 a double has no room. */
const cornersOf = ({ a, b }: BetaParameters): readonly [low: number, middle: number, high: number] => [
  logitOf(beta.quantile(NEGLIGIBLE, a, b)),
  Math.log(a / b),
  -logitOf(beta.quantile(NEGLIGIBLE, b, a)),
];

/** The corners from where one posterior begins to where the other ends; none when that is nowhere. */
const inside = (corners: readonly number[], from: BetaParameters, to: BetaParameters): readonly number[] => {
  const [low, high] = [cornersOf(from)[0], cornersOf(to)[2]];
  return corners.filter((u) => u >= low && u <= high);
};
