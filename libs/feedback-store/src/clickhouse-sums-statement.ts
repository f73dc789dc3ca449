/**
 * One statement from raw rows to sums of one population. Each joined row gets a mask that says what it is to which metric (numerator, denominator,
 * covariate, late, unconverted); rows become a few numbers per unit, and units become exact integers per cell, segment and reason.
 */
import { Parameters } from './clickhouse-parameters.js';
import { filtersSql, type ValueSql, valueSql } from './clickhouse-selectors.js';
import { NEVER, type Population, tieSql, UNKNOWN_CELL, unitsSql } from './clickhouse-units-statement.js';
import type { ComparisonQuery } from './feedback-store.js';
import { closesAfterUs, type Measure, type MeasuredMetric, takesValues } from './measures.js';
import { scopeOf } from './row-identity.js';

export interface Statement {
  readonly sql: string;
  readonly parameters: Parameters;
}

/** A metric with its place in the query. */
export interface PlannedMetric {
  readonly index: number;
  readonly measured: MeasuredMetric;
  readonly closesAfterUs: number | null;
}

type Role = 'numerator' | 'denominator' | 'covariate';

/** What one measure does with the rows of its scope. */
interface RoleSql {
  readonly metric: PlannedMetric;
  readonly role: Role;
  readonly measure: Measure;
  readonly scope: bigint;
  readonly filters: string;
  readonly value: ValueSql;
}

export const plannedMetric = (measured: MeasuredMetric, index: number, query: ComparisonQuery): PlannedMetric => ({
  index,
  measured,
  closesAfterUs: closesAfterUs(measured, query.allowedLatenessUs),
});

/** How many flags of the mask (64) a metric takes. */
export const flagsOf = ({ measured }: PlannedMetric): number => 3 + (measured.denominator ? 1 : 0) + (measured.covariate ? 1 : 0);
export const MASK_FLAGS = 64;

export const sumsStatement = (
  query: ComparisonQuery,
  population: Population,
  metrics: readonly PlannedMetric[],
  lastCloseUs: number | null,
): Statement => {
  const parameters = new Parameters();
  const units = unitsSql(query, population, parameters);
  const roles = metrics.flatMap((metric) => rolesOf(metric, query, parameters));
  const until = parameters.bind('Int64', query.knownUntilUs);
  const flags = new Flags(metrics);
  const perUnit = roles.length === 0 ? `SELECT ${unitColumns.join(', ')} FROM (${units})` : unitSums(units, roles, flags, { query, until });
  const isCandidate = `why = 0 AND cell != ${UNKNOWN_CELL}`;
  const crossed = lastCloseUs === null ? `crossedAt < ${NEVER}` : `crossedAt <= t0 + ${lastCloseUs}`;
  const sql = `SELECT toInt32(cell) AS cell, toInt32(segment) AS segment, toInt32(why) AS why, toString(countIf(hasFirst)) AS units,
  toString(countIf(hasFirst AND ${isCandidate} AND ${crossed})) AS crossed,
  toString(countIf(hasFirst AND ${isCandidate} AND crossedAt < ${NEVER} AND NOT (${crossed}))) AS crossedLate,
  toString(sum(lateExposures)) AS lateExposures${metrics.map((metric) => `,\n  ${metricSums(metric, query, until, isCandidate).join(', ')}`).join('')}
FROM (${perUnit})
GROUP BY cell, segment, why`;
  return { sql, parameters };
};

const unitColumns = ['hasFirst', 't0', 'segment', 'cell', 'why', 'crossedAt', 'lateExposures'];

const rolesOf = (metric: PlannedMetric, query: ComparisonQuery, parameters: Parameters): readonly RoleSql[] =>
  (['numerator', 'denominator', 'covariate'] as const).flatMap((role) => {
    const measure = metric.measured[role];
    if (measure === null) return [];
    const scope = scopeOf({ ...query, name: measure.selector.event });
    const filters = filtersSql(measure.selector.filters, parameters);
    return [{ metric, role, measure, scope, filters, value: valueSql(measure.selector, parameters) }];
  });

/** Gives each (metric, meaning) a bit. */
class Flags {
  private readonly numbers = new Map<string, number>();

  constructor(metrics: readonly PlannedMetric[]) {
    for (const metric of metrics) {
      for (const meaning of ['numerator', 'late', 'unconverted']) this.numbers.set(`${metric.index} ${meaning}`, this.numbers.size);
      if (metric.measured.denominator !== null) this.numbers.set(`${metric.index} denominator`, this.numbers.size);
      if (metric.measured.covariate !== null) this.numbers.set(`${metric.index} covariate`, this.numbers.size);
    }
  }

  bit(metric: PlannedMetric, meaning: Role | 'late' | 'unconverted'): number {
    return this.numbers.get(`${metric.index} ${meaning}`) ?? -1;
  }

  has(metric: PlannedMetric, meaning: Role | 'late' | 'unconverted'): string {
    return `bitTest(mask, ${this.bit(metric, meaning)})`;
  }
}

/** The rows joined to their units, and the few numbers that a unit has for each metric. */
const unitSums = (
  units: string,
  roles: readonly RoleSql[],
  flags: Flags,
  { query, until }: { query: ComparisonQuery; until: string },
): string => {
  const scopes = [...new Set(roles.map(({ scope }) => scope))];
  const masks = scopes.map(
    (scope) =>
      `scope = ${scope}, ${maskSql(
        roles.filter((role) => role.scope === scope),
        flags,
      )}`,
  );
  const isOrdered = roles.some(({ measure }) => measure.aggregate === 'first' || measure.aggregate === 'last');
  const order = isOrdered
    ? `, bitShiftLeft(toUInt128(toUInt64(event_at + 4611686018427387904)), 64) + toUInt128(${tieSql(query.historical)}) AS place`
    : '';
  const values = [...new Set(roles.filter(({ measure }) => takesValues(measure)).map(({ value }) => value.value))];
  const valueColumn = (value: ValueSql) => `v${values.indexOf(value.value)}`;
  const perUnit = roles.flatMap((role) => roleSums(role, flags, valueColumn(role.value)));
  const counts = [...new Set(roles.map(({ metric }) => metric))].flatMap((metric) => [
    `countIf(${flags.has(metric, 'late')}) AS late${metric.index}`,
    `countIf(${flags.has(metric, 'unconverted')}) AS unconverted${metric.index}`,
  ]);
  return `SELECT ${unitColumns.map((column) => `any(u.${column}) AS ${column}`).join(', ')}, ${[...perUnit, ...counts].join(', ')}
FROM (
  SELECT u.unit AS unit, ${unitColumns.map((column) => `u.${column}`).join(', ')}${order}${values.map((value, at) => `, ${value} AS v${at}`).join('')},
    event_at - u.t0 AS age, known_at - u.t0 AS lag,
    if(u.hasFirst AND u.why = 0 AND u.cell != ${UNKNOWN_CELL}, multiIf(${masks.join(', ')}, 0), 0) AS mask
  FROM (SELECT * FROM feedback FINAL WHERE scope IN (${scopes.join(', ')}) AND known_at <= ${until}) AS e
  RIGHT JOIN (${units}) AS u ON e.unit = u.unit
) AS u
GROUP BY u.unit`;
};

const maskSql = (roles: readonly RoleSql[], flags: Flags): string => {
  const conditions = new Map<number, string[]>();
  for (const role of roles) {
    for (const [meaning, condition] of meanings(role)) {
      const bit = flags.bit(role.metric, meaning);
      conditions.set(bit, [...(conditions.get(bit) ?? []), `(${condition})`]);
    }
  }
  const terms = [...conditions].map(([bit, any]) => `toUInt64(${any.join(' OR ')}) * ${1n << BigInt(bit)}`);
  return terms.join(' + ') || 'toUInt64(0)';
};

const meanings = ({ metric, role, measure, filters, value }: RoleSql): readonly (readonly [Role | 'late' | 'unconverted', string])[] => {
  const { delayUs, windowUs, covariate } = metric.measured;
  const inTime = metric.closesAfterUs === null ? '1' : `lag <= ${metric.closesAfterUs}`;
  const hasValue = takesValues(measure) ? value.hasValue : '1';
  if (role === 'covariate') return [[role, `${filters} AND age < 0 AND age >= -${covariate?.lookbackUs} AND ${inTime} AND ${hasValue}`]];
  const inWindow = `${filters} AND age >= ${delayUs}${windowUs === null ? '' : ` AND age < ${delayUs + windowUs}`}`;
  return [
    [role, `${inWindow} AND ${inTime} AND ${hasValue}`],
    ...(metric.closesAfterUs === null ? [] : [['late', `${inWindow} AND NOT (${inTime})`] as const]),
    ...(takesValues(measure) ? [['unconverted', `${inWindow} AND ${inTime} AND NOT (${hasValue})`] as const] : []),
  ];
};

const roleSums = (role: RoleSql, flags: Flags, value: string): readonly string[] => {
  const { metric, measure } = role;
  const has = flags.has(metric, role.role);
  const number = aggregateSql(measure, value, has);
  switch (role.role) {
    case 'numerator':
      return [`${capped(number, metric.measured)} AS x${metric.index}`];
    case 'denominator':
      return [`${number} AS y${metric.index}`];
    case 'covariate':
      return [`${number} AS c${metric.index}`, `countIf(${has}) > 0 AS has${metric.index}`];
  }
};

/** Zero without rows. `max`, `min`, `first` and `last` of nothing are 0 in the engine too. */
const aggregateSql = ({ aggregate }: Measure, value: string, has: string): string => {
  switch (aggregate) {
    case 'any':
      return `toInt128(countIf(${has}) > 0) * 1000000`;
    case 'count':
      return `toInt128(countIf(${has})) * 1000000`;
    case 'sum':
      return `sumIf(toInt128(${value}), ${has})`;
    case 'max':
      return `toInt128(maxIf(${value}, ${has}))`;
    case 'min':
      return `toInt128(minIf(${value}, ${has}))`;
    case 'first':
      return `toInt128(argMinIf(${value}, place, ${has}))`;
    case 'last':
      return `toInt128(argMaxIf(${value}, place, ${has}))`;
  }
};

// Not least and greatest: the engine compiles those wrongly for Int128.
const capped = (number: string, { capLower, capUpper }: MeasuredMetric): string => {
  const lower = capLower === null ? [] : [`(${number}) < toInt128('${capLower}'), toInt128('${capLower}')`];
  const upper = capUpper === null ? [] : [`(${number}) > toInt128('${capUpper}'), toInt128('${capUpper}')`];
  const bounds = [...lower, ...upper];
  return bounds.length === 0 ? number : `multiIf(${bounds.join(', ')}, ${number})`;
};

/** The sums over the units of a group: each column is text, since the integers are wider than JSON's numbers. */
const metricSums = (metric: PlannedMetric, query: ComparisonQuery, until: string, isCandidate: string): readonly string[] => {
  const { index, measured, closesAfterUs: closes } = metric;
  const isIn = `hasFirst AND ${isCandidate}${query.multipleExposure === 'first' ? '' : ` AND ${closes === null ? `crossedAt = ${NEVER}` : `crossedAt > t0 + ${closes}`}`}`;
  const isClosed = closes === null ? '1' : `t0 + ${closes} <= ${until}`;
  const counts = `(${isIn} AND ${isClosed})`;
  const [x, y, c] = [`x${index}`, `y${index}`, `c${index}`];
  const product = (a: string, b: string, name: string, where = counts) =>
    `toString(sumIf(toInt256(${a}) * ${b}, ${where})) AS ${name}${index}`;
  const total = (a: string, name: string, where = counts) => `toString(sumIf(toInt256(${a}), ${where})) AS ${name}${index}`;
  const adjusted = measured.covariate?.whenMissing === 'exclude' ? `(${counts} AND has${index})` : counts;
  return [
    `toString(countIf(${counts})) AS n${index}`,
    `toString(countIf(${isIn} AND NOT (${isClosed}))) AS open${index}`,
    total(x, 'sx'),
    product(x, x, 'sxx'),
    ...(measured.denominator === null ? [] : [total(y, 'sy'), product(y, y, 'syy'), product(x, y, 'sxy')]),
    ...(measured.covariate === null
      ? []
      : [
          `toString(countIf(${adjusted})) AS nc${index}`,
          total(x, 'cx', adjusted),
          product(x, x, 'cxx', adjusted),
          total(c, 'sc', adjusted),
          product(c, c, 'scc', adjusted),
          product(x, c, 'sxc', adjusted),
        ]),
    `toString(sumIf(late${index}, ${counts})) AS lateEvents${index}`,
    `toString(sumIf(unconverted${index}, ${counts})) AS unconvertedRows${index}`,
  ];
};
