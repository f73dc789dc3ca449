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
  const found = combinedStrata(sample.kind, strata, (values) => {
    const parts = sample.kind === 'ratios' ? ratiosOf(values) : meansOf(values);
    if (parts === undefined) return 'ZERO_DENOMINATOR';
    const { base, treated, ofBase, ofTreated } = parts;
    const share = margin.kind === 'relative' ? margin.value * Math.sign(base) : 0;
    const onBase = share - sign;
    return {
      estimate: sign * (treated - base) + (margin.kind === 'relative' ? margin.value * Math.abs(base) : margin.value),
      gradient: ofBase.map((slope, i) => onBase * slope + sign * (ofTreated[i] ?? 0)),
    };
  });
  return found.kind === 'refused' ? found : { ...found, kind: 'contrast' };
};

/** Control's and the treatment's value, with their slopes in what the strata estimate. */
interface Parts {
  readonly base: number;
  readonly treated: number;
  readonly ofBase: readonly number[];
  readonly ofTreated: readonly number[];
}

const meansOf = ([base = 0, effect = 0]: readonly number[]): Parts => ({
  base,
  treated: base + effect,
  ofBase: [1, 0],
  ofTreated: [1, 1],
});

const ratiosOf = ([numerator = 0, onNumerator = 0, denominator = 0, onDenominator = 0]: readonly number[]): Parts | undefined => {
  const [above, below] = [numerator + onNumerator, denominator + onDenominator];
  if (denominator === 0 || below === 0) return undefined;
  const [base, treated] = [numerator / denominator, above / below];
  const [perBase, perTreated] = [1 / denominator, 1 / below];
  return {
    base,
    treated,
    ofBase: [perBase, 0, -base * perBase, 0],
    ofTreated: [perTreated, perTreated, -treated * perTreated, -treated * perTreated],
  };
};
