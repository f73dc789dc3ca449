/** Cases of sample ratios, event volume and differences between levels. */
import {
  binomialTest,
  cusum,
  effectTrend,
  heterogeneity,
  logDirichletMultinomialE,
  srmChiSquare,
  srmNormal,
  srmSequential,
} from '@rampart/statistics';
import type { JsonRecord } from '../reference-cases.js';
import { has, numberAt, numbersAt } from './case-input.js';

export const srmChi2 = (input: JsonRecord): JsonRecord => {
  const [observed, weights] = [numbersAt(input, 'observed'), numbersAt(input, 'weights')];
  const [first = 0, second = 0] = observed;
  const [ofFirst = 0, ofSecond = 0] = weights;
  if (input.method === 'exact binomial') return { p: binomialTest(first, first + second, ofFirst / (ofFirst + ofSecond)).p };
  if (input.method === 'normal') return { ...srmNormal([first, second], [ofFirst, ofSecond]) };
  const test = srmChiSquare(observed, weights);
  // The cases write "not testable" as p = 1.
  return test.kind === 'tested' ? { chi2: test.chi2, df: test.df, p: test.p, logP: test.logP } : { p: 1 };
};

export const srmOverTime = (input: JsonRecord): JsonRecord => {
  const period = { observed: numbersAt(input, 'counts'), weights: numbersAt(input, 'theta') };
  const { logE, p } = srmSequential([period], has(input, 'concentration') ? [numberAt(input, 'concentration')] : undefined);
  return { logE, pInstant: p, negLog10P: Math.max(0, logE) / Math.LN10 };
};

export const anomaly = (input: JsonRecord): JsonRecord => {
  if (has(input, 'counts')) {
    return { logE: logDirichletMultinomialE(numbersAt(input, 'counts'), numbersAt(input, 'theta'), numberAt(input, 'concentration')) };
  }
  const chart = cusum(numbersAt(input, 'values'), {
    mu: numberAt(input, 'mu'),
    sigma: numberAt(input, 'sigma'),
    k: numberAt(input, 'k', 0.5),
    h: numberAt(input, 'h', 5),
  });
  return { cusumUpper: chart.upper, cusumLower: chart.lower, alarm: chart.alarm };
};

export const heterogeneityOfEffects = (input: JsonRecord): JsonRecord => {
  const ses = numbersAt(input, 'ses');
  const effects = numbersAt(input, 'effects').map((effect, i) => ({ effect, se: ses[i] ?? 0 }));
  if (has(input, 'days')) {
    const days = numbersAt(input, 'days');
    return { ...effectTrend(effects.map((effect, i) => ({ ...effect, day: days[i] ?? 0 }))) };
  }
  const { q, df, p, iSquared, tau2, shrunk } = heterogeneity(effects);
  return { q, df, p, iSquared, tau2, shrunk };
};
