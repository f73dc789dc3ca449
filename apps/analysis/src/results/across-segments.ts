/** Does the effect differ between the stretches of an experiment? Units of different segments are different units, so that their effects are independent. */
import type { AcrossSegments, MetricResult } from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums } from '@rampart/feedback-store';
import { BURN_IN, compareMeans, effectTrend, heterogeneity } from '@rampart/statistics';
import { armsOf, type DefinitionInForce, type MetricInUse } from '../definitions/definition-in-force.js';
import { armSums } from '../figures/arm-sums.js';
import { armFigures } from '../figures/effects.js';

interface Counted {
  readonly definition: DefinitionInForce;
  readonly query: Pick<ComparisonQuery, 'cells'>;
  readonly sums: ComparisonSums;
}

const DAY_US = 86_400_000_000;

/** Below this a difference between segments, or a trend over them, is told. */
const TOLD_BELOW_P = 0.01;

/** @returns the results, with what segments say where at least two have enough units; adds notes, decides nothing */
export const withSegments = (results: readonly MetricResult[], { definition, query, sums }: Counted): readonly MetricResult[] =>
  results.map((result, index) => {
    const metric = definition.metrics[index];
    if (metric === undefined) return result;
    const [control, ...treatments] = armsOf(definition.experiment);
    if (control === undefined) return result;
    const across = treatments.flatMap((treatment) => {
      const levels = effectsBySegment({ definition, query, sums }, metric, index, [control, treatment]);
      return levels.length < 2 ? [] : [acrossSegments(result, treatment, levels)];
    });
    return across.length === 0 ? result : { ...result, acrossSegments: across, notes: [...result.notes, ...across.flatMap(notesOf)] };
  });

interface SegmentEffect {
  readonly segment: number;
  readonly day: number;
  readonly effect: number;
  readonly se: number;
}

const effectsBySegment = (
  { definition, query, sums }: Counted,
  metric: MetricInUse,
  index: number,
  arms: readonly [control: string, treatment: string],
): readonly SegmentEffect[] => {
  const startOf = new Map(definition.state?.segments.map(({ segment, startedAtUs }) => [segment, startedAtUs]));
  const segments = [...new Set(sums.cells.map(({ segment }) => segment))].sort((a, b) => a - b);
  const first = startOf.get(segments[0] ?? 0) ?? 0;
  return segments.flatMap((segment) => {
    const cells = sums.cells.filter((cell) => cell.segment === segment);
    const [control, treatment] = armSums(arms, query.cells, { ...sums, cells }, index).map((arm) => armFigures(metric.definition, arm));
    if (control === undefined || treatment === undefined || 'kind' in control.moments || 'kind' in treatment.moments) return [];
    if (Math.min(control.moments.n, treatment.moments.n) < BURN_IN.unitsPerArm) return [];
    const effect = compareMeans({ control: control.moments, treatment: treatment.moments, alpha: 0.05, difference: 'absolute' });
    if (effect.kind === 'refused') return [];
    return [{ segment, day: ((startOf.get(segment) ?? first) - first) / DAY_US, effect: effect.estimate, se: effect.se }];
  });
};

const acrossSegments = (result: MetricResult, treatment: string, levels: readonly SegmentEffect[]): AcrossSegments => {
  const control = result.arms.find(({ isControl }) => isControl)?.arm;
  const overall = result.comparisons.find((one) => one.treatment === treatment && one.control === control)?.absolute;
  const estimate = overall === undefined || 'refused' in overall ? undefined : overall.estimate;
  const { q, df, p, logP, iSquared, shrunk, isSimpson } = heterogeneity(levels, estimate);
  const isSpread = new Set(levels.map(({ day }) => day)).size > 1;
  const trend = isSpread ? effectTrend(levels) : null;
  const span = Math.max(...levels.map(({ day }) => day));
  const isMoving = trend !== null && trend.p < TOLD_BELOW_P && Math.abs(trend.slope) * span > Math.abs(estimate ?? 0) / 2;
  return {
    treatment,
    segments: levels.map(({ segment, effect, se }, index) => ({ segment, estimate: effect, se, shrunk: shrunk[index] ?? effect })),
    heterogeneity: { q, df, p, logP, iSquared },
    isSimpson,
    trend: trend === null ? null : { perDay: trend.slope, se: trend.se, p: trend.p, logP: trend.logP, isMoving },
  };
};

const notesOf = ({ treatment, heterogeneity: { q, df, p, iSquared }, isSimpson, trend }: AcrossSegments): readonly string[] => [
  ...(p < TOLD_BELOW_P
    ? [
        `the effect of ${treatment} differs between segments (Q ${q.toPrecision(3)} on ${df}, p ${p.toPrecision(2)}, I² ${(iSquared * 100).toFixed(0)} %)`,
      ]
    : []),
  ...(isSimpson
    ? [`the effect of ${treatment} has in every segment the other sign than over all of them (Simpson): read the segments`]
    : []),
  ...(trend?.isMoving === true
    ? [
        `units that came later show an effect of ${treatment} that is ${Math.abs(trend.perDay).toPrecision(2)} a day ${trend.perDay > 0 ? 'higher' : 'lower'} (p ${trend.p.toPrecision(2)}): novelty, or another kind of unit`,
      ]
    : []),
];
