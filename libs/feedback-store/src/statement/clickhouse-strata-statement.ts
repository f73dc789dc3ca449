/** The values of a property among the units of a comparison. */
import type { ComparisonQuery } from '../feedback-store.js';
import { Parameters } from './clickhouse-parameters.js';
import { groupOf } from './clickhouse-query-group.js';
import { propertyTextSql } from './clickhouse-strata.js';
import { exposuresSql, populationOf, type Reading, UNKNOWN_CELL } from './clickhouse-units-statement.js';

/** Columns: kind, text, units; of the rows of one server. */
export const strataStatement = (query: ComparisonQuery, property: string, reading: Reading): { sql: string; parameters: Parameters } => {
  const parameters = new Parameters();
  const text = `, ${propertyTextSql(property, parameters)} AS told`;
  const { strata: _, ...plain } = query;
  const exposures = exposuresSql(groupOf([plain]), populationOf(query), parameters, reading, text);
  const sql = `SELECT told.1 AS kind, told.2 AS text, toString(count()) AS units
FROM (SELECT minIf(packed, isAdmissible) AS first, argMinIf(told, packed, isAdmissible) AS told FROM (${exposures}) GROUP BY unit)
WHERE first > 0 AND toUInt8(first) = 0 AND toUInt8(bitShiftRight(first, 8)) != ${UNKNOWN_CELL} GROUP BY told`;
  return { sql, parameters };
};
