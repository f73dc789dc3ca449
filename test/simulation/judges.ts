/** The platform's tests as questions for one look: has it alarmed? Beside them what people do instead. */
import {
  type Alternative,
  asymptoticConfidenceSequence,
  burnIn,
  DEFAULT_TIGHTEST_AT_UNITS,
  type Moments,
  normal,
  obstacleTo,
  type Probability,
  unequalArmsWidening,
  varianceOfMean,
} from '@rampart/statistics';

export interface Contrast {
  readonly estimate: number;
  readonly se: number;
  /** Units of both arms. */
  readonly n: number;
}

/** Treatment − control, each arm with its own variance; nothing while an arm has none. */
export const ownVariances = (control: Moments, treatment: Moments): Contrast | undefined =>
  obstacleTo(control, treatment) !== undefined
    ? undefined
    : {
        estimate: treatment.mean - control.mean,
        se: Math.sqrt(varianceOfMean(control) + varianceOfMean(treatment)),
        n: control.n + treatment.n,
      };

/** As the platform watches it: widened where a small arm looks narrower than the large one. */
export const contrastOf = (control: Moments, treatment: Moments): Contrast | undefined => {
  const contrast = ownVariances(control, treatment);
  return contrast === undefined ? undefined : { ...contrast, se: contrast.se * unequalArmsWidening(control, treatment) };
};

export const isBurntIn = (control: Moments, treatment: Moments, successes?: { readonly control: number; readonly treatment: number }) =>
  burnIn([
    { n: control.n, ...(successes === undefined ? {} : { successes: successes.control }) },
    { n: treatment.n, ...(successes === undefined ? {} : { successes: successes.treatment }) },
  ]).kind === 'over';

export interface Sequence {
  readonly alpha: Probability;
  readonly alternative?: Alternative;
  readonly tightestAtUnits?: number;
}

/** p ≤ α of the confidence sequence: the rule of every continuously watched metric but first errors. */
export const sequenceAlarms = (contrast: Contrast | undefined, sequence: Sequence): boolean => {
  if (contrast === undefined || !(contrast.se > 0)) return false;
  const { tightestAtUnits = DEFAULT_TIGHTEST_AT_UNITS, alternative = 'two-sided', alpha } = sequence;
  return asymptoticConfidenceSequence({ ...contrast, alpha, alternative, tightestAtUnits }).p <= alpha;
};

/** What a fixed-horizon test does when it is asked at every look. */
export const naiveAlarms = (contrast: Contrast | undefined, alpha: Probability, alternative: Alternative = 'two-sided'): boolean => {
  if (contrast === undefined || !(contrast.se > 0)) return false;
  const z = contrast.estimate / contrast.se;
  const critical = normal.isf(alternative === 'two-sided' ? alpha / 2 : alpha);
  return (alternative === 'two-sided' ? Math.abs(z) : alternative === 'greater' ? z : -z) >= critical;
};
