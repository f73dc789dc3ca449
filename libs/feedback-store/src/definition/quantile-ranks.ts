/** Which order statistics say where a quantile is, and how sure that is. */

/** Of the two-sided 95 % band, whatever the level of a comparison. */
const BAND = 1.959963984540054;

/** A product such as 0.7 × 10 may come out a little above the whole number that it is. */
const ROUNDING = 1e-9;

export interface QuantileRanks {
  readonly quantile: number;
  readonly lower: number;
  readonly upper: number;
}

/** From 1, within the sample, rounded outward: N(ν ∓ z√(ν(1 − ν)/N)). @param observations  at least 1 */
export const quantileRanks = (observations: number, level: number): QuantileRanks => {
  const within = (rank: number) => Math.min(observations, Math.max(1, rank));
  const reach = BAND * Math.sqrt(level * (1 - level) * observations);
  return {
    quantile: within(Math.ceil(level * observations - ROUNDING)),
    lower: within(Math.floor(level * observations - reach)),
    upper: within(Math.ceil(level * observations + reach)),
  };
};
