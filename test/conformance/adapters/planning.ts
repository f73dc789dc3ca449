/** Cases of power, sizes and forecasts; which one is asked for shows in the input. */
import {
  type DetectableLift,
  decisionBudget,
  forecastRuntime,
  liftedRateVariance,
  minimumDetectableLift,
  noncentralT,
  relativePower,
  sampleSize,
  sequentialEndPower,
} from '@rampart/statistics';
import type { JsonRecord } from '../reference-cases.js';
import { alphaOf, has, numberAt, numbersAt, recordsAt, textAt } from './case-input.js';

export const power = (input: JsonRecord): JsonRecord => {
  if (has(input, 'ncp')) return { cdf: noncentralT.cdf(numberAt(input, 'x'), numberAt(input, 'df'), numberAt(input, 'ncp')) };
  if (has(input, 'nTune')) return sequential(input);
  if (has(input, 'usersPerWeek')) return byWeek(input);
  if (has(input, 'pairUnitsNow')) return forecast(input);
  if (has(input, 'relativeEffect')) return atFixedHorizon(input);
  return has(input, 'weights') ? sizeForWeights(input) : size(input);
};

const sequential = (input: JsonRecord): JsonRecord => ({
  power: sequentialEndPower({
    effect: numberAt(input, 'effect'),
    se: numberAt(input, 'se'),
    n: numberAt(input, 'n'),
    alpha: alphaOf(input),
    tightestAtUnits: numberAt(input, 'nTune'),
  }),
});

const atFixedHorizon = (input: JsonRecord): JsonRecord => {
  const units = numberAt(input, 'nTotal') / numberAt(input, 'nVariations');
  const plan = {
    controlMean: numberAt(input, 'mean'),
    controlVariance: numberAt(input, 'variance'),
    unitsControl: units,
    unitsTreatment: units,
  };
  return { power: relativePower(plan, numberAt(input, 'relativeEffect'), alphaOf(input)) };
};

/** Power the smallest detectable effect is asked for when a case names none. */
const USUAL_POWER = 0.8;

const byWeek = (input: JsonRecord): JsonRecord => {
  const alpha = alphaOf(input);
  const weeks = Array.from({ length: numberAt(input, 'nWeeks') }, (_, i) => i + 1);
  const answers = weeks.flatMap((week) => {
    const units = (week * numberAt(input, 'usersPerWeek')) / numberAt(input, 'nVariations');
    return recordsAt(input, 'metrics').map((metric) => forMetric(metric, units, alpha));
  });
  return { power: answers.map((answer) => answer.power), mde: answers.map(({ mde }) => (mde.kind === 'lift' ? mde.lift : null)) };
};

/** GrowthBook plans with one variance for both arms, also for rates. */
const forMetric = (metric: JsonRecord, units: number, alpha: number): { readonly power: number; readonly mde: DetectableLift } => {
  const isRate = textAt(metric, 'type') === 'binomial';
  const controlMean = numberAt(metric, isRate ? 'rate' : 'mean');
  const variance = isRate ? controlMean * (1 - controlMean) : numberAt(metric, 'variance');
  return {
    power: relativePower(
      { controlMean, controlVariance: variance, unitsControl: units, unitsTreatment: units },
      numberAt(metric, 'effect'),
      alpha,
    ),
    mde: minimumDetectableLift({ controlMean, variance, unitsPerArm: units, alpha, power: USUAL_POWER }),
  };
};

const forecast = (input: JsonRecord): JsonRecord => {
  const answer = forecastRuntime({
    pairUnitsNow: numberAt(input, 'pairUnitsNow'),
    scalingFactor: numberAt(input, 'scalingFactor'),
    dailyPairUnits: numbersAt(input, 'observedPairUnitsLast7Days'),
  });
  if (answer.kind === 'unknown') return { error: answer.reason };
  const { additionalPairUnits, dailyRate, days } = answer;
  return { additionalPairUnits, dailyRate, daysNeeded: days };
};

const size = (input: JsonRecord): JsonRecord => {
  const minimumEffect = numberAt(input, 'absoluteMde');
  const baseline = has(input, 'baseline') ? numberAt(input, 'baseline') : undefined;
  const variances =
    baseline === undefined
      ? { varianceControl: numberAt(input, 'variance') }
      : {
          varianceControl: baseline * (1 - baseline),
          varianceTreatment: liftedRateVariance(baseline, minimumEffect / baseline),
        };
  const { total } = sampleSize({
    minimumEffect,
    ...variances,
    alpha: alphaOf(input),
    power: numberAt(input, 'power'),
    sides: textAt(input, 'alternative', 'two-sided') === 'two-sided' ? 'two-sided' : 'one-sided',
    allArmsPerPair: numberAt(input, 'arms', 2) / 2,
  });
  return { nTotal: total };
};

/** Every treatment against control, each at its share of alpha; the neediest pair sets the size. */
const sizeForWeights = (input: JsonRecord): JsonRecord => {
  const [control = 0, ...treatments] = numbersAt(input, 'weights');
  const all = treatments.reduce((sum, weight) => sum + weight, control);
  const { alphaSuperiority } = decisionBudget({
    success: numberAt(input, 'nSuccessMetrics'),
    guardrail: 0,
    deterioration: 0,
    quality: 0,
    alpha: alphaOf(input),
    beta: 1 - numberAt(input, 'power'),
    alphaMinus: 0,
    treatmentArms: treatments.length,
  });
  const [mean, lift] = [numberAt(input, 'avg'), numberAt(input, 'relativeMde')];
  const sizes = treatments.map((weight) =>
    sampleSize({
      minimumEffect: mean * lift,
      varianceControl: numberAt(input, 'variance'),
      ...(input.binary === true ? { varianceTreatment: liftedRateVariance(mean, lift) } : {}),
      alpha: alphaSuperiority ?? alphaOf(input),
      power: numberAt(input, 'power'),
      sides: input.oneSided === true ? 'one-sided' : 'two-sided',
      controlPerTreatment: control / weight,
      allArmsPerPair: all / (control + weight),
    }),
  );
  return { nTotal: Math.max(...sizes.map(({ total }) => total)) };
};
