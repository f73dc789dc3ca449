/** When will enough units be in? */
import { normal } from '../distributions.js';
import { type Probability, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';

export interface RuntimeQuestion {
  /** Closed units of the pair so far. */
  readonly pairUnitsNow: number;
  /** Further units wanted, as a multiple of those there are. */
  readonly scalingFactor: number;
  /** Newly closed pair units of the last complete days; seven cover a week's rhythm. */
  readonly dailyPairUnits: readonly number[];
  /** A unit that enters today counts when its window closes. */
  readonly windowDays?: number;
}

export type RuntimeForecast =
  | {
      readonly kind: 'forecast';
      readonly additionalPairUnits: number;
      readonly dailyRate: number;
      readonly days: number;
      /** Fewer than seven days were observed, so a weekend may be missing. */
      readonly isBasedOnPartOfAWeek: boolean;
    }
  | { readonly kind: 'unknown'; readonly additionalPairUnits: number; readonly reason: 'NO_INFLOW' };

/** Beyond this a forecast says "half a year or more". */
export const LONGEST_FORECAST_DAYS = 180;

/** Seven days' worth over a seventh of it must stay seven days. */
const ROUNDING = 1e-9;

/** Golden: runtime-forecast */
export const forecastRuntime = ({ pairUnitsNow, scalingFactor, dailyPairUnits, windowDays = 0 }: RuntimeQuestion): RuntimeForecast => {
  const additionalPairUnits = Math.max(0, requireFinite('scalingFactor', scalingFactor) * requireFinite('pairUnitsNow', pairUnitsNow));
  const recent = dailyPairUnits.slice(-7);
  const dailyRate = recent.length === 0 ? 0 : recent.reduce((sum, units) => sum + requireFinite('units', units), 0) / recent.length;
  if (dailyRate <= 0) return { kind: 'unknown', additionalPairUnits, reason: 'NO_INFLOW' };
  const days = Math.min(LONGEST_FORECAST_DAYS, Math.ceil(additionalPairUnits / dailyRate - ROUNDING) + windowDays);
  return { kind: 'forecast', additionalPairUnits, dailyRate, days, isBasedOnPartOfAWeek: recent.length < 7 };
};

/**
 * Further units, as a multiple of those there are, until an effect is found with the given power at a fixed horizon:
 * 1 + x = (se·(z_{1−α/2} + z_{power})/effect)². 0 when it would be found already.
 */
export const scalingFactorFor = (input: {
  readonly effect: number;
  readonly se: number;
  readonly alpha: Probability;
  readonly power: Probability;
}): number => {
  const { effect, se, alpha, power } = input;
  if (effect === 0) throw new RangeError('an effect of 0 is never found');
  const needed = normal.isf(requireLevel('alpha', alpha) / 2) + normal.quantile(requireLevel('power', power));
  return Math.max(0, ((requirePositive('se', se) * needed) / requireFinite('effect', effect)) ** 2 - 1);
};
