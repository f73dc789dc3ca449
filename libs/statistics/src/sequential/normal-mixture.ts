/** The normal-mixture supermartingale of Howard, Ramdas, McAuliffe & Sekhon 2021, in their terms: sum s at intrinsic time v. */
import { normal } from '../distributions.js';
import { type Probability, requirePositive } from '../kernel/requirements.js';

export type Sides = 'one-sided' | 'two-sided';

/** A one-sided boundary uses up to 2·alpha of a two-sided one, so alpha must stay below its half. */
const requireSidedLevel = (alpha: Probability, sides: Sides): number => {
  const limit = sides === 'one-sided' ? 0.5 : 1;
  if (!(alpha > 0 && alpha < limit)) throw new RangeError(`alpha must be in (0, ${limit}) for a ${sides} boundary, got ${alpha}`);
  return sides === 'one-sided' ? 2 * alpha : alpha;
};

export interface NormalMixture {
  /** Precision of the mixing distribution, in intrinsic time. */
  readonly rho: number;
  readonly sides: Sides;
}

/** The mixture whose boundary at level alphaOpt is tightest at intrinsic time vOpt (proposition 3). Golden: nm2-rho */
export const normalMixture = (input: { readonly vOpt: number; readonly alphaOpt: Probability; readonly sides: Sides }): NormalMixture => {
  const { vOpt, alphaOpt, sides } = input;
  const logThreshold = -2 * Math.log(requireSidedLevel(alphaOpt, sides));
  return { rho: requirePositive('vOpt', vOpt) / (logThreshold + Math.log1p(logThreshold)), sides };
};

/** ln of the supermartingale at sum s: two-sided eq. 14, one-sided with the half-normal prior. Golden: nm1-logmix */
export const logNormalMixture = ({ rho, sides }: NormalMixture, s: number, v: number): number => {
  const total = requirePositive('v', v) + requirePositive('rho', rho);
  const twoSided = 0.5 * Math.log(rho / total) + s * (s / (2 * total));
  return sides === 'two-sided' ? twoSided : twoSided + Math.LN2 + normal.logCdf(s / Math.sqrt(total));
};

/** The sum that is crossed with probability at most alpha, ever. The one-sided form is the closed, slightly conservative one. Golden: nm2-bound */
export const normalMixtureBound = ({ rho, sides }: NormalMixture, v: number, alpha: Probability): number => {
  const level = requireSidedLevel(alpha, sides);
  const growth = 1 + requirePositive('v', v) / requirePositive('rho', rho);
  const log = sides === 'two-sided' ? 0.5 * Math.log(growth) - Math.log(level) : Math.log1p(Math.sqrt(growth) / level);
  return Math.sqrt(2 * (v + rho) * log);
};
