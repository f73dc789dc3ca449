/** Every metric of an experiment, per arm and compared: the middle of the results document. */
import type { AnalysisPlan, ArmResult, Comparison, MetricResult } from '@rampart/contracts';
import { decimalText } from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums, MetricCaps } from '@rampart/feedback-store';
import { denominatorShift, sampleVariance } from '@rampart/statistics';
import { armsOf, type DefinitionInForce, type MetricInUse } from '../definitions/definition-in-force.js';
import { type AnytimeTuning, anytimeTuning } from './anytime.js';
import { armSums, unitsPerOne } from './arm-sums.js';
import { isAdjusted, type OwnIntervals, withCorrection } from './corrected-for-many.js';
import { cupedResult } from './cuped-results.js';
import { type ArmFigures, armFigures, compared } from './effects.js';
import { quantileOfArm } from './quantile-figures.js';
import { quantileInterval, quantilePair } from './quantile-sequence.js';
import { stratifiedResult } from './stratified-results.js';

type Pair = readonly [control: string, treatment: string];

/** To control: each treatment. All pairs: besides, each later arm with each earlier one. */
export const comparedPairs = (arms: readonly string[], comparisons: AnalysisPlan['comparisons']): readonly Pair[] =>
  arms.flatMap((control, first) =>
    first > 0 && comparisons === 'to-control' ? [] : arms.slice(first + 1).map((treatment): Pair => [control, treatment]),
  );

export const metricResults = (
  definition: DefinitionInForce,
  query: Pick<ComparisonQuery, 'cells'>,
  sums: ComparisonSums,
): readonly MetricResult[] => {
  const arms = armsOf(definition.experiment);
  const { plan } = definition.experiment;
  const about = { pairs: comparedPairs(arms, plan.comparisons), plan, tuning: anytimeTuning(definition) };
  const owns = new Map<MetricResult, OwnIntervals>();
  const results = definition.metrics.map((metric, index) => {
    const ranked = sums.quantiles?.find((one) => one.metric === index)?.arms;
    const figures = armSums(arms, query.cells, sums, index).map((arm) =>
      armFigures(
        metric.definition,
        arm,
        ranked?.find((one) => one.arm === arm.arm),
      ),
    );
    const caps = sums.caps?.find((one) => one.metric === index);
    const tuning = about.tuning === null ? null : { ...about.tuning, capsWait: capsWait(metric, caps) };
    const result = withQuantileCaps(metricResult(metric, figures, { ...about, tuning }), metric, caps);
    const { comparisons: plain } = result;
    const { plan: asked } = about;
    const whole = withStrata(result, stratifiedResult({ metric, index, arms: figures, plain, plan: asked, tuning, query, sums }));
    if (metric.definition.type === 'quantile' && tuning !== null) owns.set(whole, quantileIntervals(metric, figures, tuning));
    return whole;
  });
  return withCorrection(results, { ...about, intervalsOf: (result) => owns.get(result) });
};

/** Between order statistics: at each level others. */
const quantileIntervals =
  ({ definition }: MetricInUse, arms: readonly ArmFigures[], tuning: AnytimeTuning): OwnIntervals =>
  (one, scale, alpha) => {
    const [control, treatment] = [one.control, one.treatment].map((name) => arms.find(({ arm }) => arm === name));
    return control === undefined || treatment === undefined
      ? null
      : quantileInterval(quantilePair(definition, control, treatment, tuning), scale, alpha);
  };

/** Totals that may still be cut elsewhere are compared with nothing. */
const capsWait = ({ definition: { capQuantile } }: MetricInUse, caps: MetricCaps | undefined): AnytimeTuning['capsWait'] =>
  caps === undefined || caps.areFixed || capQuantile === undefined ? undefined : { have: caps.units, needed: capQuantile.cohort };

const withQuantileCaps = (result: MetricResult, { definition }: MetricInUse, caps: MetricCaps | undefined): MetricResult => {
  if (caps === undefined) return result;
  const perOne = Number(unitsPerOne(definition, 'numerator'));
  const inUnits = (bound: bigint | null) => (bound === null ? null : Number(bound) / perOne);
  const [lower, upper] = [inUnits(caps.lower), inUnits(caps.upper)];
  const bounds = [...(lower === null ? [] : [`raised to ${lower}`]), ...(upper === null ? [] : [`lowered to ${upper}`])];
  const until = caps.areFixed ? '' : `; not fixed before ${definition.capQuantile?.cohort} have closed`;
  const note = `totals are ${bounds.join(' and ') || 'not capped yet'}, from those of ${caps.units} units of all arms${until}`;
  return { ...result, caps: { lower, upper, units: caps.units, areFixed: caps.areFixed }, notes: [...result.notes, note] };
};

const withStrata = (result: MetricResult, stratified: ReturnType<typeof stratifiedResult>): MetricResult =>
  stratified === null ? result : { ...result, stratified, notes: [...result.notes, ...stratifiedNotes(stratified, result)] };

const stratifiedNotes = (stratified: NonNullable<MetricResult['stratified']>, { cuped }: MetricResult): readonly string[] => {
  if (!('refused' in stratified)) {
    const { strataUsed, property } = stratified;
    return [`the comparison by ${strataUsed} strata of ${property}${isAdjusted(cuped) ? ', with the covariate,' : ''} decides`];
  }
  const instead = isAdjusted(cuped) ? 'the comparison that is adjusted by the covariate decides' : 'the plain comparison decides';
  return [`not post-stratified (${stratified.refused}): ${instead}`];
};

interface Compared {
  readonly pairs: readonly Pair[];
  readonly plan: AnalysisPlan;
  readonly tuning: AnytimeTuning | null;
}

const metricResult = (metric: MetricInUse, arms: readonly ArmFigures[], { pairs, plan, tuning }: Compared): MetricResult => {
  const { definition, use, version } = metric;
  const named = new Map(arms.map((arm) => [arm.arm, arm]));
  const comparisons = pairs.flatMap(([a, b]): Comparison[] => {
    const [control, treatment] = [named.get(a), named.get(b)];
    if (control === undefined || treatment === undefined) return [];
    return [{ ...compared({ control, treatment, metric: definition, use, plan, tuning }), adjustedP: null }];
  });
  const cuped = cupedResult(
    metric,
    arms.map((arm) => arm.sums),
    pairs,
    { plan, tuning },
  );
  return {
    metric: definition.key,
    version,
    name: definition.name,
    type: definition.type,
    role: use.role,
    direction: definition.direction,
    population: definition.population,
    arms: arms.map((arm, index) => armResult(metric, arm, index === 0)),
    comparisons,
    cuped,
    notes: [...typeNotes(metric, arms, tuning !== null), ...cupedNotes(cuped)],
  };
};

const armResult = ({ definition }: MetricInUse, { arm, sums, moments, quantile }: ArmFigures, isControl: boolean): ArmResult => {
  const perOne = unitsPerOne(definition, 'numerator');
  const hasMoments = !('kind' in moments);
  return {
    arm,
    isControl,
    n: sums.units,
    sum: decimalText(sums.sum, perOne),
    sumSquares: decimalText(sums.sumSquares, perOne * perOne),
    mean: hasMoments && moments.n > 0 ? moments.mean : null,
    variance: hasMoments && moments.n > 1 ? sampleVariance(moments) : null,
    lateEvents: sums.lateEvents,
    openUnits: sums.openUnits,
    unconverted: sums.unconverted,
    ...(quantile === undefined ? {} : { quantile: quantileOfArm(definition, quantile) }),
  };
};

const typeNotes = ({ definition }: MetricInUse, arms: readonly ArmFigures[], isWatched: boolean): readonly string[] => {
  switch (definition.type) {
    case 'proportion':
    case 'first-error':
    case 'retention':
    case 'funnel':
      return ['variance per unit is m(1 − m)'];
    case 'ratio':
      return ['variance per unit is that of (numerator − ratio × denominator) / mean denominator', ...shiftNotes(arms)];
    case 'quantile':
      return [quantileNote(definition), ...(isWatched ? [laddersNote(definition)] : [])];
    default:
      return [];
  }
};

const quantileNote = ({ quantileLevel, quantileOf = 'events' }: MetricInUse['definition']): string => {
  const which = `the value that ${Number(((quantileLevel ?? 0) * 100).toPrecision(6))} % of ${quantileOf === 'events' ? 'all events' : 'the units'} do not exceed`;
  const error = `its error is read off order statistics${quantileOf === 'events' ? ', with events of a unit taken together' : ''}, and holds at one look`;
  return `${which}; ${error}`;
};

const laddersNote = ({ quantileOf = 'events' }: MetricInUse['definition']): string =>
  quantileOf === 'units'
    ? 'its interval at every look is exact, by ranks alone, whatever the values are like'
    : 'its interval at every look is by ranks, as far apart as events of a unit are alike, and holds for many units (asymptotic)';

const shiftNotes = ([control, ...treatments]: readonly ArmFigures[]): readonly string[] =>
  treatments.flatMap((treatment) => {
    if (control?.denominator == null || treatment.denominator === null) return [];
    const { effect, isShifted } = denominatorShift(control.denominator, treatment.denominator);
    return isShifted && effect.kind === 'estimate'
      ? [`${treatment.arm} changes the denominator itself (p ${effect.p.toPrecision(2)} < 0.01): read the ratio together with its parts`]
      : [];
  });

/** Below this a covariate's cost in explanation exceeds what it saves. */
const WORTHWHILE_REDUCTION = 0.01;

const cupedNotes = (cuped: MetricResult['cuped']): readonly string[] => {
  if (cuped === null) return [];
  if ('refused' in cuped) return [`no adjustment by the covariate (${cuped.refused}): the unadjusted comparison decides`];
  const notes = ['the adjusted comparison decides'];
  const reductions = cuped.arms.map((arm) => arm.varianceReduction ?? 0);
  const best = Math.max(...reductions);
  if (best < WORTHWHILE_REDUCTION)
    notes.push(`the covariate takes at most ${(best * 100).toFixed(2)} % off the variance: the adjustment gains almost nothing`);
  const without = cuped.unitsWithoutCovariate;
  if (without > 0)
    notes.push(
      `${without} ${without === 1 ? 'unit has' : 'units have'} no covariate: left out of the adjusted comparison, not of the plain one`,
    );
  return notes;
};
