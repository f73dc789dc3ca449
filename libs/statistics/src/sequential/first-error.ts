/** Errors and crashes: an exact e-process on units with at least one, valid at every look from the first unit on. */
import { type Probability, requireLevel } from '../kernel/requirements.js';
import { type AllocationPeriod, FIRST_ERROR_CONCENTRATIONS, srmSequential } from '../quality/srm.js';
import type { SequentialTest } from './e-values.js';

export interface FirstErrorHarm extends SequentialTest {
  /** Share of the erring units that are in the treatment; `null` before the first. */
  readonly treatmentShare: number | null;
  /** The share that allocation alone would give. */
  readonly expectedShare: number | null;
  /** E ≥ 1/alpha, and the treatment is on the bad side at this look. */
  readonly isHarm: boolean;
}

/**
 * Under no effect a first error falls on an arm with that arm's allocation share, whatever the common error rate does over time
 * (Lindon & Malek 2022). Counts units, each once: raw event counts cluster in units and alarm falsely (98 % at ten errors per unit).
 * @param periods  [control, treatment] units with an error, and the allocation, per stretch of constant weights
 * @param worse    which side is harm: more such units than allocated (default), or fewer
 * At α = .0045 it takes 14 crashes against 0.
 */
export const firstErrorHarm = (input: {
  readonly periods: readonly AllocationPeriod[];
  readonly alpha: Probability;
  readonly worse?: 'more' | 'fewer';
}): FirstErrorHarm => {
  const { periods, worse = 'more' } = input;
  const alpha = requireLevel('alpha', input.alpha);
  let [units, inTreatment, expectedInTreatment] = [0, 0, 0];
  for (const { observed, weights } of periods) {
    if (observed.length !== 2) throw new RangeError(`control and treatment are needed, got ${observed.length} arms`);
    const [control = 0, treatment = 0] = observed;
    const [ofControl = 0, ofTreatment = 0] = weights;
    if (!(ofControl > 0 && ofTreatment > 0)) continue;
    units += control + treatment;
    inTreatment += treatment;
    expectedInTreatment += ((control + treatment) * ofTreatment) / (ofControl + ofTreatment);
  }
  const usable = periods.filter(({ weights }) => weights.every((weight) => weight > 0));
  const test = srmSequential(usable, FIRST_ERROR_CONCENTRATIONS);
  const isOnBadSide = worse === 'more' ? inTreatment > expectedInTreatment : inTreatment < expectedInTreatment;
  return {
    ...test,
    treatmentShare: units > 0 ? inTreatment / units : null,
    expectedShare: units > 0 ? expectedInTreatment / units : null,
    isHarm: isOnBadSide && test.logE >= -Math.log(alpha),
  };
};
