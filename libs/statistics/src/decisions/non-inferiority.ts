/** Not worse than control by more than a margin; and equivalence within two margins. */
import { obstacleTo, welchDf } from '../comparison/compare-means.js';
import { type Refused, tailProbability } from '../comparison/compared-effect.js';
import { normal, studentT } from '../distributions.js';
import { type Probability, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';
import type { CoMoments } from '../sums/co-moments.js';
import { type Moments, varianceOfMean } from '../sums/moments.js';

export type PreferredDirection = 'increase' | 'decrease';

/** `relative`: a share of |control mean|, 0.02 = two per cent. `absolute`: in the metric's unit. At least 0; 0 asks for superiority. */
export interface Margin {
  readonly kind: 'relative' | 'absolute';
  readonly value: number;
}

/**
 * L > 0 means "not worse than the margin": L = s·(m_B − m_A) + Δ with s = +1 for an increase wanted, −1 for a decrease.
 * Feed estimate and se to a test, or to a one-sided confidence sequence when looked at continuously.
 */
export interface MarginContrast {
  readonly kind: 'contrast';
  readonly estimate: number;
  readonly se: number;
  readonly df: number;
}

const signOf = (direction: PreferredDirection): 1 | -1 => (direction === 'increase' ? 1 : -1);

const requireMargin = ({ kind, value }: Margin): void => {
  if (!(Number.isFinite(value) && value >= 0)) throw new RangeError(`a ${kind} margin must be at least 0, got ${value}`);
};

interface MarginComparison {
  readonly control: Moments;
  readonly treatment: Moments;
  readonly direction: PreferredDirection;
  readonly margin: Margin;
  /**
   * A relative margin's control mean is an estimate too. `contrast` (default) lets its error count: L = s·m_B − (s − NIM·sign m_A)·m_A.
   * `converted` takes the margin in absolute units as known, as spotify/confidence does.
   */
  readonly relativeMargin?: 'contrast' | 'converted';
}

/** The linear contrast of a margin, relative or absolute, for two arms. */
export const nonInferiorityContrast = (comparison: MarginComparison): MarginContrast | Refused => {
  const { control, treatment, direction, margin, relativeMargin = 'contrast' } = comparison;
  requireMargin(margin);
  const obstacle = obstacleTo(control, treatment);
  if (obstacle !== undefined) return obstacle;
  const sign = signOf(direction);
  const share = margin.kind === 'relative' && relativeMargin === 'contrast' ? margin.value * Math.sign(control.mean) : 0;
  const variance = varianceOfMean(treatment) + (1 - sign * share) ** 2 * varianceOfMean(control);
  return {
    kind: 'contrast',
    estimate: sign * (treatment.mean - control.mean) + absoluteMargin(margin, control.mean),
    se: Math.sqrt(variance),
    df: welchDf(control, treatment),
  };
};

/**
 * The same on CUPED-adjusted means, with a relative margin on the unadjusted control mean: each control unit enters as
 * −s(y − θx) + NIM·sign(m_A)·y, which the variance follows.
 * @param theta  slope over all arms (`cupedTheta`)
 */
export const cupedNonInferiorityContrast = (comparison: {
  readonly control: CoMoments;
  readonly treatment: CoMoments;
  readonly adjustedControl: Moments;
  readonly adjustedTreatment: Moments;
  readonly theta: number;
  readonly direction: PreferredDirection;
  readonly margin: Margin;
}): MarginContrast | Refused => {
  const { control, adjustedControl, adjustedTreatment, theta, direction, margin } = comparison;
  requireMargin(margin);
  const obstacle = obstacleTo(adjustedControl, adjustedTreatment);
  if (obstacle !== undefined) return obstacle;
  const sign = signOf(direction);
  const onY = (margin.kind === 'relative' ? margin.value * Math.sign(control.meanY) : 0) - sign;
  const m2 = onY ** 2 * control.m2Y + theta ** 2 * control.m2X + 2 * onY * sign * theta * control.cXY;
  const ofControl = { n: control.n, mean: 0, m2 };
  return {
    kind: 'contrast',
    estimate: sign * (adjustedTreatment.mean - adjustedControl.mean) + absoluteMargin(margin, control.meanY),
    se: Math.sqrt(varianceOfMean(adjustedTreatment) + varianceOfMean(ofControl)),
    df: welchDf(adjustedControl, adjustedTreatment),
  };
};

const absoluteMargin = (margin: Margin, controlMean: number): number =>
  margin.kind === 'relative' ? margin.value * Math.abs(controlMean) : margin.value;

export interface NonInferiority {
  readonly kind: 'tested';
  readonly isNonInferior: boolean;
  /** The contrast and its lower one-sided (1 − alpha) bound; non-inferior when the bound exceeds 0. */
  readonly estimate: number;
  readonly se: number;
  readonly lower: number;
  readonly statistic: number;
  readonly df: number;
  readonly p: Probability;
  readonly logP: number;
  /** To show beside it, in the metric's unit: the difference, its null value, and its one-sided interval. */
  readonly difference: number;
  readonly nullDifference: number;
  readonly ciLower: number | null;
  readonly ciUpper: number | null;
}

/**
 * One-sided test of H₀: s·(μ_B − μ_A) ≤ −Δ at level alpha.
 * @param distribution  `student-t` with Welch's degrees of freedom (default), or `normal` for parity with z-tests
 * Valid for one look. Golden: noninferiority
 */
export const nonInferiorityTest = (
  comparison: MarginComparison & { readonly alpha: Probability; readonly distribution?: 'student-t' | 'normal' },
): NonInferiority | Refused => {
  const { control, treatment, direction, margin, distribution = 'student-t' } = comparison;
  const alpha = requireLevel('alpha', comparison.alpha);
  const contrast = nonInferiorityContrast(comparison);
  if (contrast.kind === 'refused') return contrast;
  const { estimate, se, df } = contrast;
  const isNormal = distribution === 'normal';
  const critical = isNormal ? normal.isf(alpha) : studentT.isf(alpha, df);
  const statistic = estimate / se;
  const difference = treatment.mean - control.mean;
  const reach = critical * Math.sqrt(varianceOfMean(treatment) + varianceOfMean(control));
  const sign = signOf(direction);
  return {
    kind: 'tested',
    isNonInferior: estimate - critical * se > 0,
    estimate,
    se,
    lower: estimate - critical * se,
    statistic,
    df,
    ...tailProbability(statistic, 'greater', isNormal ? normal.logSf : (t) => studentT.logSf(t, df)),
    difference,
    nullDifference: 0 - sign * absoluteMargin(margin, control.mean),
    ciLower: direction === 'increase' ? difference - reach : null,
    ciUpper: direction === 'decrease' ? difference + reach : null,
  };
};

export interface Equivalence {
  readonly isEquivalent: boolean;
  /** p of "not below the lower margin" and "not above the upper one"; their larger is the test's. */
  readonly pLower: Probability;
  readonly pUpper: Probability;
  readonly p: Probability;
  readonly logP: number;
  /** (1 − 2·alpha) interval: equivalent when it lies inside the margins. */
  readonly ciLower: number;
  readonly ciUpper: number;
}

/**
 * Two one-sided tests (TOST): is the effect inside (lower, upper)? For migrations, where no change is what is hoped for.
 * @param df  of Student's t; the normal distribution without it
 * @throws RangeError unless lower < upper, se > 0 and alpha in (0, ½)
 * Golden: equivalence_tost
 */
export const equivalenceTest = (input: {
  readonly estimate: number;
  readonly se: number;
  readonly df?: number;
  readonly lower: number;
  readonly upper: number;
  readonly alpha: Probability;
}): Equivalence => {
  const { estimate, se, df, lower, upper, alpha } = input;
  if (!(lower < upper)) throw new RangeError(`margins must be in order, got ${lower} and ${upper}`);
  requirePositive('se', se);
  if (!(alpha > 0 && alpha < 0.5)) throw new RangeError(`alpha must be in (0, 0.5), got ${alpha}`);
  const logSf = (statistic: number): number => (df === undefined ? normal.logSf(statistic) : studentT.logSf(statistic, df));
  const aboveLower = logSf((requireFinite('estimate', estimate) - lower) / se);
  const belowUpper = logSf((upper - estimate) / se);
  const logP = Math.max(aboveLower, belowUpper);
  const reach = (df === undefined ? normal.isf(alpha) : studentT.isf(alpha, df)) * se;
  return {
    isEquivalent: lower < estimate - reach && estimate + reach < upper,
    pLower: Math.exp(aboveLower),
    pUpper: Math.exp(belowUpper),
    p: Math.exp(logP),
    logP,
    ciLower: estimate - reach,
    ciUpper: estimate + reach,
  };
};
