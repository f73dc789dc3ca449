/** Not worse than control by more than a margin, over strata that were fixed before exposure. */
import { type Refused, refused } from '../comparison/compared-effect.js';
import { combinedStrata, type StratifiedSample, stratumEstimates } from '../comparison/post-stratification.js';
import type { Margin, MarginContrast, PreferredDirection } from './non-inferiority.js';

/**
 * The contrast of `nonInferiorityContrast` on post-stratified estimates: L = s·(b − a) + Δ, with a relative margin on |a| whose error counts.
 * @returns `refused` INSUFFICIENT_UNITS when fewer than two strata are left: then the plain contrast is to be taken
 */
export const postStratifiedContrast = (
  sample: StratifiedSample,
  { direction, margin }: { readonly direction: PreferredDirection; readonly margin: Margin },
): MarginContrast | Refused => {
  const strata = stratumEstimates(sample);
  if (strata.length === 0) return refused('INSUFFICIENT_UNITS');
  const sign = direction === 'increase' ? 1 : -1;
  const found = combinedStrata(sample.kind, strata, ({ base, difference, ofBase, ofDifference }) => {
    const onBase = margin.kind === 'relative' ? margin.value * Math.sign(base) : 0;
    return {
      estimate: sign * difference + (margin.kind === 'relative' ? margin.value * Math.abs(base) : margin.value),
      gradient: ofDifference.map((slope, i) => sign * slope + onBase * (ofBase[i] ?? 0)),
    };
  });
  if (found.kind === 'refused') return found;
  const { estimate, se, df } = found;
  return { kind: 'contrast', estimate, se, df };
};
