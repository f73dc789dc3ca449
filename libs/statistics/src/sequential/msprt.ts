/** Mixture sequential probability ratio test (Johari, Koomen, Pekelis & Walsh 2022): for platforms that know the spread of past effects. */
import { type Probability, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';
import { fromLogE } from './e-values.js';

export interface MixtureSprt {
  /** ln Λ; ≥ ln(1/α) rejects at any look. */
  readonly logLambda: number;
  /** min(1, 1/Λ) of this look. */
  readonly p: Probability;
  readonly logP: number;
}

interface MixtureInput {
  readonly estimate: number;
  readonly varianceOfEstimate: number;
  /** τ²: variance of true effects, in the effect's unit squared; fixed before the first look (τ that shrinks with n is no test at all). */
  readonly tau2: number;
  readonly theta0?: number;
}

/** One look. The same boundary as the asymptotic confidence sequence with nρ² = τ²/V. Golden: seq_msprt */
export const mixtureSprt = ({ estimate, varianceOfEstimate, tau2, theta0 = 0 }: MixtureInput): MixtureSprt => {
  const variance = requirePositive('varianceOfEstimate', varianceOfEstimate);
  const total = variance + requirePositive('tau2', tau2);
  const shift = requireFinite('estimate', estimate) - theta0;
  const logLambda = 0.5 * Math.log(variance / total) + (tau2 * shift * shift) / (2 * variance * total);
  const { p, logP } = fromLogE(logLambda);
  return { logLambda, p, logP };
};

/** |z| at which this look rejects. */
export const mixtureSprtCriticalZ = (varianceOfEstimate: number, tau2: number, alpha: Probability): number => {
  const growth = 1 + requirePositive('varianceOfEstimate', varianceOfEstimate) / requirePositive('tau2', tau2);
  const log = -2 * Math.log(requireLevel('alpha', alpha)) + Math.log1p(tau2 / varianceOfEstimate);
  return Math.sqrt(growth * log);
};
