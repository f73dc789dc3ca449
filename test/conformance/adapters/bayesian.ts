/** Cases of posteriors and of bandits. */
import {
  allocationWeights,
  bestArmProbability,
  betaInterval,
  betaPosterior,
  compareBetaPosteriors,
  compareMeans,
  normalPosterior,
  srmChiSquare,
  srmChiSquareOverPeriods,
} from '@rampart/statistics';
import type { JsonRecord } from '../reference-cases.js';
import { alphaOf, has, numberAt, numbersAt, recordAt, recordsAt } from './case-input.js';
import { asked, meanOrProportion } from './comparisons.js';

const estimateOf = (input: JsonRecord): { readonly estimate: number; readonly se: number } | string => {
  if (has(input, 'estimate')) return { estimate: numberAt(input, 'estimate'), se: numberAt(input, 'se') };
  const effect = compareMeans({
    control: meanOrProportion(recordAt(input, 'control')),
    treatment: meanOrProportion(recordAt(input, 'treatment')),
    ...asked(input),
    relativeInterval: 'linear',
  });
  return effect.kind === 'refused' ? effect.reason : effect;
};

export const bayesNormal = (input: JsonRecord): JsonRecord => {
  const data = estimateOf(input);
  if (typeof data === 'string') return { error: data };
  const given = has(input, 'prior') ? recordAt(input, 'prior') : undefined;
  const prior = given === undefined ? undefined : { mean: numberAt(given, 'mean'), variance: numberAt(given, 'variance') };
  const posterior = normalPosterior({ estimate: data.estimate, se: data.se, prior, alpha: alphaOf(input) });
  if (posterior.kind === 'no-information') return { error: 'ZERO_NEGATIVE_VARIANCE' };
  const { mean, sd, chanceToWin, ciLower, ciUpper, lossKeepControl, lossShipTreatment } = posterior;
  return { postMean: mean, postSd: sd, chanceToWin, ciLower, ciUpper, lossKeepControl, lossShipTreatment };
};

export const bayesBeta = (input: JsonRecord): JsonRecord => {
  const prior = { a: numberAt(input, 'priorA'), b: numberAt(input, 'priorB') };
  const posteriorOf = (arm: JsonRecord) => betaPosterior(numberAt(arm, 'successes'), numberAt(arm, 'total'), prior);
  if (has(input, 'successes')) {
    const { lower, upper } = betaInterval(posteriorOf(input), numberAt(input, 'level', 0.95));
    return { lower, upper };
  }
  const { chanceToWin, lossKeepControl, lossShipTreatment } = compareBetaPosteriors(
    posteriorOf(recordAt(input, 'control')),
    posteriorOf(recordAt(input, 'treatment')),
  );
  return { chanceToWin, lossKeepControl, lossShipTreatment };
};

export const bandit = (input: JsonRecord): JsonRecord => {
  if (has(input, 'periods')) return ratioOverPeriods(recordsAt(input, 'periods'));
  if (has(input, 'minWeight')) return { weights: allocationWeights(numbersAt(input, 'bestArmProbability'), numberAt(input, 'minWeight')) };
  const sds = numbersAt(input, 'sds');
  const arms = numbersAt(input, 'means').map((mean, i) => ({ mean, sd: sds[i] ?? 0 }));
  return { bestArmProbability: bestArmProbability(arms) };
};

const ratioOverPeriods = (given: readonly JsonRecord[]): JsonRecord => {
  const periods = given.map((period) => ({ observed: numbersAt(period, 'n'), weights: numbersAt(period, 'weights') }));
  const test = srmChiSquareOverPeriods(periods);
  if (test.kind === 'not-testable') return { p: 1 };
  const totals = periods.reduce<readonly number[]>((sum, { observed }) => observed.map((units, arm) => units + (sum[arm] ?? 0)), []);
  const naive = srmChiSquare(totals, periods.at(-1)?.weights ?? []);
  const { expected, chi2, df, p } = test;
  return { expected, chi2, df, p, pWithFinalWeightsOnly: naive.kind === 'tested' ? naive.p : 1 };
};
