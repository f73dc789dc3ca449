/** What a metric would count in the events that are there, whoever was exposed. */

import { measured, takesValues } from '../definition/measures.js';
import type { PreviewQuery } from '../feedback-views.js';
import { scopeOf } from '../row-identity.js';
import { aggregateSql, cappedSql, placeSql } from './clickhouse-measures.js';
import { Parameters } from './clickhouse-parameters.js';
import { filtersSql, valueSql } from './clickhouse-selectors.js';

export const previewStatement = ({ project, environment, definition, sinceUs }: PreviewQuery): { sql: string; parameters: Parameters } => {
  const parameters = new Parameters();
  const metric = measured({ definition });
  const { selector, aggregate } = metric.numerator;
  const scope = scopeOf({ project, environment, name: selector.event, unitType: definition.unitType });
  const value = valueSql(selector, parameters);
  const hasValue = takesValues(metric.numerator) ? value.hasValue : '1';
  const isOrdered = aggregate === 'first' || aggregate === 'last';
  const number = cappedSql(aggregateSql(metric.numerator, 'taken', 'counts'), metric);
  const since = sinceUs === null ? '' : ` AND event_at >= ${parameters.bind('Int64', sinceUs)}`;
  const sql = `SELECT toString(sum(rows)) AS events, toString(sum(matched)) AS matching, toString(sum(matched - counted)) AS unconverted,
  toString(countIf(matched > 0)) AS units, toString(sumIf(toInt256(number), matched > 0)) AS sum,
  toString(min(first)) AS firstAt, toString(max(last)) AS lastAt
FROM (
  SELECT count() AS rows, countIf(matches) AS matched, countIf(counts) AS counted, ${number} AS number, min(event_at) AS first, max(event_at) AS last
  FROM (
    SELECT unit, event_at, ${value.value} AS taken, toBool(${filtersSql(selector.filters, parameters) || '1'}) AS matches,
      matches AND ${hasValue} AS counts${isOrdered ? `, ${placeSql(false)} AS ordering` : ''}
    FROM feedback FINAL WHERE scope = ${scope}${since}
  ) GROUP BY unit
)`;
  return { sql, parameters };
};
