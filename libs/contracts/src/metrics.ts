/** What a metric measures, per unit: published with its version, immutable once used. */
import { z } from 'zod';

export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,79}$/, 'must be 1–80 of a-z, 0-9, dot, dash, underscore, beginning with a letter or digit');
export const eventName = z.string().min(1).max(200);
const micros = z.int().min(0);

export const filter = z.strictObject({
  property: z.string().min(1).max(200).describe('a property of the event'),
  operator: z.enum(['eq', 'ne', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'exists']),
  value: z
    .union([
      z.string(),
      z.number(),
      z.boolean(),
      z
        .array(z.union([z.string(), z.number()]))
        .min(1)
        .max(1000),
    ])
    .optional(),
});
export type Filter = z.infer<typeof filter>;

/** Which events count, and what of them. All filters must hold; a missing property fails every filter but `ne`, `nin` and `exists: false`. */
export const eventSelector = z.strictObject({
  event: eventName,
  filters: z.array(filter).max(20).default([]),
  property: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('a numeric property instead of the event’s value; what does not convert is counted and left out'),
});
export type EventSelector = z.infer<typeof eventSelector>;

const decimal = z.string().regex(/^-?\d{1,13}(\.\d{1,6})?$/, 'must be a decimal number with at most six decimals');

const capLevel = z.number().gte(0.001).lte(0.999_999);

/**
 * - `proportion`: units with at least one event; variance m(1 − m).
 * - `mean`: per unit, its events' values taken together by `aggregate`; units without events count as 0.
 * - `count`: per unit, how many events.
 * - `ratio`: sum of `numerator` over sum of `denominator`, by the delta method at the unit.
 * - `first-error`: units with at least one error; each unit's first error only.
 * - `retention`: units with at least one event in [exposure + delay, + window): both are needed; a proportion.
 * - `funnel`: units that took all `steps` and then the numerator, each after the one before; a proportion.
 * - `quantile`: the value that a share of all events (or of the units' values) does not exceed, such as a 95th percentile.
 */
export const metricDefinition = z
  .strictObject({
    key: slug,
    name: z.string().min(1).max(200),
    description: z.string().max(2000).default(''),
    type: z.enum(['proportion', 'mean', 'count', 'ratio', 'first-error', 'quantile', 'retention', 'funnel']),
    unitType: z.string().min(1).max(200),
    numerator: eventSelector,
    denominator: eventSelector.optional().describe('ratio only'),
    steps: z
      .array(eventSelector)
      .min(1)
      .max(8)
      .optional()
      .describe('funnel only: what comes before the numerator, in this order; an event is one step, and the next one is a later event'),
    aggregate: z
      .enum(['sum', 'max', 'min', 'first', 'last', 'count'])
      .default('sum')
      .describe('how a unit’s values become one (mean; numerator of a ratio)'),
    denominatorAggregate: z.enum(['sum', 'max', 'min', 'first', 'last', 'count']).default('sum'),
    quantileLevel: z.number().gte(0.001).lte(0.999).optional().describe('quantile only: which, such as 0.95'),
    quantileOf: z
      .enum(['events', 'units'])
      .optional()
      .describe(
        'quantile only: of the values of all events (default), or of one value per unit, by `aggregate`; a unit without events counts as 0',
      ),
    scale: z
      .int()
      .min(1)
      .max(1_000_000_000_000)
      .default(1)
      .describe('events carry value × scale (a power of ten), for data with more than six decimals'),
    delayUs: micros.default(0).describe('events count from first exposure + delay'),
    windowUs: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('… for this long; null = open end: no gain is decided on while it runs; harm is'),
    capLower: decimal.optional().describe('a unit’s total is raised to this'),
    capUpper: decimal.optional().describe('a unit’s total is lowered to this'),
    capQuantile: z
      .strictObject({
        lower: capLevel.optional().describe('units’ totals are raised to this quantile of all units’ totals'),
        upper: capLevel.optional().describe('… lowered to this one, such as 0.999'),
        ignoreZeros: z.boolean().default(false).describe('the quantile is one of the totals that are not 0; all are capped'),
        cohort: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(1_000)
          .describe('a plan of several looks: caps are fixed by the first so many units that close, and nothing is decided before'),
      })
      .optional()
      .describe('caps that the units’ own totals give, of all arms together'),
    covariate: z
      .strictObject({
        selector: eventSelector.optional().describe('default: the numerator'),
        denominator: eventSelector.optional().describe('ratio only; default: the denominator'),
        lookbackUs: z.int().min(1),
        whenMissing: z
          .enum(['zero', 'exclude'])
          .default('zero')
          .describe('a unit without history counts as 0, or is left out of the adjusted comparison'),
      })
      .optional()
      .describe('pre-exposure values of the same unit, for CUPED; of a ratio: numerator and denominator before the exposure'),
    covariates: z
      .array(
        z.strictObject({
          selector: eventSelector,
          lookbackUs: z.int().min(1),
          whenMissing: z.enum(['zero', 'exclude']).default('zero'),
        }),
      )
      .min(2)
      .max(5)
      .optional()
      .describe('several instead of one: a unit takes part in the adjusted comparison if it has each that is not zero when missing'),
    direction: z.enum(['increase', 'decrease']).default('increase').describe('which way is good'),
    population: z.enum(['exposed', 'assigned']).default('exposed'),
  })
  .superRefine((metric, ctx) => {
    const issue = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message });
    if (metric.type === 'ratio' && metric.denominator === undefined) issue('denominator', 'a ratio needs a denominator');
    if (metric.type !== 'ratio' && metric.denominator !== undefined)
      issue('denominator', `only a ratio has a denominator, this is a ${metric.type}`);
    if (!/^10*$/.test(String(metric.scale))) issue('scale', `must be a power of ten, got ${metric.scale}`);
    const isBinary = BINARY_TYPES.has(metric.type);
    if (metric.type === 'funnel' && metric.steps === undefined) issue('steps', 'a funnel needs the steps before its numerator');
    if (metric.type !== 'funnel' && metric.steps !== undefined) issue('steps', `only a funnel has steps, this is a ${metric.type}`);
    if (metric.type === 'retention' && metric.delayUs === 0)
      issue('delayUs', 'retention begins some time after the exposure: name the delay');
    if (metric.type === 'retention' && metric.windowUs === null)
      issue('windowUs', 'retention ends: name how long after the delay a unit may come back');
    if (isBinary && (metric.capLower ?? metric.capUpper) !== undefined) issue('capUpper', `a ${metric.type} is 0 or 1 and has no cap`);
    for (const [path, message] of capQuantileIssues(metric, isBinary))
      ctx.addIssue({ code: 'custom', path: ['capQuantile', ...path], message });
    if (isBinary && metric.aggregate !== 'sum') issue('aggregate', `a ${metric.type} asks only whether there is an event`);
    for (const [path, message] of quantileIssues(metric)) issue(path, message);
    if (metric.type !== 'ratio' && metric.covariate?.denominator !== undefined)
      ctx.addIssue({
        code: 'custom',
        path: ['covariate', 'denominator'],
        message: `only a ratio’s covariate has a denominator, this is a ${metric.type}`,
      });
    if (metric.covariates !== undefined && metric.covariate !== undefined)
      issue('covariates', 'name either one covariate or several covariates, not both');
    if (metric.covariates !== undefined && ['ratio', 'first-error', 'quantile'].includes(metric.type))
      issue('covariates', `a ${metric.type} ${metric.type === 'ratio' ? 'has one covariate at most' : 'has no covariates'}`);
    if (metric.type === 'first-error' && metric.covariate !== undefined) issue('covariate', 'a first-error metric has no covariate');
    if (metric.capLower !== undefined && metric.capUpper !== undefined && Number(metric.capLower) >= Number(metric.capUpper))
      issue('capLower', `must be below capUpper: ${metric.capLower} ≥ ${metric.capUpper}`);
  });

/** A unit has 0 or 1. */
export const BINARY_TYPES: ReadonlySet<string> = new Set(['proportion', 'first-error', 'retention', 'funnel']);

/** What caps at a quantile can't have. */
function* capQuantileIssues(
  metric: {
    readonly type: string;
    readonly capLower?: string | undefined;
    readonly capUpper?: string | undefined;
    readonly capQuantile?: { readonly lower?: number | undefined; readonly upper?: number | undefined } | undefined;
  },
  isBinary: boolean,
): Generator<readonly [path: readonly string[], message: string]> {
  const { type, capQuantile, capLower, capUpper } = metric;
  if (capQuantile === undefined) return;
  const { lower, upper } = capQuantile;
  if (isBinary) yield [[], `a ${type} is 0 or 1 and has no cap`];
  if (type === 'quantile') yield [[], 'a quantile has no cap: large values do not move it'];
  if (lower === undefined && upper === undefined) yield [[], 'names neither a lower nor an upper level'];
  if (lower !== undefined && upper !== undefined && lower >= upper) yield [['lower'], `must be below upper: ${lower} ≥ ${upper}`];
  if (lower !== undefined && capLower !== undefined) yield [['lower'], 'there is a capLower already: choose one'];
  if (upper !== undefined && capUpper !== undefined) yield [['upper'], 'there is a capUpper already: choose one'];
}

/** What a quantile needs and can't have. */
function* quantileIssues(metric: {
  readonly type: string;
  readonly aggregate: string;
  readonly quantileLevel?: number | undefined;
  readonly quantileOf?: string | undefined;
  readonly capLower?: string | undefined;
  readonly capUpper?: string | undefined;
  readonly covariate?: unknown;
}): Generator<readonly [path: string, message: string]> {
  const { type, aggregate, quantileLevel, quantileOf = 'events' } = metric;
  if (type !== 'quantile') {
    for (const name of ['quantileLevel', 'quantileOf'] as const)
      if (metric[name] !== undefined) yield [name, `only a quantile has a ${name}, this is a ${type}`];
    return;
  }
  if (quantileLevel === undefined) yield ['quantileLevel', 'a quantile needs its level, such as 0.95'];
  if (quantileOf === 'events' && aggregate !== 'sum') yield ['aggregate', 'a quantile of events takes each event’s own value'];
  if ((metric.capLower ?? metric.capUpper) !== undefined) yield ['capUpper', 'a quantile has no cap: large values do not move it'];
  if (metric.covariate !== undefined) yield ['covariate', 'a quantile has no covariate'];
}
export type MetricDefinition = z.infer<typeof metricDefinition>;
export type MetricInput = z.input<typeof metricDefinition>;
