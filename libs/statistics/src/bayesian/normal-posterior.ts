/** A normal posterior on an effect: for display beside a decision, not a licence to stop when it looks good. */
import { normal } from '../distributions.js';
import { type Probability, requireFinite, requireLevel } from '../kernel/requirements.js';

/** A proper prior on the effect; on the relative scale N(0, 0.3²) is GrowthBook's. */
export interface NormalPrior {
  readonly mean: number;
  readonly variance: number;
}

export interface NormalPosterior {
  readonly kind: 'posterior';
  readonly mean: number;
  readonly sd: number;
  /** P(effect > 0). For a metric that should fall, 1 minus it. */
  readonly chanceToWin: Probability;
  readonly ciLower: number;
  readonly ciUpper: number;
  /** E[max(effect, 0)]: what keeping control gives away when an increase is good; for a decrease the two swap. */
  readonly lossKeepControl: number;
  readonly lossShipTreatment: number;
}

/**
 * @param prior  proper, on the scale of the estimate; none = flat
 * @param se     0 only together with a prior, which then is the posterior
 * @returns `no-information` without a prior and without variance
 * With a flat prior P(effect > 0) ≥ .975 is the naive test at .05 under another name: 42 % false alarms over 200 looks.
 * Golden: bayes_normal
 */
export const normalPosterior = (input: {
  readonly estimate: number;
  readonly se: number;
  readonly prior?: NormalPrior | undefined;
  readonly alpha: Probability;
}): NormalPosterior | { readonly kind: 'no-information' } => {
  const { estimate, se, prior } = input;
  const alpha = requireLevel('alpha', input.alpha);
  requireFinite('estimate', estimate);
  if (!(se >= 0 && Number.isFinite(se))) throw new RangeError(`se must be at least 0, got ${se}`);
  if (prior !== undefined && !(prior.variance > 0)) throw new RangeError(`a proper prior needs a variance above 0, got ${prior.variance}`);
  if (se === 0 && prior === undefined) return { kind: 'no-information' };
  const { mean, variance } = updated(estimate, se, prior);
  const sd = Math.sqrt(variance);
  const reach = normal.isf(alpha / 2) * sd;
  return {
    kind: 'posterior',
    mean,
    sd,
    chanceToWin: normal.cdf(mean / sd),
    ciLower: mean - reach,
    ciUpper: mean + reach,
    lossKeepControl: expectedExcess(mean, sd),
    lossShipTreatment: expectedExcess(-mean, sd),
  };
};

const updated = (estimate: number, se: number, prior: NormalPrior | undefined): NormalPrior => {
  if (prior === undefined) return { mean: estimate, variance: se * se };
  if (se === 0) return prior;
  const precision = 1 / (se * se) + 1 / prior.variance;
  return { mean: (estimate / (se * se) + prior.mean / prior.variance) / precision, variance: 1 / precision };
};

/** E[max(X, 0)] for X normal. Far below 0 the two terms of σφ(z) + μΦ(z) cancel to nothing, so it goes through the Mills ratio. */
const expectedExcess = (mean: number, sd: number): number => {
  const z = mean / sd;
  if (z > -5) return sd * normal.pdf(z) + mean * normal.cdf(z);
  return sd * Math.exp(normal.logPdf(z)) * millsShortfall(-z);
};

/** 1 − z·R(z) for large z: the asymptotic series once it converges to double precision, plainly before. */
const millsShortfall = (z: number): number => {
  if (z < 12) return 1 - z * normal.millsRatio(z);
  let [term, sum] = [1, 0];
  for (let k = 1; k <= 20; k++) {
    term *= (2 * k - 1) / (z * z);
    sum += k % 2 === 1 ? term : -term;
  }
  return sum;
};

/** A prior on the relative scale, brought to the absolute one with the unadjusted control mean. */
export const absolutePrior = (relative: NormalPrior, controlMean: number): NormalPrior => ({
  mean: relative.mean * Math.abs(controlMean),
  variance: relative.variance * controlMean ** 2,
});
