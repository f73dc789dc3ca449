/** The units of a comparison as SQL: one row for each unit with an exposure, from which everything else about it follows. */

import type { ComparisonQuery, SegmentStart } from '../feedback-store.js';
import { scopedName, scopeOf } from '../row-identity.js';
import type { Parameters } from './clickhouse-parameters.js';

export type Population = 'exposed' | 'assigned';

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

const scopesOf = (query: ComparisonQuery, population: Population): readonly bigint[] =>
  (population === 'assigned' ? (['exposure', 'assignment'] as const) : (['exposure'] as const)).map((kind) =>
    scopeOf({ ...query, name: scopedName(kind, query.experiment) }),
  );

/** The arms in the order of the cells. */
export const armsOf = ({ cells }: ComparisonQuery): readonly string[] => [...new Set(cells.map(({ arm }) => arm))];

/**
 * Columns: unit, hasFirst, t0, segment, cell, why (index into `whys`), crossedAt (known time of the first SPLIT exposure in another arm, or NEVER),
 * lateExposures. The first exposure is found by one minimum over a packed number: known time, tie, time, segment, cell, why.
 */
export const unitsSql = (query: ComparisonQuery, population: Population, parameters: Parameters): string => {
  const arms = armsOf(query);
  const armOfCell = query.cells.map(({ arm }) => arms.indexOf(arm));
  // Of the arms that are not the unit's own, the one that was seen first; the place after the cells is that of an unknown variant.
  const others = arms.map((_, arm) => `if(arm = ${arm}, ${NEVER}, known${arm})`);
  return `SELECT unit, first > 0 AS hasFirst,
  toInt64(toUInt64(bitShiftRight(first, 64))) - ${BIAS} AS t0,
  toUInt16(bitShiftRight(first, 16)) AS segment, toUInt8(bitShiftRight(first, 8)) AS cell, toUInt8(first) AS why,
  if(cell = ${UNKNOWN_CELL}, toUInt8(${UNKNOWN_CELL}), toUInt8([${armOfCell.join(', ')}][cell + 1])) AS arm,
  if(arm = ${UNKNOWN_CELL}, ${NEVER}, least(${[NEVER, ...others].join(', ')})) AS crossedAt, lateExposures
FROM (
  SELECT unit, minIf(packed, isAdmissible) AS first, countIf(NOT isAdmissible) AS lateExposures,
    ${arms.map((_, arm) => `min(if(why = 0 AND arm = ${arm}, known_at, ${NEVER})) AS known${arm}`).join(', ')}
  FROM (${exposuresSql(query, population, parameters, armOfCell)})
  GROUP BY unit
)`;
};

/** The segment in force at the time `t` of an exposure that names none. */
const inForceSql = ({ timeline: [first, ...later] }: ComparisonQuery, parameters: Parameters): string => {
  const number = ({ segment }: SegmentStart) => parameters.bind('UInt16', segment);
  if (later.length === 0) return number(first);
  const begun = later.toReversed().map((start) => `t >= ${parameters.bind('Int64', start.fromUs)}, ${number(start)}`);
  return `multiIf(${begun.join(', ')}, ${number(first)})`;
};

const exposuresSql = (query: ComparisonQuery, population: Population, parameters: Parameters, armOfCell: readonly number[]): string => {
  const segment = `ifNull(segment, ${inForceSql(query, parameters)})`;
  const variants = parameters.bind(
    'Array(String)',
    query.cells.map(({ variant }) => variant),
  );
  const range = `[${[...query.cells.keys()].join(', ')}]`;
  const missing = whys.indexOf(query.reasonWhenMissing);
  return `SELECT unit, known_at, least(event_at, known_at) AS t, known_at <= t + ${parameters.bind('Int64', query.allowedLatenessUs)} AS isAdmissible,
    toUInt8(transform(variant, ${variants}, ${range}, ${UNKNOWN_CELL})) AS cell, toUInt8(transform(variant, ${variants}, [${armOfCell.join(', ')}], ${UNKNOWN_CELL})) AS arm,
    toUInt8(multiIf(reason = 'SPLIT', 0, reason = 'OVERRIDE', 1, reason = 'USER_CHANNEL', 2, reason IN ('HOLDOUT', 'STATIC'), 3, ${missing})) AS why,
    bitShiftLeft(toUInt256(toUInt64(known_at + ${BIAS})), 192) + bitShiftLeft(toUInt256(${tieSql(query.historical)}), 128)
      + bitShiftLeft(toUInt256(toUInt64(t + ${BIAS})), 64) + toUInt256(toUInt64(${segment}) * 65536 + toUInt64(cell) * 256 + why) AS packed
  FROM exposure FINAL
  WHERE scope IN (${scopesOf(query, population).join(', ')}) AND known_at <= ${parameters.bind('Int64', query.knownUntilUs)}
    AND ${segment} IN (${query.segments.map((number) => parameters.bind('UInt16', number)).join(', ')})`;
};
