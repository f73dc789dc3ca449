/** What an interval chart draws: the course of one effect, its lines and its frame, without a pixel. */
import type { MetricUse, Timeseries, VerdictKind } from '@rampart/contracts';
import { extent, max, min, quantile } from 'd3-array';

export type Scale = 'relative' | 'absolute';

export interface CoursePoint {
  readonly atMs: number;
  readonly estimate: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** A decision record: where the verdict of the course changed hands. */
export interface RecordMark {
  readonly atMs: number;
  readonly record: string;
  readonly verdict: VerdictKind | null;
  readonly sentence: string | null;
}

export interface StageMark {
  readonly atMs: number;
  readonly name: string;
}

/** What began before the first point is drawn at its edge: the one in force then. */
export const stagesWithin = (stages: readonly StageMark[], fromMs: number, untilMs: number): readonly StageMark[] => {
  const before = stages.findLast(({ atMs }) => atMs <= fromMs);
  const within = stages.filter(({ atMs }) => atMs > fromMs && atMs <= untilMs);
  return before === undefined ? within : [{ ...before, atMs: fromMs }, ...within];
};

export const courseOf = ({ points }: Pick<Timeseries, 'points'>, metric: string, treatment: string, scale: Scale): readonly CoursePoint[] =>
  points.map(({ asOf, metrics }) => {
    const found = metrics.find((one) => one.metric === metric)?.comparisons.find((one) => one.treatment === treatment);
    const band = scale === 'relative' ? found?.relative : found;
    return { atMs: Date.parse(asOf), estimate: band?.estimate ?? null, lower: band?.lower ?? null, upper: band?.upper ?? null };
  });

export const marksOf = ({ points }: Pick<Timeseries, 'points'>): readonly RecordMark[] =>
  points.flatMap(({ asOf, record, verdict, sentence }, index) =>
    record === null || record === points[index - 1]?.record ? [] : [{ atMs: Date.parse(asOf), record, verdict, sentence }],
  );

/** An absolute margin can only be drawn among absolute effects. */
export const scaleOf = (use: MetricUse | undefined): Scale =>
  use?.margin !== undefined && 'absolute' in use.margin ? 'absolute' : 'relative';

/** Where non-inferiority ends, on the side that is bad; null where the metric has no margin. */
export const marginLine = (use: MetricUse | undefined, direction: 'increase' | 'decrease'): number | null => {
  if (use?.margin === undefined) return null;
  const size = 'absolute' in use.margin ? use.margin.absolute : use.margin.relative;
  return direction === 'increase' ? -size : size;
};

/**
 * Early intervals are so wide that everything after them would be a line: the frame holds the newest interval, zero, margin, and most of the rest;
 * what is beyond is cut off, and the table has it.
 */
export const frameOf = (course: readonly CoursePoint[], lines: readonly (number | null)[]): readonly [lower: number, upper: number] => {
  const drawn = course.filter(({ estimate }) => estimate !== null);
  const newest = course.findLast(({ lower, upper }) => lower !== null && upper !== null);
  const lowers = drawn.flatMap(({ lower }) => (lower === null ? [] : [lower]));
  const uppers = drawn.flatMap(({ upper }) => (upper === null ? [] : [upper]));
  const estimates = drawn.slice(Math.floor(drawn.length / 3)).flatMap(({ estimate }) => (estimate === null ? [] : [estimate]));
  const inside = [0, ...lines, newest?.lower, newest?.upper, quantile(lowers, 0.4), quantile(uppers, 0.6), min(estimates), max(estimates)];
  const [lower = -1, upper = 1] = extent(inside.filter((value): value is number => typeof value === 'number' && Number.isFinite(value)));
  const room = (upper - lower || 1) * 0.08;
  return [lower - room, upper + room];
};
