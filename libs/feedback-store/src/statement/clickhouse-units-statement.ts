/** The units of a comparison as SQL: one row for each unit with an exposure, from which everything else about it follows. */

import type { InstantUs } from '@rampart/contracts';
import type { ComparisonQuery, SegmentStart } from '../feedback-store.js';
import { scopedName, scopeOf } from '../row-identity.js';
import type { Parameters } from './clickhouse-parameters.js';

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

export const exposureScopes = (query: ComparisonQuery, population: Population): readonly bigint[] =>
  (population === 'assigned' ? (['exposure', 'assignment'] as const) : (['exposure'] as const)).map((kind) =>
    scopeOf({ ...query, name: scopedName(kind, query.experiment) }),
  );

/** The arms in the order of the cells. */
export const armsOf = ({ cells }: ComparisonQuery): readonly string[] => [...new Set(cells.map(({ arm }) => arm))];

/**
 * Columns: unit, hasFirst, t0, segment, cell, why (index into `whys`), crossedAt (known time of the first SPLIT exposure in another arm, or NEVER),
 * lateExposures; and `until`, with one row for each of the two instants, where there are two. The first exposure is found by one minimum over a packed number: known time, tie, time, segment, cell, why.
 */
export const unitsSql = (query: ComparisonQuery, population: Population, parameters: Parameters, reading: Reading): string => {
  const until = reading.sinceUs === null ? '' : ', until';
  const arms = armsOf(query);
  const armOfCell = query.cells.map(({ arm }) => arms.indexOf(arm));
  // Of the arms that are not the unit's own, the one that was seen first; the place after the cells is that of an unknown variant.
  const others = arms.map((_, arm) => `if(arm = ${arm}, ${NEVER}, known${arm})`);
  return `SELECT unit${until}, first > 0 AS hasFirst,
  toInt64(toUInt64(bitShiftRight(first, 64))) - ${BIAS} AS t0,
  toUInt16(bitShiftRight(first, 16)) AS segment, toUInt8(bitShiftRight(first, 8)) AS cell, toUInt8(first) AS why,
  if(cell = ${UNKNOWN_CELL}, toUInt8(${UNKNOWN_CELL}), toUInt8([${armOfCell.join(', ')}][cell + 1])) AS arm,
  if(arm = ${UNKNOWN_CELL}, ${NEVER}, least(${[NEVER, ...others].join(', ')})) AS crossedAt, lateExposures
FROM (
  SELECT unit${until}, minIf(packed, isAdmissible) AS first, countIf(NOT isAdmissible) AS lateExposures,
    ${arms.map((_, arm) => `min(if(why = 0 AND arm = ${arm}, known_at, ${NEVER})) AS known${arm}`).join(', ')}
  FROM (${exposuresSql(query, population, parameters, { armOfCell, reading })})
  GROUP BY unit${until}
)`;
};

/** The segment in force at the time `t` of an exposure that names none. */
const inForceSql = ({ timeline: [first, ...later] }: ComparisonQuery, parameters: Parameters): string => {
  const number = ({ segment }: SegmentStart) => parameters.bind('UInt16', segment);
  if (later.length === 0) return number(first);
  const begun = later.toReversed().map((start) => `t >= ${parameters.bind('Int64', start.fromUs)}, ${number(start)}`);
  return `multiIf(${begun.join(', ')}, ${number(first)})`;
};

const exposuresSql = (
  query: ComparisonQuery,
  population: Population,
  parameters: Parameters,
  { armOfCell, reading }: { armOfCell: readonly number[]; reading: Reading },
): string => {
  const segment = `ifNull(segment, ${inForceSql(query, parameters)})`;
  const variants = parameters.bind(
    'Array(String)',
    query.cells.map(({ variant }) => variant),
  );
  const range = `[${[...query.cells.keys()].join(', ')}]`;
  const missing = whys.indexOf(query.reasonWhenMissing);
  const last = parameters.bind('Int64', query.knownUntilUs);
  const instants = reading.sinceUs === null ? '' : ` ARRAY JOIN [${last}, ${parameters.bind('Int64', reading.sinceUs)}] AS until`;
  return `SELECT unit${instants === '' ? '' : ', until'}, known_at, least(event_at, known_at) AS t, known_at <= t + ${parameters.bind('Int64', query.allowedLatenessUs)} AS isAdmissible,
    toUInt8(transform(variant, ${variants}, ${range}, ${UNKNOWN_CELL})) AS cell, toUInt8(transform(variant, ${variants}, [${armOfCell.join(', ')}], ${UNKNOWN_CELL})) AS arm,
    toUInt8(multiIf(reason = 'SPLIT', 0, reason = 'OVERRIDE', 1, reason = 'USER_CHANNEL', 2, reason IN ('HOLDOUT', 'STATIC'), 3, ${missing})) AS why,
    bitShiftLeft(toUInt256(toUInt64(known_at + ${BIAS})), 192) + bitShiftLeft(toUInt256(${tieSql(query.historical)}), 128)
      + bitShiftLeft(toUInt256(toUInt64(t + ${BIAS})), 64) + toUInt256(toUInt64(${segment}) * 65536 + toUInt64(cell) * 256 + why) AS packed
  FROM ${reading.exposures}${instants}
  WHERE scope IN (${exposureScopes(query, population).join(', ')}) AND known_at <= ${instants === '' ? last : 'until'}
    AND ${segment} IN (${query.segments.map((number) => parameters.bind('UInt16', number)).join(', ')})`;
};
