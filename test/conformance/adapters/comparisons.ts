/** Cases that compare two arms once. */
import {
  absolutePrior,
  type CoMoments,
  type ComparedEffect,
  type CrossMoments,
  coMomentsFromFloatSums,
  compareCuped,
  compareCupedRatios,
  compareMeans,
  compareRatios,
  covarianceFromFloatSums,
  crossMomentsFromFloatSums,
  fromFloatSums,
  type Moments,
  normalPosterior,
  type PostStratified,
  postStratifiedCuped,
  postStratifiedMeans,
  postStratifiedRatios,
  proportionMoments,
  quantileDesignEffect,
  quantileMoments,
  ratioCovariance,
  type Stratum,
  sampleVariance,
  varianceOfMean,
} from '@rampart/statistics';
import type { JsonRecord } from '../reference-cases.js';
import { alphaOf, alternativeOf, differenceOf, has, numberAt, numbersAt, recordAt, recordsAt, textAt } from './case-input.js';

export const meanOrProportion = (arm: JsonRecord): Moments =>
  textAt(arm, 'kind', 'mean') === 'proportion'
    ? proportionMoments(numberAt(arm, 'n'), numberAt(arm, 'sum'))
    : fromFloatSums({ n: numberAt(arm, 'n'), sum: numberAt(arm, 'sum'), sumSquares: numberAt(arm, 'sumSq') });

/** x = denominator, y = numerator. */
const numeratorOverDenominator = (arm: JsonRecord): CoMoments =>
  coMomentsFromFloatSums({
    n: numberAt(arm, 'n'),
    sumX: numberAt(arm, 'sumD'),
    sumY: numberAt(arm, 'sumM'),
    sumSquaresX: numberAt(arm, 'sumSqD'),
    sumSquaresY: numberAt(arm, 'sumSqM'),
    sumProducts: numberAt(arm, 'sumMD'),
  });

/** x = covariate, y = outcome. */
const outcomeWithCovariate = (arm: JsonRecord): CoMoments =>
  coMomentsFromFloatSums({
    n: numberAt(arm, 'n'),
    sumX: numberAt(arm, 'sumX'),
    sumY: numberAt(arm, 'sumY'),
    sumSquaresX: numberAt(arm, 'sumSqX'),
    sumSquaresY: numberAt(arm, 'sumSqY'),
    sumProducts: numberAt(arm, 'sumXY'),
  });

export const asked = (input: JsonRecord) => ({
  alpha: alphaOf(input),
  alternative: alternativeOf(input),
  difference: differenceOf(input),
  nullDifference: numberAt(input, 'nullDifference', 0),
});

/** The cases' convention for relative effects is the linear delta method, however noisy the control mean. */
const linear = { relativeInterval: 'linear' } as const;

const answer = (effect: ComparedEffect | PostStratified): JsonRecord => {
  if (effect.kind === 'refused') return { error: effect.reason };
  const { estimate, se, statistic, df, p, logP, ciLower, ciUpper } = effect;
  return { estimate, se, statistic, df, p, logP, ciLower, ciUpper };
};

export const meanDifference = (input: JsonRecord): JsonRecord =>
  answer(
    compareMeans({
      control: meanOrProportion(recordAt(input, 'control')),
      treatment: meanOrProportion(recordAt(input, 'treatment')),
      ...asked(input),
      ...linear,
    }),
  );

/** What counting every event as a unit would claim. */
const naiveEventLevelSe = (arms: readonly JsonRecord[]): number =>
  Math.sqrt(arms.reduce((sum, arm) => sum + varianceOfMean(proportionMoments(numberAt(arm, 'sumD'), numberAt(arm, 'sumM'))), 0));

export const ratio = (input: JsonRecord): JsonRecord => {
  if (has(input, 'cov')) {
    const [means, cov] = [recordAt(input, 'means'), recordAt(input, 'cov')];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => numberAt(means, key)) as [number, number, number, number];
    const [ac, ad, bc, bd] = ['ac', 'ad', 'bc', 'bd'].map((key) => numberAt(cov, key)) as [number, number, number, number];
    return { covRatioABRatioCD: ratioCovariance({ a, b, c, d }, { ac, ad, bc, bd }) };
  }
  if (has(input, 'sumAB')) {
    const sums = { n: numberAt(input, 'n'), sumA: numberAt(input, 'sumA'), sumB: numberAt(input, 'sumB'), sumAB: numberAt(input, 'sumAB') };
    return { covariance: covarianceFromFloatSums(sums) };
  }
  const arms = [recordAt(input, 'control'), recordAt(input, 'treatment')] as const;
  const effect = compareRatios({
    control: numeratorOverDenominator(arms[0]),
    treatment: numeratorOverDenominator(arms[1]),
    ...asked(input),
    ...linear,
  });
  return effect.kind === 'refused' ? answer(effect) : { ...answer(effect), naiveEventLevelSe: naiveEventLevelSe(arms) };
};

export const cuped = (input: JsonRecord): JsonRecord => {
  const effect = compareCuped({
    control: outcomeWithCovariate(recordAt(input, 'control')),
    treatment: outcomeWithCovariate(recordAt(input, 'treatment')),
    ...asked(input),
    ...linear,
  });
  if (effect.kind === 'refused') return answer(effect);
  return {
    ...answer(effect),
    theta: effect.theta,
    varControl: sampleVariance(effect.adjustedControl),
    varTreatment: sampleVariance(effect.adjustedTreatment),
    varianceReduction: effect.varianceReduction,
  };
};

const ratioBeforeAndAfter = (arm: JsonRecord): CrossMoments => {
  const values = ['mPost', 'dPost', 'mPre', 'dPre'] as const;
  const sums = (key: string): readonly [sum: number, squares: number] => {
    const [sum = 0, squares = 0] = numbersAt(arm, key);
    return [sum, squares];
  };
  const product = (one: string, other: string): number => {
    if (one === other) return sums(one)[1];
    return has(arm, `${one}_${other}`) ? numberAt(arm, `${one}_${other}`) : numberAt(arm, `${other}_${one}`);
  };
  return crossMomentsFromFloatSums({
    n: numberAt(arm, 'n'),
    sums: values.map((key) => sums(key)[0]),
    products: values.map((one) => values.map((other) => product(one, other))),
  });
};

export const cupedRatio = (input: JsonRecord): JsonRecord => {
  const effect = compareCupedRatios({
    control: ratioBeforeAndAfter(recordAt(input, 'control')),
    treatment: ratioBeforeAndAfter(recordAt(input, 'treatment')),
    theta: typeof input.theta === 'number' ? input.theta : input.theta === 'pooled' ? 'pooled' : 'perArmSum',
    ...asked(input),
    ...linear,
  });
  return effect.kind === 'refused' ? answer(effect) : { ...answer(effect), theta: effect.theta };
};

/** The cases' convention, gbstats', for the covariate by strata. */
const onePooledResidual = { residualVariance: 'pooled' } as const;

export const postStratification = (input: JsonRecord): JsonRecord => {
  const cells = recordsAt(input, 'cells');
  const strata = <T>(read: (arm: JsonRecord) => T): readonly Stratum<T>[] =>
    cells.map((cell, index) => ({
      name: String(index),
      control: read(recordAt(cell, 'control')),
      treatment: read(recordAt(cell, 'treatment')),
    }));
  const effect = ((): PostStratified => {
    const stratified = { ...asked(input), ...linear };
    if (input.covariate === true) return postStratifiedCuped(strata(outcomeWithCovariate), { ...stratified, ...onePooledResidual });
    if (input.metric === 'ratio') return postStratifiedRatios(strata(numeratorOverDenominator), stratified);
    return postStratifiedMeans(strata(meanOrProportion), stratified);
  })();
  const n = cells.reduce((sum, cell) => sum + numberAt(recordAt(cell, 'control'), 'n') + numberAt(recordAt(cell, 'treatment'), 'n'), 0);
  return { ...answer(effect), n };
};

const quantileSample = (arm: JsonRecord) => ({
  n: numberAt(arm, 'n'),
  nStar: numberAt(arm, 'nStar', numberAt(arm, 'n')),
  nu: numberAt(arm, 'nu'),
  quantile: numberAt(arm, 'q'),
  lower: numberAt(arm, 'lower'),
  upper: numberAt(arm, 'upper'),
});

export const quantileFixed = (input: JsonRecord): JsonRecord => {
  if (has(input, 'nClusters')) return clusteredQuantile(input);
  const control = quantileMoments(quantileSample(recordAt(input, 'control')));
  if (control.kind === 'refused') return answer(control);
  const treatment = quantileMoments(quantileSample(recordAt(input, 'treatment')));
  if (treatment.kind === 'refused') return answer(treatment);
  const effect = compareMeans({ control: control.moments, treatment: treatment.moments, ...asked(input), ...linear });
  if (effect.kind === 'refused') return answer(effect);
  const { estimate, se } = effect;
  const relative = has(input, 'priorRelative') ? recordAt(input, 'priorRelative') : undefined;
  const given = relative === undefined ? undefined : { mean: numberAt(relative, 'mean'), variance: numberAt(relative, 'variance') };
  const prior = given !== undefined && differenceOf(input) === 'absolute' ? absolutePrior(given, control.moments.mean) : given;
  const posterior = normalPosterior({ estimate, se, prior, alpha: alphaOf(input) });
  if (posterior.kind === 'no-information') return { error: 'ZERO_NEGATIVE_VARIANCE' };
  return { estimate, se, postMean: posterior.mean, ciLower: posterior.ciLower, ciUpper: posterior.ciUpper };
};

const clusteredQuantile = (input: JsonRecord): JsonRecord => {
  const clusters = coMomentsFromFloatSums({
    n: numberAt(input, 'nClusters'),
    sumX: numberAt(input, 'denSum'),
    sumY: numberAt(input, 'mainSum'),
    sumSquaresX: numberAt(input, 'denSumSq'),
    sumSquaresY: numberAt(input, 'mainSumSq'),
    sumProducts: numberAt(input, 'mainDenSum'),
  });
  const sample = quantileSample(input);
  const [iid, clustered] = [quantileMoments(sample), quantileMoments(sample, clusters)];
  if (iid.kind === 'refused') return answer(iid);
  if (clustered.kind === 'refused') return answer(clustered);
  const designEffect = quantileDesignEffect(sample, clusters);
  return {
    variancePerObservation: sampleVariance(clustered.moments),
    iidVariancePerObservation: sampleVariance(iid.moments),
    designEffect: typeof designEffect === 'number' ? designEffect : null,
    seOfQuantile: Math.sqrt(varianceOfMean(clustered.moments)),
  };
};
