/** Cases that are looked at more than once. */
import {
  asymptoticConfidenceSequence,
  bernoulliConfidenceSequence,
  betaBinomialMixture,
  groupSequentialBounds,
  groupSequentialInflation,
  logBetaBinomialMixture,
  logNormalMixture,
  mixtureSprt,
  mixtureSprtCriticalZ,
  normalMixture,
  normalMixtureBound,
  polyStitchingBound,
  proportionMoments,
  quantileAbTest,
  runningMinimumP,
  type Spending,
  sequenceRho,
  varianceOfMean,
} from '@rampart/statistics';
import type { JsonRecord } from '../reference-cases.js';
import { alphaOf, alternativeOf, has, numberAt, numbersAt, recordsAt, textAt, valuesAt } from './case-input.js';

export const asymptotic = (input: JsonRecord): JsonRecord => {
  const [alpha, tightestAtUnits, alternative] = [alphaOf(input), numberAt(input, 'nTune'), alternativeOf(input)];
  const { multiplier, halfWidth, ciLower, ciUpper, logE, p, logP } = asymptoticConfidenceSequence({
    estimate: numberAt(input, 'estimate', 0),
    se: numberAt(input, 'se'),
    n: numberAt(input, 'n'),
    tightestAtUnits,
    alpha,
    alternative,
    nullDifference: numberAt(input, 'nullDifference', 0),
  });
  const rho = sequenceRho({ alpha, tightestAtUnits, alternative });
  return { rho, rhoGrowthBook: rho, rhoHoward: 1 / rho ** 2, multiplier, halfwidth: halfWidth, ciLower, ciUpper, logE, p, logP };
};

export const normalMixtures = (input: JsonRecord): JsonRecord => {
  const sides = input.twoSided === false ? 'one-sided' : 'two-sided';
  const mixture = normalMixture({ vOpt: numberAt(input, 'vOpt'), alphaOpt: numberAt(input, 'alphaOpt'), sides });
  return {
    rho: mixture.rho,
    ...(has(input, 'alpha') ? { bound: normalMixtureBound(mixture, numberAt(input, 'v'), numberAt(input, 'alpha')) } : {}),
    ...(has(input, 's') ? { logMixture: logNormalMixture(mixture, numberAt(input, 's'), numberAt(input, 'v')) } : {}),
  };
};

export const betaBinomial = (input: JsonRecord): JsonRecord => {
  const mixture = betaBinomialMixture({
    g: numberAt(input, 'g'),
    h: numberAt(input, 'h'),
    vOpt: numberAt(input, 'vOpt'),
    alphaOpt: numberAt(input, 'alphaOpt'),
    sides: input.oneSided === true ? 'one-sided' : 'two-sided',
  });
  return { logMixture: logBetaBinomialMixture(mixture, numberAt(input, 's'), numberAt(input, 'v')) };
};

export const bernoulli = (input: JsonRecord): JsonRecord => {
  const alpha = alphaOf(input);
  if (has(input, 'vMin')) {
    const [v, vMin, c] = [numberAt(input, 'v'), numberAt(input, 'vMin'), numberAt(input, 'c', 0)];
    return { bound: polyStitchingBound({ v, vMin, c, alpha, s: numberAt(input, 's', 1.4), eta: numberAt(input, 'eta', 2) }) };
  }
  const { lower, upper } = bernoulliConfidenceSequence({
    successes: numberAt(input, 'successes'),
    trials: numberAt(input, 'trials'),
    alpha,
    tightestAtTrials: numberAt(input, 'tOpt'),
    alphaOpt: numberAt(input, 'alphaOpt', alpha),
  });
  return { lower, upper };
};

export const mixtureRatio = (input: JsonRecord): JsonRecord => {
  const tau2 = numberAt(input, 'tau2');
  if (has(input, 'looks')) return binomialLooks(recordsAt(input, 'looks'), tau2);
  const [estimate, varianceOfEstimate] = [numberAt(input, 'estimate'), numberAt(input, 'varianceOfEstimate')];
  const { logLambda, p } = mixtureSprt({ estimate, varianceOfEstimate, tau2, theta0: numberAt(input, 'theta0', 0) });
  return { logLambda, pInstant: p, criticalZ: mixtureSprtCriticalZ(varianceOfEstimate, tau2, alphaOf(input)) };
};

const binomialLooks = (looks: readonly JsonRecord[], tau2: number): JsonRecord => {
  const tests = looks.map((look) => {
    const [control, treatment] = [
      proportionMoments(numberAt(look, 'nC'), numberAt(look, 'xC')),
      proportionMoments(numberAt(look, 'nT'), numberAt(look, 'xT')),
    ];
    const varianceOfEstimate = varianceOfMean(control) + varianceOfMean(treatment);
    return mixtureSprt({ estimate: treatment.mean - control.mean, varianceOfEstimate, tau2 });
  });
  const alwaysValid = runningMinimumP(tests.map(({ p }) => p));
  return { looks: tests.map(({ logLambda }, i) => ({ logLambda, alwaysValidP: alwaysValid[i] ?? 1 })) };
};

const spendingOf = (input: JsonRecord): Spending => {
  const name = textAt(input, 'spending');
  if (/brien/i.test(name)) return { kind: 'obrien-fleming' };
  if (/pocock/i.test(name)) return { kind: 'pocock' };
  const exponent = /t\^(\d+(\.\d+)?)/.exec(name)?.[1];
  if (exponent === undefined) throw new Error(`no spending function is called ${name}`);
  return { kind: 'power', exponent: Number(exponent) };
};

/** Shares of the plan, or of the largest sample when it ran past the plan. */
const fractionsOf = (input: JsonRecord): readonly number[] => {
  if (has(input, 'informationFractions')) return numbersAt(input, 'informationFractions');
  if (has(input, 'kMax')) return Array.from({ length: numberAt(input, 'kMax') }, (_, i) => (i + 1) / numberAt(input, 'kMax'));
  const sizes = numbersAt(input, 'sampleSizes');
  const whole = Math.max(...sizes, numberAt(input, 'expectedFinal'));
  return sizes.map((size) => size / whole);
};

export const groupSequential = (input: JsonRecord): JsonRecord => {
  const [informationFractions, spending] = [fractionsOf(input), spendingOf(input)];
  if (has(input, 'beta')) {
    const plan = { informationFractions, alphaPerSide: numberAt(input, 'alphaOneSided'), spending, sides: 'upper' } as const;
    const { maximum, average } = groupSequentialInflation(plan, 1 - numberAt(input, 'beta'));
    return { inflationFactor: maximum, asnH1Fraction: average };
  }
  const alphaPerSide = has(input, 'alphaPerSide')
    ? numberAt(input, 'alphaPerSide')
    : numberAt(input, 'alpha') / numberAt(input, 'sides', 2);
  const isSymmetric = input.symmetricTwoSided === true || input.sides === 2;
  const looks = groupSequentialBounds({ informationFractions, alphaPerSide, spending, sides: isSymmetric ? 'symmetric' : 'upper' });
  const nominal = looks.map(({ nominalPTwoSided }) => nominalPTwoSided);
  return { z: looks.map(({ z }) => z), nominalPTwoSided: nominal, adjustedAlphaTwoSided: nominal };
};

export const quantileOverTime = (input: JsonRecord): JsonRecord => {
  const { logE, p, logP } = quantileAbTest({
    control: valuesAt(input, 'armA'),
    treatment: valuesAt(input, 'armB'),
    quantile: numberAt(input, 'quantile'),
    tightestAtUnits: numberAt(input, 'tOpt'),
    alphaOpt: numberAt(input, 'alphaOpt'),
  });
  return { logE, p, logP };
};
