/** What one stratum says by itself: control's mean and the effect, with their covariance; with a covariate by regression. */
import { type CoMoments, mergeCoMoments, momentsOfX, momentsOfY } from '../sums/co-moments.js';
import type { Matrix } from '../sums/cross-moments.js';
import { type Moments, varianceOfMean } from '../sums/moments.js';
import { obstacleTo } from './compare-means.js';
import { cupedAdjusted } from './cuped.js';

export interface Stratum<T> {
  /** Tells strata apart, and decides between equally large ones: no figure depends on the order in which they are given. */
  readonly name: string;
  readonly control: T;
  readonly treatment: T;
}

/** Variance of what the covariate leaves: each arm's own, or one for both. */
export type ResidualVariance = 'by-arm' | 'pooled';

/** A stratum's estimates (control mean and effect, or both for numerator and denominator) and n times their covariance. */
export interface StratumEstimates {
  readonly n: number;
  readonly values: readonly number[];
  readonly scaledCovariance: Matrix;
  /** Parts that add up to the covariance, each from a variance estimated by itself: where Satterthwaite's degrees of freedom are due. */
  readonly parts?: readonly CovariancePart[];
}

interface CovariancePart {
  readonly scaledCovariance: Matrix;
  readonly df: number;
}

export const meansOfStratum = ({ control, treatment }: Omit<Stratum<Moments>, 'name'>): StratumEstimates => {
  const n = control.n + treatment.n;
  const [ofControl, ofTreatment] = [n * varianceOfMean(control), n * varianceOfMean(treatment)];
  return {
    n,
    values: [control.mean, treatment.mean - control.mean],
    scaledCovariance: [
      [ofControl, -ofControl],
      [-ofControl, ofControl + ofTreatment],
    ],
  };
};

/** Least squares of y on (1, treated, x), read at the stratum's mean covariate. */
const regressionOf = ({ control, treatment }: Stratum<CoMoments>) => {
  const within = control.m2X + treatment.m2X;
  const slope = within > 0 ? (control.cXY + treatment.cXY) / within : 0;
  const pool = momentsOfX(mergeCoMoments(control, treatment));
  const [offCentre, apart] = [control.meanX - pool.mean, treatment.meanX - control.meanX];
  const values = [control.meanY - slope * offCentre, treatment.meanY - control.meanY - slope * apart];
  return { n: pool.n, within, slope, pool, offCentre, apart, values };
};

/** One residual variance for both arms: right only where both have it. The mean covariate's own error is part of the control mean's. */
export const pooledRegression = (stratum: Stratum<CoMoments>): StratumEstimates => {
  const { control, treatment } = stratum;
  if (control.m2X <= 0 || treatment.m2X <= 0) {
    return meansOfStratum({ control: momentsOfY(control), treatment: momentsOfY(treatment) });
  }
  const { n, within, slope, pool, offCentre, apart, values } = regressionOf(stratum);
  const residual = (control.m2Y + treatment.m2Y - slope * (control.cXY + treatment.cXY)) / (n - 3);
  const varianceOfCentre = varianceOfMean(pool);
  const ofControl =
    residual * (1 / control.n + offCentre ** 2 / within) + (residual / within) * varianceOfCentre + slope ** 2 * varianceOfCentre;
  const together = residual * ((offCentre * apart) / within - 1 / control.n);
  const ofEffect = residual * (1 / control.n + 1 / treatment.n + apart ** 2 / within);
  return {
    n,
    values,
    scaledCovariance: [
      [n * ofControl, n * together],
      [n * together, n * ofEffect],
    ],
  };
};

/**
 * The same estimates, with each arm's own residual variance (MacKinnon & White 1985 with groups as wide as the arms).
 *
 * With residuals e = y − bx and h = the arm's share of Σ(x − mean)², from which the one slope b comes, Σe² around the arm's mean has
 * n − 1 − h degrees of freedom (exactly so where variances are equal; both arms' add up to n − 3), which gives σ². Control's mean is
 * ē₀ + b·x̄ and the effect ē₁ − ē₀, so their covariance is that of the arms' means of (e, x), which are independent of each other,
 * and what the slope's own error, Σ h σ²/Σ(x − mean)² over the arms, adds for arms whose covariates differ by chance. Arms' slopes may
 * differ: what one slope leaves of x in e is in σ² and in the covariance of e and x.
 */
export const regressionByArm = (stratum: Stratum<CoMoments>): StratumEstimates => {
  const regression = regressionOf(stratum);
  const parts = [partOf(stratum.control, true, regression), partOf(stratum.treatment, false, regression)];
  const sum = (i: number, j: number): number => parts.reduce((total, part) => total + (part.scaledCovariance[i]?.[j] ?? 0), 0);
  const scaledCovariance = [
    [sum(0, 0), sum(0, 1)],
    [sum(1, 0), sum(1, 1)],
  ];
  return { n: regression.n, values: regression.values, scaledCovariance, parts };
};

const partOf = (arm: CoMoments, isControl: boolean, regression: ReturnType<typeof regressionOf>): CovariancePart => {
  const { n, within, slope, pool, offCentre, apart } = regression;
  const share = within > 0 ? arm.m2X / within : 0;
  const df = arm.n - 1 - share;
  const ofResidual = cupedAdjusted(arm, slope, pool.mean).m2 / df;
  const [ofCovariate, together] = [arm.m2X / (arm.n - 1), (arm.cXY - slope * arm.m2X) / (arm.n - 1)];
  // How the arm's mean residual and mean covariate enter control's mean and the effect.
  const [onControl, onEffect] = [isControl ? 1 : 0, isControl ? -1 : 1];
  const onCentre = (slope * arm.n) / n;
  const ofSlope = within > 0 ? (share * ofResidual) / within : 0;
  const ofControlMean =
    (onControl * ofResidual + 2 * onControl * onCentre * together + onCentre ** 2 * ofCovariate) / arm.n + offCentre ** 2 * ofSlope;
  const both = (onEffect * (onControl * ofResidual + onCentre * together)) / arm.n + offCentre * apart * ofSlope;
  const ofEffect = ofResidual / arm.n + apart ** 2 * ofSlope;
  return {
    scaledCovariance: [
      [n * ofControlMean, n * both],
      [n * both, n * ofEffect],
    ],
    df,
  };
};

/** Three units an arm leave a degree of freedom each; an arm whose outcome is the covariate would be a certainty that nobody has. */
export const hasResidualsByArm = (stratum: Stratum<CoMoments>): boolean => {
  const { control, treatment } = stratum;
  const { slope, pool } = regressionOf(stratum);
  const [a, b] = [cupedAdjusted(control, slope, pool.mean), cupedAdjusted(treatment, slope, pool.mean)];
  return Math.min(control.n, treatment.n) >= 3 && obstacleTo(a, b) === undefined;
};
