/** Which order statistics say where a quantile is, and how sure that is. */
import type { ArmQuantile } from '../feedback-store.js';

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

/** In standard errors of the rank: even steps as far as both arms together speak, then each a little further than the one before, where one speaks alone. */
const STEPS_OF_ONE = 10;
const EVEN_UNTIL = 5;
const GROWTH = 1.06;
/** Beyond what any level asks for, early looks included. */
const FARTHEST = 16;

const OFFSETS: readonly number[] = (() => {
  const offsets = Array.from({ length: EVEN_UNTIL * STEPS_OF_ONE }, (_, step) => (step + 1) / STEPS_OF_ONE);
  for (let offset = EVEN_UNTIL * GROWTH; offset <= FARTHEST; offset *= GROWTH) offsets.push(offset);
  return offsets;
})();

/**
 * Ranks of the order statistics that evidence at every look is made of: around the quantile, rising, within the sample; a function of what is named alone.
 * @param designEffect  of events, `designEffectOf`; 1 of units
 */
export const ladderRanks = (observations: number, level: number, designEffect: number): readonly number[] => {
  const unit = Math.sqrt(level * (1 - level) * observations * designEffect);
  const centre = level * observations;
  const ranks = OFFSETS.flatMap((offset) => [centre - offset * unit, centre + offset * unit]);
  const whole = [centre, ...ranks].map((rank) => Math.floor(rank + 0.5)).filter((rank) => rank >= 1 && rank <= observations);
  return [...new Set(whole)].sort((a, b) => a - b);
};

/**
 * How many times more the share of events up to the quantile varies when whole units are drawn than it would with single events: Σ(y − px)²/(N·p(1 − p)), p the
 * share itself; at least 1. Where all events lie up to it: Σx²/N, as if those of a unit were one and the same.
 */
export const designEffectOf = ({ sumX, sumY, sumSquaresX, sumSquaresY, sumProducts }: NonNullable<ArmQuantile['clusters']>): number => {
  if (sumX === 0n) return 1;
  const above = sumX - sumY;
  if (above === 0n) return Math.max(1, Number(sumSquaresX) / Number(sumX));
  const squares = sumSquaresY * sumX * sumX - 2n * sumX * sumY * sumProducts + sumY * sumY * sumSquaresX;
  return Math.max(1, Number(squares) / Number(sumX * sumY * above));
};
