/** Derivatives of ln Γ: moments of the logarithm of a gamma or beta variate. */
import { requirePositive } from './requirements.js';

/** From here on the asymptotic series is exact to double precision. */
const SERIES_FROM = 12;

/** ψ(x) = d ln Γ/dx for x > 0, relative error near 1e-15 (absolute, near its zero 1.4616). Abramowitz & Stegun 6.3.5, 6.3.18. */
export const digamma = (x: number): number => {
  let [at, shift] = [requirePositive('x', x), 0];
  for (; at < SERIES_FROM; at += 1) shift += 1 / at;
  const r = 1 / (at * at);
  const tail = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - (r * 691) / 32_760)))));
  return Math.log(at) - 0.5 / at - tail - shift;
};

/** ψ′(x) for x > 0. Abramowitz & Stegun 6.4.6, 6.4.12. */
export const trigamma = (x: number): number => {
  let [at, shift] = [requirePositive('x', x), 0];
  for (; at < SERIES_FROM; at += 1) shift += 1 / (at * at);
  const r = 1 / (at * at);
  const tail = r * (1 / 6 - r * (1 / 30 - r * (1 / 42 - r * (1 / 30 - r * (5 / 66 - (r * 691) / 2_730)))));
  return 1 / at + 0.5 * r + tail / at + shift;
};
