/** Which adapter answers which method of the reference cases. */
import { bandit, bayesBeta, bayesNormal } from './adapters/bayesian.js';
import { cuped, cupedRatio, meanDifference, postStratification, quantileFixed, ratio } from './adapters/comparisons.js';
import { decisionCorrections, decisionRuleOutcome, equivalence, multiplicity, nonInferiority } from './adapters/decisions.js';
import { numericsBeta, numericsChiSquare, numericsNormal, numericsT, streamingSums, winsorization } from './adapters/numerics.js';
import { power } from './adapters/planning.js';
import { anomaly, heterogeneityOfEffects, srmChi2, srmOverTime } from './adapters/quality.js';
import {
  asymptotic,
  bernoulli,
  betaBinomial,
  groupSequential,
  mixtureRatio,
  normalMixtures,
  quantileOverTime,
} from './adapters/sequential.js';
import type { Adapters } from './run-cases.js';

export const statisticsAdapters: Adapters = {
  anomaly,
  bandit,
  bayes_beta: bayesBeta,
  bayes_normal: bayesNormal,
  cuped,
  cuped_ratio: cupedRatio,
  decision_corrections: decisionCorrections,
  decision_rule: decisionRuleOutcome,
  equivalence_tost: equivalence,
  heterogeneity: heterogeneityOfEffects,
  mean_diff: meanDifference,
  multiplicity,
  noninferiority: nonInferiority,
  numerics_beta: numericsBeta,
  numerics_chi2: numericsChiSquare,
  numerics_normal: numericsNormal,
  numerics_t: numericsT,
  post_stratification: postStratification,
  power,
  quantile_fixed: quantileFixed,
  quantile_sequential: quantileOverTime,
  ratio,
  seq_asympcs: asymptotic,
  seq_bernoulli_cs: bernoulli,
  seq_beta_binomial: betaBinomial,
  seq_group_alpha_spending: groupSequential,
  seq_msprt: mixtureRatio,
  seq_normal_mixture: normalMixtures,
  srm_chi2: srmChi2,
  srm_sequential: srmOverTime,
  streaming_sums: streamingSums,
  winsorization,
};
