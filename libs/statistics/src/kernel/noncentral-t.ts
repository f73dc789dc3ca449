/** The noncentral t distribution by one integral over the scale, whatever the noncentrality (jStat loses it from 30 on). */
import { logGammaDensityTimesX } from './gamma.js';
import { normalSf } from './normal.js';
import { integrate } from './quadrature.js';

const WIDTHS = 12;
const PANELS = 24;

/** P(T ≤ x) with df degrees of freedom and noncentrality ncp: the mean of Φ(x·s − ncp) over s² = χ²/df. */
export const noncentralTCdf = (x: number, df: number, ncp: number): number => {
  const shape = df / 2;
  const spread = WIDTHS / Math.sqrt(2 * df);
  // Over ln s: the density of ln(s²) is that of the gamma times its argument, and s stays above 0.
  const integrand = (logS: number): number => {
    const logDensity = Math.LN2 + logGammaDensityTimesX(shape, shape * Math.exp(2 * logS));
    return Math.exp(logDensity) * normalSf(ncp - x * Math.exp(logS));
  };
  // Towards 0 the density of ln s falls only like s^df.
  const low = -spread - 40 / df;
  return Math.min(1, integrate(integrand, low, spread, PANELS));
};
