/** What a metric needs of each unit: the few numbers that both adapters compute, decided once. */
import { BINARY_TYPES, type EventSelector, type MetricDefinition } from '@rampart/contracts';
import type { MetricCaps, MetricQuery } from '../feedback-store.js';

export type Aggregate = MetricDefinition['aggregate'] | 'any';

/** Rows that become one number per unit. */
export interface Measure {
  readonly selector: EventSelector;
  /** `any`: 1 if there is a row; `count`: how many; else of the rows' values. */
  readonly aggregate: Aggregate;
}

export interface CovariateMeasure extends Measure {
  readonly lookbackUs: number;
}

export interface MeasuredMetric {
  readonly numerator: Measure;
  readonly denominator: Measure | null;
  /** What a unit does before the numerator counts for it, in this order; none: it counts at once. */
  readonly steps: readonly Measure[];
  /** Taken before the exposure. Of a ratio two: its numerator and its denominator as they were. */
  readonly covariates: readonly CovariateMeasure[];
  /** A unit takes part in the adjusted comparison if it has one at least of each group; places in `covariates`. None: all units do. */
  readonly required: readonly (readonly number[])[];
  readonly delayUs: number;
  /** Null: open end. */
  readonly windowUs: number | null;
  /** An error counts as soon as it is known: its unit is in the sums before its window is over. */
  readonly countsWhileOpen: boolean;
  /** Bounds of a unit's numerator, in its integers. */
  readonly capLower: bigint | null;
  readonly capUpper: bigint | null;
  readonly population: MetricDefinition['population'];
  readonly quantile: { readonly level: number; readonly of: 'events' | 'units' } | null;
}

/** One event, where events are counted: values are millionths. */
export const ONE_EVENT = 1_000_000n;

/** Rows without a value matter only where values are taken. */
export const takesValues = ({ aggregate }: Measure): boolean => aggregate !== 'any' && aggregate !== 'count';

/**
 * A covariate of its own selector is that event's values, by `aggregate`; without one it is the metric itself, before the exposure.
 */
export const measured = ({ definition: metric, caps }: Omit<MetricQuery, 'version'>): MeasuredMetric => {
  const numerator: Measure = { selector: metric.numerator, aggregate: numeratorAggregate(metric) };
  const scale = takesValues(numerator) ? BigInt(metric.scale) : 1n;
  const denominator: Measure | null =
    metric.denominator === undefined ? null : { selector: metric.denominator, aggregate: metric.denominatorAggregate };
  return {
    numerator,
    denominator,
    steps: (metric.steps ?? []).map((selector) => ({ selector, aggregate: 'any' })),
    ...before(metric, numerator, denominator),
    delayUs: metric.delayUs,
    windowUs: metric.windowUs,
    countsWhileOpen: metric.type === 'first-error',
    capLower: caps?.lower ?? bound(metric.capLower, scale),
    capUpper: caps?.upper ?? bound(metric.capUpper, scale),
    population: metric.population,
    quantile: metric.quantileLevel === undefined ? null : { level: metric.quantileLevel, of: metric.quantileOf ?? 'events' },
  };
};

const before = (
  { covariate, covariates: several, aggregate }: MetricDefinition,
  numerator: Measure,
  denominator: Measure | null,
): Pick<MeasuredMetric, 'covariates' | 'required'> => {
  if (several !== undefined)
    return {
      covariates: several.map(({ selector, lookbackUs }) => ({ selector, aggregate, lookbackUs })),
      required: several.flatMap(({ whenMissing }, place) => (whenMissing === 'exclude' ? [[place]] : [])),
    };
  if (covariate === undefined) return { covariates: [], required: [] };
  const { lookbackUs, whenMissing } = covariate;
  const first = covariate.selector === undefined ? numerator : { selector: covariate.selector, aggregate };
  const second = denominator === null ? [] : [{ ...denominator, selector: covariate.denominator ?? denominator.selector }];
  const covariates = [first, ...second].map((measure) => ({ ...measure, lookbackUs }));
  return { covariates, required: whenMissing === 'zero' ? [] : [[...covariates.keys()]] };
};

/** Everything that is read of a unit's events. */
export const measuresOf = ({ numerator, denominator, steps, covariates }: MeasuredMetric): readonly Measure[] => [
  numerator,
  ...(denominator === null ? [] : [denominator]),
  ...steps,
  ...covariates,
];

/** How many values of a unit are summed together. */
export const jointSize = ({ denominator, covariates }: MeasuredMetric): number => 1 + (denominator === null ? 0 : 1) + covariates.length;

const numeratorAggregate = (metric: MetricDefinition): Aggregate => {
  if (BINARY_TYPES.has(metric.type)) return 'any';
  return metric.type === 'count' ? 'count' : metric.aggregate;
};

// At most six decimals, and more digits than one event may carry: a unit's total can be that large.
const bound = (decimal: string | undefined, scale: bigint): bigint | null => {
  if (decimal === undefined) return null;
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(`${whole}${fraction.padEnd(6, '0')}`) * scale;
};

/** A metric's own caps, without those that its totals give; in its integers. */
export const ownCaps = (metric: MetricDefinition): Pick<MetricCaps, 'lower' | 'upper'> => {
  const { capLower, capUpper } = measured({ definition: metric });
  return { lower: capLower, upper: capUpper };
};

/** Rows known later than this after the first exposure count no more; null where the metric has no window. */
export const closesAfterUs = ({ delayUs, windowUs }: MeasuredMetric, allowedLatenessUs: number): number | null =>
  windowUs === null ? null : delayUs + windowUs + allowedLatenessUs;

/** A unit's numerator within the metric's caps. */
export const boundTo = ({ capLower, capUpper }: MeasuredMetric, total: bigint): bigint => {
  if (capLower !== null && total < capLower) return capLower;
  return capUpper !== null && total > capUpper ? capUpper : total;
};
