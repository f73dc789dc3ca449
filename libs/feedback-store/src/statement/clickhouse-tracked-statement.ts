/** Units of a comparison of which any event has come: the last step of their way from assignment to a value. */
import { closesAfterUs, measured } from '../definition/measures.js';
import type { ComparisonQuery } from '../feedback-store.js';
import { scopeOf } from '../row-identity.js';
import { Parameters } from './clickhouse-parameters.js';
import { groupOf } from './clickhouse-query-group.js';
import { loggedSql, NEVER, populationOf, type Reading, UNKNOWN_CELL, unitsSql } from './clickhouse-units-statement.js';

/** Columns: cell, segment, units; of the rows of one server. @param query  with at least one metric */
export const trackedStatement = (query: ComparisonQuery, reading: Reading): { sql: string; parameters: Parameters } => {
  const parameters = new Parameters();
  const { strata: _, ...plain } = query;
  const units = unitsSql(groupOf([plain]), populationOf(query), parameters, reading);
  const last = parameters.bind('Int64', query.knownUntilUs);
  const scopes = [...new Set(trackedEvents(query).map((name) => scopeOf({ ...query, name })))];
  const closes = query.metrics.map((metric) => closesAfterUs(measured(metric), query.allowedLatenessUs));
  const crossed = closes.includes(null) ? `crossedAt < ${NEVER}` : `crossedAt <= t0 + ${Math.max(...closes.map(Number))}`;
  const isMember = query.multipleExposure === 'first' ? '1' : `NOT (${crossed})`;
  const sql = `SELECT toInt32(cell) AS cell, toInt32(segment) AS segment, toInt64(uniqExact(unit)) AS units
FROM (SELECT e.unit AS unit, u.cell AS cell, u.segment AS segment
  FROM (SELECT unit, event_at FROM ${reading.events} WHERE scope IN (${scopes.join(', ')}) AND known_at <= ${last}${loggedSql(query, parameters)}) AS e
  INNER JOIN (SELECT unit, t0, cell, segment FROM (${units}) WHERE hasFirst AND why = 0 AND cell != ${UNKNOWN_CELL} AND ${isMember}) AS u ON e.unit = u.unit
  WHERE e.event_at >= u.t0) GROUP BY cell, segment`;
  return { sql, parameters };
};

/** Names of the events that the metrics take values from. */
export const trackedEvents = ({ metrics }: Pick<ComparisonQuery, 'metrics'>): readonly string[] => [
  ...new Set(
    metrics.flatMap(({ definition: { numerator, denominator, steps = [] } }) =>
      [numerator, ...(denominator === undefined ? [] : [denominator]), ...steps].map(({ event }) => event),
    ),
  ),
];
