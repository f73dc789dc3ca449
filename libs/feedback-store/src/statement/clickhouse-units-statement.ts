/** The units of a comparison as SQL: one row for each unit with an exposure, from which everything else about it follows. */

import { isDeepStrictEqual } from 'node:util';
import type { InstantUs } from '@rampart/contracts';
import { type ArmStrata, armsOf, type ComparisonQuery, type SegmentStart } from '../feedback-store.js';
import { scopedName, scopeOf } from '../row-identity.js';
import type { Parameters } from './clickhouse-parameters.js';
import { groupOf, ownSql, type QueryGroup } from './clickhouse-query-group.js';
import { stratumSql } from './clickhouse-strata.js';

export type Population = 'exposed' | 'assigned';

/** Where the rows of a statement lie, and the instants that it counts them at: the query's own, and one more where two are compared. */
export interface Reading {
  readonly exposures: string;
  readonly events: string;
  readonly sinceUs: InstantUs | null;
}

export const everything: Reading = { exposures: 'exposure FINAL', events: 'feedback FINAL', sinceUs: null };

/** Why a unit has its variant; its place is the number in the statement. */
export const whys = ['SPLIT', 'OVERRIDE', 'USER_CHANNEL', 'not-randomised', 'unknown'] as const;
/** The cell of a variant that the definition does not have. */
export const UNKNOWN_CELL = 255;
/** The time of what never happened. */
export const NEVER = '9000000000000000000';

// Instants may lie before 1970; packed numbers are unsigned.
const BIAS = '4611686018427387904';

/** What breaks a tie of known times: the place in the log, or, where files may be shuffled, the id. */
export const tieSql = (historical: boolean): string => (historical ? 'toUInt64(bitShiftRight(id_hash, 64))' : 'position');

/** When the log knew a row: where the row does not say itself when it became known, that is one and the same. */
export const LOGGED_AT = 'if(logged_at = 0, known_at, logged_at)';

/** Rows of a history that came after it was completed are not there. */
export const loggedSql = ({ loggedUntilUs }: ComparisonQuery, parameters: Parameters): string =>
  loggedUntilUs === undefined ? '' : ` AND ${LOGGED_AT} <= ${parameters.bind('Int64', loggedUntilUs)}`;

export const exposureScopes = (query: ComparisonQuery, population: Population): readonly bigint[] =>
  (population === 'assigned' ? (['exposure', 'assignment'] as const) : (['exposure'] as const)).map((kind) =>
    scopeOf({ ...query, name: scopedName(kind, query.experiment) }),
  );

/**
 * Columns: unit, hasFirst, t0, stratum (place among the values of the query's strata, from 1; 0: none of them), segment, cell, why (index into `whys`), crossedAt (known time of the first SPLIT exposure in another arm, or NEVER),
 * lateExposures; `until`, with one row for each of the two instants, where there are two; and `which`, with one row for each query, where there are several.
 * The first exposure is found by one minimum over a packed number: known time, tie, time, stratum, segment, cell, why.
 */
export const unitsSql = (group: QueryGroup, population: Population, parameters: Parameters, reading: Reading): string => {
  const keys = `unit${reading.sinceUs === null ? '' : ', until'}${group.queries.length === 1 ? '' : ', which'}`;
  const arms = [...Array(Math.max(...group.queries.map((query) => armsOf(query).length))).keys()];
  const armsOfCells = ownSql(group.queries.map((query) => `[${armsByCell(query).join(', ')}]`));
  const { strata } = group.queries[0];
  const armStrata = strata !== undefined && 'armIn' in strata ? strata : undefined;
  // Of the arms that are not the unit's own, the one that was seen first; the place after the cells is that of an unknown variant.
  const others = arms.map((arm) => `if(arm = ${arm}, ${NEVER}, known${arm})`);
  return `SELECT ${keys}, first > 0 AS hasFirst,
  toInt64(toUInt64(bitShiftRight(first, 64))) - ${BIAS} AS t0,
  ${armStrata === undefined ? 'toUInt16(bitShiftRight(first, 32))' : 'armThere'} AS stratum, toUInt16(bitShiftRight(first, 16)) AS segment, toUInt8(bitShiftRight(first, 8)) AS cell, toUInt8(first) AS why,
  if(cell = ${UNKNOWN_CELL}, toUInt8(${UNKNOWN_CELL}), toUInt8(${armsOfCells}[cell + 1])) AS arm,
  if(arm = ${UNKNOWN_CELL}, ${NEVER}, least(${[NEVER, ...others].join(', ')})) AS crossedAt, lateExposures
FROM (
  SELECT ${keys}, minIf(packed, isAdmissible) AS first, countIf(NOT isAdmissible) AS lateExposures,
    ${arms.map((arm) => `min(if(why = 0 AND arm = ${arm}, known_at, ${NEVER})) AS known${arm}`).join(', ')}
  FROM (${exposuresSql(group, population, parameters, reading)})
  GROUP BY ${keys}
)${armStrata === undefined ? '' : ` AS here ANY LEFT JOIN (${armsThereSql(armStrata, parameters, reading)}) AS there USING (unit)`}`;
};

/** Columns: unit, armThere (from 1); of the units that the other comparison counts. */
const armsThereSql = ({ armIn: { strata: _, ...query } }: ArmStrata, parameters: Parameters, reading: Reading): string => {
  const units = unitsSql(groupOf([query]), populationOf(query), parameters, reading);
  const once = query.multipleExposure === 'first' ? '' : ` AND crossedAt = ${NEVER}`;
  return `SELECT unit, toUInt16(arm) + 1 AS armThere FROM (${units}) WHERE hasFirst AND why = 0 AND cell != ${UNKNOWN_CELL}${once}`;
};

/** Whom a comparison counts: who was assigned, where none of its metrics asks for more. */
export const populationOf = ({ metrics }: ComparisonQuery): Population =>
  metrics.length > 0 && metrics.every(({ definition }) => definition.population === 'assigned') ? 'assigned' : 'exposed';

const armsByCell = (query: ComparisonQuery): readonly number[] => query.cells.map(({ arm }) => armsOf(query).indexOf(arm));

/** The segment in force at the time `t` of an exposure that names none. */
const inForceSql = ({ queries }: QueryGroup, parameters: Parameters): string => {
  const [{ timeline }] = queries;
  if (queries.every((query) => isDeepStrictEqual(query.timeline, timeline))) return inForceInOneSql(timeline, parameters);
  const bound = (type: string, of: (start: SegmentStart) => number) =>
    ownSql(queries.map((query) => parameters.bind(`Array(${type})`, query.timeline.map(of))));
  const [numbers, starts] = [bound('UInt16', ({ segment }) => segment), bound('Int64', ({ fromUs }) => fromUs)];
  return `${numbers}[greatest(1, arrayLastIndex(start -> start <= t, ${starts}))]`;
};

const inForceInOneSql = ([first, ...later]: ComparisonQuery['timeline'], parameters: Parameters): string => {
  const number = ({ segment }: SegmentStart) => parameters.bind('UInt16', segment);
  if (later.length === 0) return number(first);
  const begun = later.toReversed().map((start) => `t >= ${parameters.bind('Int64', start.fromUs)}, ${number(start)}`);
  return `multiIf(${begun.join(', ')}, ${number(first)})`;
};

/** Of a variant: its place among the cells of its query, and the place of its arm. */
const cellAndArmSql = ({ queries }: QueryGroup, parameters: Parameters): { readonly cell: string; readonly arm: string } => {
  const [query] = queries;
  const bound = queries.map(({ cells }) =>
    parameters.bind(
      'Array(String)',
      cells.map(({ variant }) => variant),
    ),
  );
  if (queries.every(({ cells }) => isDeepStrictEqual(cells, query.cells))) {
    const placed = (places: readonly number[]) => `transform(variant, ${bound[0]}, [${places.join(', ')}], ${UNKNOWN_CELL})`;
    return { cell: placed([...query.cells.keys()]), arm: placed(armsByCell(query)) };
  }
  const place = `indexOf([${bound.join(', ')}][which + 1], toString(variant))`;
  const arms = ownSql(queries.map((one) => `[${armsByCell(one).join(', ')}]`));
  return {
    cell: `if(${place} = 0, ${UNKNOWN_CELL}, ${place} - 1)`,
    arm: `if(cell = ${UNKNOWN_CELL}, ${UNKNOWN_CELL}, ${arms}[cell + 1])`,
  };
};

/** @param more  further columns, each after a comma */
export const exposuresSql = (group: QueryGroup, population: Population, parameters: Parameters, reading: Reading, more = ''): string => {
  const { queries } = group;
  const [query] = queries;
  const { strata } = query;
  const segment = `ifNull(segment, ${inForceSql(group, parameters)})`;
  const missing = ownSql(queries.map(({ reasonWhenMissing }) => String(whys.indexOf(reasonWhenMissing))));
  const segments = ownSql(queries.map((one) => parameters.bind('Array(UInt16)', one.segments)));
  const { cell, arm } = cellAndArmSql(group, parameters);
  const last = parameters.bind('Int64', query.knownUntilUs);
  const instants = reading.sinceUs === null ? '' : ` ARRAY JOIN [${last}, ${parameters.bind('Int64', reading.sinceUs)}] AS until`;
  const scopes = queries.flatMap((one, at) => exposureScopes(one, population).map((scope) => ({ scope, at })));
  const numbers = scopes.map(({ scope }) => scope).join(', ');
  const which =
    queries.length === 1 ? '' : `, toUInt16(transform(scope, [${numbers}], [${scopes.map(({ at }) => at).join(', ')}], 0)) AS which`;
  return `SELECT unit${instants === '' ? '' : ', until'}${which}, known_at, least(event_at, known_at) AS t, known_at <= t + ${parameters.bind('Int64', query.allowedLatenessUs)} AS isAdmissible,
    toUInt8(${cell}) AS cell, toUInt8(${arm}) AS arm,
    toUInt8(multiIf(reason = 'SPLIT', 0, reason = 'OVERRIDE', 1, reason = 'USER_CHANNEL', 2, reason IN ('HOLDOUT', 'STATIC'), 3, ${missing})) AS why,
    bitShiftLeft(toUInt256(toUInt64(known_at + ${BIAS})), 192) + bitShiftLeft(toUInt256(${tieSql(query.historical)}), 128)
      + bitShiftLeft(toUInt256(toUInt64(t + ${BIAS})), 64)
      + toUInt256(${strata === undefined || 'armIn' in strata ? '' : `toUInt64(${stratumSql(strata, parameters)}) * 4294967296 + `}toUInt64(${segment}) * 65536 + toUInt64(cell) * 256 + why) AS packed${more}
  FROM ${reading.exposures}${instants}
  WHERE scope IN (${numbers}) AND known_at <= ${instants === '' ? last : 'until'}${loggedSql(query, parameters)} AND has(${segments}, ${segment})`;
};
