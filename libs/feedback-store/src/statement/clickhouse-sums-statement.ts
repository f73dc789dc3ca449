/**
 * One statement from raw rows to the sums of one population. Each joined row gets a mask that says what it is to which metric; rows become a few numbers
 * per unit, and units become exact integers per cell and segment. A second branch counts the units, so that those without events are counted too.
 */

import type { InstantUs } from '@rampart/contracts';
import { boundTo, takesValues } from '../definition/measures.js';
import type { ComparisonQuery } from '../feedback-store.js';
import { aggregateSql, cappedSql, placeSql } from './clickhouse-measures.js';
import { Parameters } from './clickhouse-parameters.js';
import { isOneOfSql, ownSql, type QueryGroup } from './clickhouse-query-group.js';
import { Masks, type PlannedMetric, type RoleSql, rolesOf } from './clickhouse-row-masks.js';
import { propertyMaps, type ValueSql } from './clickhouse-selectors.js';
import { loggedSql, NEVER, type Population, type Reading, UNKNOWN_CELL, unitsSql } from './clickhouse-units-statement.js';

export interface Statement {
  readonly sql: string;
  readonly parameters: Parameters;
  /** What `numbers` holds, in order: in rows whose part is `units`, and in those whose part is `sums`. */
  readonly columns: Readonly<Record<'units' | 'sums', readonly string[]>>;
}

/** What a statement of another kind is made of: the same units, rows and numbers per unit. */
export interface CountedRows {
  readonly parameters: Parameters;
  readonly masks: Masks;
  /** Columns as `unitsSql`. */
  readonly units: string;
  /** Rows that mean something to a metric, of units that take part: rn (the unit), place (its last byte the cell), mask, v0 … */
  readonly joined: string;
  /** Over the rows of a unit: x0 … */
  readonly perUnit: readonly string[];
  /** Holds for a unit of `units` whose value is final. */
  closedMember(metric: PlannedMetric): string;
}

/** @param reading  at one instant; @param exposedUntilUs  only units whose first exposure is not later; null: all */
export const countedRows = (
  group: QueryGroup,
  population: Population,
  metrics: readonly PlannedMetric[],
  { exposedUntilUs = null, ...reading }: Reading & { readonly exposedUntilUs?: InstantUs | null },
): CountedRows => {
  const parameters = new Parameters();
  const [query] = group.queries;
  const all = unitsSql(group, population, parameters, reading);
  const units = exposedUntilUs === null ? all : `SELECT * FROM (${all}) WHERE t0 <= ${parameters.bind('Int64', exposedUntilUs)}`;
  const last = parameters.bind('Int64', query.knownUntilUs);
  const masks = new Masks(metrics);
  const roles = metrics.flatMap((metric) => rolesOf(metric, query, parameters));
  const logged = loggedSql(query, parameters);
  const joined = joinedRows(units, roles, masks, { group, metrics, reading, last, logged, until: last, isEarlier: 'toUInt8(0)' });
  const closedMember = (metric: PlannedMetric) => `${isMember(metric, query)} AND ${isClosed(metric, last)}`;
  return { parameters, masks, units, joined, perUnit: unitNumbers(roles, metrics, masks), closedMember };
};

interface Column {
  readonly name: string;
  readonly sql: string;
}

export const sumsStatement = (
  group: QueryGroup,
  population: Population,
  metrics: readonly PlannedMetric[],
  reading: Reading,
): Statement => {
  const parameters = new Parameters();
  const [query] = group.queries;
  const units = unitsSql(group, population, parameters, reading);
  const last = parameters.bind('Int64', query.knownUntilUs);
  const isTwo = reading.sinceUs !== null;
  const until = isTwo ? 'until' : last;
  const isEarlier = isTwo ? `toUInt8(until < ${last})` : 'toUInt8(0)';
  const masks = new Masks(metrics);
  const roles = metrics.flatMap((metric) => rolesOf(metric, query, parameters));
  const counts = [...populationColumns(group), ...unitColumns(metrics, query, until)];
  const sums = metrics.flatMap((metric) => sumColumns(metric, masks));
  const counted = `SELECT 'units' AS part, toUInt16(${isOne(group) ? 0 : 'which'}) AS which, ${isEarlier} AS earlier, toInt32(cell) AS cell, toInt32(segment) AS segment, toInt32(stratum) AS stratum, toInt32(why) AS why, ${numbers(counts)}
FROM (${units}) GROUP BY ${isTwo ? 'until, ' : ''}${isOne(group) ? '' : 'which, '}cell, segment, stratum, why`;
  const logged = loggedSql(query, parameters);
  const joined = joinedRows(units, roles, masks, { group, metrics, reading, last, logged, until, isEarlier });
  const summed = `SELECT 'sums' AS part, toUInt16(intDiv(place, 4294967296)) AS which, toUInt8(intDiv(place, 16777216) % 256) AS earlier, toInt32(place % 256) AS cell, toInt32(intDiv(place, 256) % 65536) AS segment, toInt32(intDiv(place, 281474976710656)) AS stratum, toInt32(0) AS why, ${numbers(sums)}
FROM (SELECT any(place) AS place, any(allowed) AS allowed, ${unitNumbers(roles, metrics, masks).join(', ')}
FROM (${joined}) GROUP BY rn)
GROUP BY place`;
  return {
    sql: metrics.length === 0 ? counted : `${counted}\nUNION ALL\n${summed}`,
    parameters,
    columns: { units: counts.map(({ name }) => name), sums: sums.map(({ name }) => name) },
  };
};

const isOne = ({ queries }: QueryGroup): boolean => queries.length === 1;

// Text, since the integers are wider than JSON's numbers.
const numbers = (columns: readonly Column[]): string => `[${columns.map(({ sql }) => `toString(${sql})`).join(', ')}] AS numbers`;

const isCandidate = `(hasFirst AND why = 0 AND cell != ${UNKNOWN_CELL})`;

// Later than any window closes, and still before NEVER when a time is added.
const WITHOUT_CLOSE = '4000000000000000000';

const populationColumns = (group: QueryGroup): readonly Column[] => {
  const lastCloses = group.uses.map((used) => {
    const closes = used.map((index) => group.metrics[index]?.closesAfterUs ?? null);
    // After the first exposure, when the last window of all metrics closes.
    return closes.length === 0 || closes.includes(null) ? WITHOUT_CLOSE : `${Math.max(...closes.map(Number))}`;
  });
  const crossed = `crossedAt <= t0 + ${ownSql(lastCloses)}`;
  return [
    { name: 'units', sql: 'countIf(hasFirst)' },
    { name: 'crossed', sql: `countIf(${isCandidate} AND ${crossed})` },
    { name: 'crossedLate', sql: `countIf(${isCandidate} AND crossedAt < ${NEVER} AND NOT (${crossed}))` },
    { name: 'lateExposures', sql: 'sum(lateExposures)' },
  ];
};

const isMember = ({ closesAfterUs }: PlannedMetric, { multipleExposure }: ComparisonQuery): string => {
  if (multipleExposure === 'first') return isCandidate;
  return `(${isCandidate} AND ${closesAfterUs === null ? `crossedAt = ${NEVER}` : `crossedAt > t0 + ${closesAfterUs}`})`;
};

const isClosed = ({ closesAfterUs, measured }: PlannedMetric, until: string): string =>
  closesAfterUs === null || measured.countsWhileOpen ? '1' : `(t0 + ${closesAfterUs} <= ${until})`;

/** Metrics that close together count the same units. */
const unitColumns = (metrics: readonly PlannedMetric[], query: ComparisonQuery, until: string): readonly Column[] =>
  metrics
    .filter(({ counting }, index) => metrics.findIndex((other) => other.counting === counting) === index)
    .flatMap((metric) => closedColumns(metric, query, until));

const closedColumns = (metric: PlannedMetric, query: ComparisonQuery, until: string): readonly Column[] => [
  { name: `n${metric.counting}`, sql: `countIf(${isMember(metric, query)} AND ${isClosed(metric, until)})` },
  { name: `open${metric.counting}`, sql: `countIf(${isMember(metric, query)} AND NOT ${isClosed(metric, until)})` },
];

interface Joining {
  readonly group: QueryGroup;
  readonly metrics: readonly PlannedMetric[];
  readonly reading: Reading;
  /** The last of the instants. */
  readonly last: string;
  /** A further condition of rows; empty where there is none. */
  readonly logged: string;
  /** The instant of a unit's row. */
  readonly until: string;
  readonly isEarlier: string;
}

/** Rows of units that take part, each with its mask; rows that mean nothing to any metric are gone. */
const joinedRows = (
  units: string,
  roles: readonly RoleSql[],
  masks: Masks,
  { group, metrics, reading, last, logged, until, isEarlier }: Joining,
): string => {
  const [query] = group.queries;
  const isTwo = reading.sinceUs !== null;
  const which = isOne(group) ? '' : 'toUInt64(which) * 4294967296 + ';
  const stratum = query.strata === undefined ? '' : 'toUInt64(stratum) * 281474976710656 + ';
  const maps = propertyMaps(roles.map(({ measure }) => measure.selector)).map((map) => `, e.${map} AS ${map}`);
  const scopes = [...new Set(roles.map(({ scope }) => scope))];
  const values = valuesOf(roles).map((value, at) => `, ${value} AS v${at}`);
  const names = ['rn', 'place', 'allowed', ...values.map((_, at) => `v${at}`), ...(roles.some(isOrdered) ? ['ordering'] : [])].join(', ');
  const { conditions, mask } = masks.sql(roles);
  return `SELECT ${names}, bitAnd(allowed, ${mask}) AS mask
FROM (SELECT scope, rn, place, allowed${values.join('')}${roles.some(isOrdered) ? `, ${placeSql(query.historical)} AS ordering` : ''},
  ${conditions.map((condition, at) => `(${condition}) AS c${at}`).join(', ')}
FROM (SELECT e.scope AS scope, e.id_hash AS id_hash, e.event_at AS event_at, e.position AS position, e.value AS value${maps.join('')},
  u.rn AS rn, u.place AS place, u.allowed AS allowed, e.event_at - u.t0 AS age, e.known_at - u.t0 AS lag
FROM (SELECT * FROM ${reading.events} WHERE scope IN (${scopes.join(', ')}) AND known_at <= ${last}${logged}) AS e
INNER JOIN (
  SELECT unit${isTwo ? ', until' : ''}, t0, ${stratum}${which}toUInt32(${isEarlier}) * 16777216 + toUInt32(segment) * 256 + cell AS place,
    ${allowedSql(metrics, masks, group, until)} AS allowed, toUInt32(rowNumberInAllBlocks()) AS rn
  FROM (${units}) WHERE allowed != 0
) AS u ON e.unit = u.unit${isTwo ? ' WHERE e.known_at <= u.until' : ''}))
WHERE mask != 0`;
};

/** The bits of the metrics that a unit takes part in. */
const allowedSql = (metrics: readonly PlannedMetric[], masks: Masks, group: QueryGroup, until: string): string => {
  const bits = new Map<string, bigint>();
  for (const metric of metrics) {
    const askedBy = [...group.uses.keys()].filter((at) => group.uses[at]?.includes(metric.index));
    const isAsked = isOneOfSql(group, askedBy);
    const takesPart = [...(isAsked === '' ? [] : [isAsked]), isMember(metric, group.queries[0]), isClosed(metric, until)].join(' AND ');
    bits.set(takesPart, (bits.get(takesPart) ?? 0n) | masks.all(metric));
  }
  return [...bits].map(([takesPart, all]) => `if(${takesPart}, toUInt64(${all}), 0)`).join(' + ');
};

const isOrdered = ({ measure, role }: RoleSql): boolean =>
  measure.aggregate === 'first' || measure.aggregate === 'last' || role.startsWith('step');

const valuesOf = (roles: readonly RoleSql[]): readonly string[] => [
  ...new Set(roles.filter(({ measure }) => takesValues(measure)).map(({ value }) => value.value)),
];

/** The numbers of one unit. */
const unitNumbers = (roles: readonly RoleSql[], metrics: readonly PlannedMetric[], masks: Masks): readonly string[] => {
  const values = valuesOf(roles);
  const column = ({ value }: ValueSql) => `v${values.indexOf(value)}`;
  const rare = masks.rare(metrics);
  return [
    ...roles.flatMap(({ metric, role, measure, value }) => {
      const has = masks.has(metric, role);
      const number = aggregateSql(measure, column(value), has);
      if (role === 'numerator') {
        const { steps } = metric.measured;
        return [`${steps.length > 0 ? steppedSql(metric, masks) : cappedSql(number, metric.measured)} AS x${metric.index}`];
      }
      if (role.startsWith('step')) return [];
      if (role === 'denominator') return [`${number} AS y${metric.index}`];
      return [`${number} AS ${covariateName(metric, Number(role.slice('covariate'.length)))}`];
    }),
    ...metrics
      .filter(({ measured }) => measured.required.length > 0)
      .map((metric) => `${hasRequired(metric, masks)} AS has${metric.index}`),
    // One list that is nearly always empty, instead of two counters for each metric.
    `groupArrayIf(mask, bitAnd(mask, ${rare}) != 0) AS rare`,
  ];
};

/** Rows in their order, each the next step or none: 1 where the last was reached. */
const steppedSql = (metric: PlannedMetric, masks: Masks): string => {
  const bits = [...metric.measured.steps.map((_, place) => masks.bit(metric, `step${place}`)), masks.bit(metric, 'numerator')];
  const any = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
  const rows = `arraySort(row -> row.1, groupArrayIf((ordering, mask), bitAnd(mask, toUInt64(${any})) != 0))`;
  const next = `if(reached < ${bits.length} AND bitTest(row.2, [${bits.join(', ')}][least(toUInt8(reached + 1), ${bits.length})]), toUInt8(reached + 1), reached)`;
  return `toInt128(arrayFold((reached, row) -> ${next}, ${rows}, toUInt8(0)) = ${bits.length}) * 1000000`;
};

const covariateName = ({ index }: PlannedMetric, place: number): string => `c${index}_${place}`;

const hasRequired = (metric: PlannedMetric, masks: Masks): string =>
  metric.measured.required
    .map((group) => `(${group.map((place) => `countIf(${masks.has(metric, `covariate${place}`)}) > 0`).join(' OR ')})`)
    .join(' AND ');

/** Sums over the units that have any row. Where a unit without rows counts as more or less than 0, those with rows are counted as well. */
const sumColumns = (metric: PlannedMetric, masks: Masks): readonly Column[] => {
  const { index, measured } = metric;
  const [x, y, c] = [`x${index}`, `y${index}`, covariateName(metric, 0)];
  const zeroIsNotZero = boundTo(measured, 0n) !== 0n;
  const takesPart = `bitTest(allowed, ${masks.bit(metric, 'numerator')})`;
  const sum = (name: string, sql: string, where = zeroIsNotZero ? takesPart : '') => ({
    name: `${name}${index}`,
    sql: where === '' ? `sum(toInt256(${sql}))` : `sumIf(toInt256(${sql}), ${where})`,
  });
  const ratio = [sum('sy', y), sum('syy', `${y}) * toInt256(${y}`), sum('sxy', `${x}) * toInt256(${y}`)];
  const isKnown = measured.required.length > 0 ? `has${index}` : undefined;
  const known = isKnown === undefined ? [] : [{ name: `nc${index}`, sql: `countIf(${isKnown})` }];
  const covariate = [
    sum('sc', c, isKnown),
    sum('scc', `${c}) * toInt256(${c}`, isKnown),
    sum('sxc', `${x}) * toInt256(${c}`, isKnown),
    ...(isKnown === undefined ? [] : [sum('cx', x, isKnown), sum('cxx', `${x}) * toInt256(${x}`, isKnown)]),
  ];
  const values = [x, ...(measured.denominator === null ? [] : [y]), ...measured.covariates.map((_, place) => covariateName(metric, place))];
  const joint = values.flatMap((one, i) => [
    sum(`j${i}_`, one, isKnown),
    ...values.slice(i).map((other, j) => sum(`j${i}_${i + j}_`, `${one}) * toInt256(${other}`, isKnown)),
  ]);
  const rare = (name: string, meaning: 'late' | 'unconverted') => ({
    name: `${name}${index}`,
    sql: `sum(arrayCount(one -> bitTest(one, ${masks.bit(metric, meaning)}), rare))`,
  });
  return [
    ...(zeroIsNotZero ? [{ name: `rows${index}`, sql: `countIf(${takesPart})` }] : []),
    sum('sx', x),
    sum('sxx', `${x}) * toInt256(${x}`),
    ...(measured.denominator === null ? [] : ratio),
    ...known,
    ...(measured.covariates.length === 1 ? covariate : []),
    ...(measured.covariates.length > 1 ? joint : []),
    rare('late', 'late'),
    rare('unconverted', 'unconverted'),
  ];
};
