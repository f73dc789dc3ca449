/** The sums from which anybody can recompute a result. */

/** Exact sums over the units of one cell; decimal strings of integers, in units of 1/scale (squares: 1/scale²). */
export interface SufficientStatistics {
  readonly metric: string;
  readonly version: number;
  readonly variant: string;
  readonly arm: string;
  readonly segment: number;
  readonly stratum: string;
  readonly scale: string;
  readonly units: number;
  readonly sum: string;
  readonly sumSquares: string;
  /** Ratio only: the denominator and its products with the numerator. */
  readonly denominatorSum?: string;
  readonly denominatorSumSquares?: string;
  readonly crossSum?: string;
  /** Where the metric has one covariate: the same over the units that take part in the adjusted comparison. */
  readonly covariate?: {
    readonly units: number;
    readonly sum: string;
    readonly sumSquares: string;
    readonly covariateSum: string;
    readonly covariateSumSquares: string;
    readonly covariateCrossSum: string;
  };
  /**
   * A ratio with a covariate: over the units of the adjusted comparison, values per unit in this order: numerator, denominator, numerator before, denominator
   * before. Several covariates: the value, then each of them. `products` are Σ x_i·x_j for i ≤ j, row by row.
   */
  readonly joint?: { readonly units: number; readonly sums: readonly string[]; readonly products: readonly string[] };
  /**
   * A metric that is capped at quantiles, in a row of its own (variant and arm `*`, segment 0): the caps of its numerator that its sums were counted with, and the
   * units of all arms whose totals gave them.
   */
  readonly caps?: { readonly lower: string | null; readonly upper: string | null; readonly units: number };
  /**
   * A quantile that is decided on, in a row of its own for each arm (variant `*`, segment 0): order statistics of all its values, which can't be added up from
   * cells.
   */
  readonly quantile?: {
    readonly observations: number;
    readonly value: string;
    readonly lower: string;
    readonly upper: string;
    /** Where it is decided on at every look: the order statistics around it, of which evidence goes by those that say least. */
    readonly ladder?: { readonly ranks: readonly number[]; readonly values: readonly string[] };
    /** Of events, over the units: x = events, y = those at or below the quantile. */
    readonly clusters?: Readonly<Record<'sumX' | 'sumY' | 'sumSquaresX' | 'sumSquaresY' | 'sumProducts', string>>;
  };
}
