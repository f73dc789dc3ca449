/** The import plan: how the rows of a CSV file become exposures and outcomes of one experiment. */
import { analysisPlan, margin, metricDefinition, slug } from '@rampart/contracts';
import { z } from 'zod';
import { didYouMean } from '../suggestion.js';

const column = z.string().min(1);
const cellText = z.union([z.string(), z.number(), z.boolean()]);
const eventName = z.string().min(1).max(200);

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly column: string; readonly operator: Operator; readonly value?: string | number | boolean | readonly (string | number)[] };
const OPERATORS = ['eq', 'ne', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'exists'] as const;
export type Operator = (typeof OPERATORS)[number];

const condition: z.ZodType<Condition> = z.lazy(() =>
  z
    .strictObject({
      column: column.optional(),
      operator: z.enum(OPERATORS).default('eq'),
      value: z.union([cellText, z.array(z.union([z.string(), z.number()])).min(1)]).optional(),
      all: z.array(condition).min(1).optional(),
      any: z.array(condition).min(1).optional(),
    })
    .superRefine((filter, ctx) => {
      const given = [filter.column, filter.all, filter.any].filter((one) => one !== undefined).length;
      if (given !== 1) ctx.addIssue({ code: 'custom', message: `a filter has one of "column", "all" and "any", this has ${given}` });
      if (filter.column === undefined) return;
      const isList = Array.isArray(filter.value);
      const wantsList = filter.operator === 'in' || filter.operator === 'nin';
      if (filter.value === undefined && filter.operator !== 'exists')
        ctx.addIssue({ code: 'custom', path: ['value'], message: `"${filter.operator}" needs a value` });
      else if (isList !== wantsList && filter.operator !== 'exists')
        ctx.addIssue({ code: 'custom', path: ['value'], message: `"${filter.operator}" needs ${wantsList ? 'a list' : 'one value'}` });
      if (['gt', 'gte', 'lt', 'lte'].includes(filter.operator) && !Number.isFinite(Number(filter.value)))
        ctx.addIssue({ code: 'custom', path: ['value'], message: `"${filter.operator}" needs a number` });
    })
    .transform(({ all, any, column: name, operator, value }): Condition => {
      if (all !== undefined) return { all };
      if (any !== undefined) return { any };
      return { column: name ?? '', operator, ...(value === undefined ? {} : { value }) };
    }),
);

const when = z.array(condition).max(20).default([]).describe('only from rows for which all of these hold; default: from every row');

const unit = z
  .strictObject({
    column: column.optional().describe('the column that names the unit'),
    row: z.literal(true).optional().describe('every row is a unit: the file has no id'),
    type: z.string().min(1).max(200).optional().describe('default: user, or row'),
  })
  .superRefine((one, ctx) => {
    if ((one.column === undefined) === (one.row === undefined))
      ctx.addIssue({ code: 'custom', message: 'needs either "column" (the unit’s id) or "row": true (the file has none)' });
  })
  .transform(({ column: name, type }) => ({ column: name, type: type ?? (name === undefined ? 'row' : 'user') }));

const time = z
  .strictObject({
    column: column.optional(),
    columns: z.array(column).min(1).optional().describe('joined by a blank, e.g. date and hour'),
    zone: z.string().min(1).optional().describe('UTC or an IANA name, for times that say no zone'),
    format: z.string().min(1).optional().describe('e.g. YYYY-MM-DD H; default: ISO 8601 with a blank or T; or epoch-s, epoch-ms, epoch-us'),
    at: z.iso.datetime({ offset: true }).optional().describe('the rows have no time: everything happened then'),
  })
  .superRefine((one, ctx) => {
    const given = [one.column, one.columns, one.at].filter((field) => field !== undefined).length;
    if (given !== 1)
      ctx.addIssue({ code: 'custom', message: 'needs one of "column", "columns" and "at" (an instant for rows without time)' });
    if (one.at !== undefined && (one.zone ?? one.format) !== undefined)
      ctx.addIssue({ code: 'custom', path: ['at'], message: 'is an instant: it takes no zone and no format' });
    if (one.zone !== undefined && !isZone(one.zone))
      ctx.addIssue({ code: 'custom', path: ['zone'], message: `"${one.zone}" is no time zone; say UTC or a name such as Europe/Berlin` });
  });

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
};

const cellValues = z.union([cellText, z.array(cellText).min(1)]).transform((value) => (Array.isArray(value) ? value : [value]).map(String));
const cell = z.strictObject({
  variant: z.string().min(1).max(200).describe('a cell of the design: ratio checks look at cells'),
  arm: z.string().min(1).max(200).optional().describe('effects look at arms; default: the variant’s own name'),
  values: z
    .union([cellValues, z.record(column, cellValues)])
    .optional()
    .describe('what the arm columns say for this cell, or per column; default: the variant’s name'),
  weight: z.int().min(0).max(1_000_000).nullable().default(1).describe('share of the design; null = it states no ratio'),
});
export type Cell = z.infer<typeof cell>;

const arms = z
  .strictObject({
    column: column.optional(),
    columns: z.array(column).min(1).max(8).optional().describe('one exposure per column and row'),
    cells: z.array(cell).min(2).max(50).optional().describe('default: the values found, with equal weights'),
    when,
  })
  .superRefine((one, ctx) => {
    if ((one.column === undefined) === (one.columns === undefined))
      ctx.addIssue({ code: 'custom', message: 'needs either "column" or "columns"' });
  })
  .transform(({ column: name, columns = [], cells, when: conditions }) => ({
    columns: name === undefined ? columns : [name],
    cells,
    when: conditions,
  }));

const wordMap = z.record(z.string(), z.number()).describe('texts to numbers; numbers, true/false and yes/no are understood anyway');
const valueShape = z
  .strictObject({
    column: column.optional(),
    sum: z.array(column).min(1).optional().describe('several columns added up'),
    event: eventName.optional().describe('default: the column’s name'),
    map: wordMap.default({}),
    decimals: z.int().min(0).max(15).optional().describe('round to so many decimals; default: none is lost'),
    when,
  })
  .superRefine((one, ctx) => {
    const given = [one.column, one.sum].filter((field) => field !== undefined).length;
    if (given > 1 || (given === 0 && one.when.length === 0))
      ctx.addIssue({
        code: 'custom',
        message: 'needs either "column" or "sum" (several columns), or neither and "when": a row for which that holds then counts as 1',
      });
    if (one.column === undefined && one.event === undefined)
      ctx.addIssue({
        code: 'custom',
        path: ['event'],
        message: `${given === 0 ? 'what has no column' : 'a sum'} needs a name for its event`,
      });
  });
export interface ValueSpec {
  readonly event: string;
  /** None: the row itself is what happened, and its value is 1. */
  readonly columns: readonly string[];
  readonly when: readonly Condition[];
  readonly map: Readonly<Record<string, number>>;
  readonly decimals: number | undefined;
}
const value = z.union([column, valueShape]).transform((one): ValueSpec => {
  if (typeof one === 'string') return { event: one, columns: [one], when: [], map: {}, decimals: undefined };
  const columns = one.sum ?? (one.column === undefined ? [] : [one.column]);
  return { event: one.event ?? columns[0] ?? '', columns, when: one.when, map: one.map, decimals: one.decimals };
});

const property = z
  .union([
    column,
    z.strictObject({ column, name: z.string().min(1).max(200).optional(), type: z.enum(['text', 'number', 'boolean']).default('text') }),
  ])
  .transform((one) =>
    typeof one === 'string' ? { column: one, name: one, type: 'text' as const } : { ...one, name: one.name ?? one.column },
  );

const join = z.strictObject({
  file: z.string().min(1).describe('a second CSV, beside the data file (or a path from there)'),
  on: column.describe('column of the data file'),
  key: column.optional().describe('column of the second file; default: the same name'),
  columns: z.array(column).min(1).describe('columns that every row gains'),
});

const eventFilter = z.strictObject({
  property: z.string().min(1).max(200),
  operator: z.enum(OPERATORS),
  value: z.union([cellText, z.array(z.union([z.string(), z.number()])).min(1)]).optional(),
});
const selectorShape = z.strictObject({
  event: eventName,
  filters: z.array(eventFilter).max(20).optional(),
  property: z.string().min(1).optional(),
});
const selector = z.union([eventName, selectorShape]).transform((one) => (typeof one === 'string' ? { event: one } : one));
const aggregate = z.enum(['sum', 'max', 'min', 'first', 'last', 'count']);
const capDecimal = z.union([z.string(), z.number()]).transform(String);

const metric = z
  .strictObject({
    key: slug.optional().describe('default: made from the event’s name'),
    name: z.string().min(1).max(200).optional().describe('default: the key, or the event’s name'),
    description: z.string().max(2000).optional(),
    type: z.enum(['proportion', 'mean', 'count', 'ratio', 'first-error']).default('mean'),
    event: selector.optional().describe('same as numerator'),
    numerator: selector.optional(),
    denominator: selector.optional(),
    aggregate: aggregate.optional(),
    denominatorAggregate: aggregate.optional(),
    delayUs: z.int().min(0).optional(),
    windowUs: z.int().min(1).nullable().optional(),
    capLower: capDecimal.optional(),
    capUpper: capDecimal.optional(),
    capQuantile: metricDefinition.shape.capQuantile,
    covariate: z
      .union([
        eventName.transform((event) => ({ event, whenMissing: 'zero' as const, lookbackUs: undefined })),
        z.strictObject({
          event: eventName,
          whenMissing: z.enum(['zero', 'exclude']).default('zero'),
          lookbackUs: z.int().min(1).optional().describe('default: 1 day'),
        }),
      ])
      .optional()
      .describe('one of the plan’s covariates'),
    direction: z.enum(['increase', 'decrease']).optional(),
    population: z.enum(['exposed', 'assigned']).optional(),
    role: z.enum(['success', 'guardrail', 'secondary']).optional(),
    margin: margin.optional(),
  })
  .superRefine((one, ctx) => {
    if ((one.event === undefined) === (one.numerator === undefined))
      ctx.addIssue({ code: 'custom', message: 'needs either "event" or "numerator"' });
    if (one.margin !== undefined && one.role !== 'guardrail')
      ctx.addIssue({ code: 'custom', path: ['margin'], message: 'only a guardrail has a margin; set "role": "guardrail"' });
  });
export type PlanMetric = z.infer<typeof metric>;

export const importPlan = z
  .strictObject({
    $schema: z.string().optional(),
    key: slug.describe('names the experiment, its environment and every id'),
    name: z.string().min(1).max(200).optional(),
    hypothesis: z.string().max(2000).optional(),
    source: z.string().optional().describe('where the data are from; for readers'),
    unit,
    time,
    arms,
    control: z.string().min(1).optional().describe('arm; default: "control"'),
    missing: z.array(z.string()).default([]).describe('texts that mean no value, besides the empty one'),
    filters: z.array(condition).default([]).describe('rows that count; all must hold'),
    joins: z.array(join).max(8).default([]),
    values: z.array(value).max(50).default([]).describe('columns that become events'),
    covariates: z.array(value).max(50).default([]).describe('columns known one second before'),
    properties: z.array(property).max(100).default([]).describe('columns sent with every event'),
    metrics: z.array(metric).max(50).optional().describe('default: the mean of each value'),
    multipleExposure: analysisPlan.shape.multipleExposure.unwrap().optional(),
    policy: z.enum(['ship']).default('ship'),
    plan: analysisPlan.partial().optional().describe('alpha, beta … where the defaults are not wanted'),
  })
  .superRefine((plan, ctx) => {
    if (plan.values.length === 0 && plan.metrics === undefined)
      ctx.addIssue({ code: 'custom', path: ['values'], message: 'names no column: there would be nothing to compare' });
    const seen = new Set<string>();
    for (const [list, specs] of [
      ['values', plan.values],
      ['covariates', plan.covariates],
    ] as const)
      for (const [index, spec] of specs.entries()) {
        if (seen.has(spec.event))
          ctx.addIssue({ code: 'custom', path: [list, index], message: `the event "${spec.event}" is there already` });
        seen.add(spec.event);
      }
    const unknown = (path: PropertyKey[], event: string, list: 'values' | 'covariates') => {
      const known = plan[list].map((spec) => spec.event);
      if (known.includes(event)) return;
      const message = `no column of "${list}" becomes the event "${event}".${didYouMean(event, known)}`.replace(/\.$/, '');
      ctx.addIssue({ code: 'custom', path: ['metrics', ...path], message });
    };
    for (const [index, one] of (plan.metrics ?? []).entries()) {
      for (const part of ['event', 'numerator', 'denominator'] as const) {
        const chosen = one[part];
        if (chosen !== undefined) unknown([index, part], chosen.event, 'values');
      }
      if (one.covariate !== undefined) unknown([index, 'covariate'], one.covariate.event, 'covariates');
    }
  });
export type ImportPlan = z.infer<typeof importPlan>;

/** Every field that some part of a plan may have, for suggestions. */
export const PLAN_FIELDS: readonly string[] = [
  ...Object.keys(importPlan.shape),
  ...Object.keys(analysisPlan.shape),
  ...Object.keys(cell.shape),
  ...Object.keys(metric.shape),
  ...Object.keys(valueShape.shape),
  ...Object.keys(join.shape),
  ...['column', 'columns', 'cells', 'row', 'type', 'zone', 'format', 'at', 'operator', 'value', 'all', 'any', 'whenMissing', 'lookbackUs'],
  ...['filters', 'property', 'relative', 'absolute'],
];
