/** Whose numbers may differ between two instants: units that got a row in between, and units one of whose windows closed. */
import { type ComparisonQuery, untilOf } from '../feedback-store.js';
import { scopeOf } from '../row-identity.js';
import { Parameters } from '../statement/clickhouse-parameters.js';
import { exposureScopes } from '../statement/clickhouse-units-statement.js';
import { plannedMetrics } from './clickhouse-answers.js';

/** Of all queries: every row that any of their sums comes from is in one of these scopes. */
export interface ScopesRead {
  readonly exposures: readonly bigint[];
  readonly events: readonly bigint[];
}

export const scopesRead = (queries: readonly ComparisonQuery[]): ScopesRead => {
  const measures = (query: ComparisonQuery) =>
    plannedMetrics(query).flatMap(({ measured: { numerator, denominator, covariate } }) => [numerator, denominator, covariate]);
  const events = queries.flatMap((query) =>
    measures(query).flatMap((measure) => (measure === null ? [] : [scopeOf({ ...query, name: measure.selector.event })])),
  );
  return { exposures: [...new Set(queries.flatMap(exposureScopesOf))], events: [...new Set(events)] };
};

const exposureScopesOf = (query: ComparisonQuery): readonly bigint[] =>
  exposureScopes(query, query.metrics.some(({ definition }) => definition.population === 'assigned') ? 'assigned' : 'exposed');

/** Everybody is named who changed, and sometimes somebody who did not: a retry that lost touches its unit too. */
export const changedUnitsStatement = (
  queries: readonly ComparisonQuery[],
  sinceUs: number,
): { readonly sql: string; readonly parameters: Parameters } => {
  const parameters = new Parameters();
  const instant = (atUs: number) => parameters.bind('Int64', atUs);
  const until = untilOf(queries, sinceUs);
  const { exposures, events } = scopesRead(queries);
  const touched = `SELECT unit FROM touched WHERE known_at > ${instant(sinceUs)} AND known_at <= ${instant(until)} AND scope IN (${[...exposures, ...events].join(', ')})`;
  const closing = [...closings(queries)].map(
    ([afterUs, scopes]) =>
      `SELECT unit FROM exposure_time WHERE scope IN (${[...scopes].join(', ')}) AND at > ${instant(sinceUs - afterUs)} AND at <= ${instant(until - afterUs)}`,
  );
  return { sql: `SELECT DISTINCT unit FROM (${[touched, ...closing].join('\nUNION ALL ')})`, parameters };
};

/** How long after their exposures windows close, and the scopes of those. */
const closings = (queries: readonly ComparisonQuery[]): ReadonlyMap<number, ReadonlySet<bigint>> => {
  const scopes = new Map<number, Set<bigint>>();
  for (const query of queries) {
    for (const { closesAfterUs } of plannedMetrics(query)) {
      if (closesAfterUs === null) continue;
      const known = scopes.get(closesAfterUs) ?? new Set();
      for (const scope of exposureScopesOf(query)) known.add(scope);
      scopes.set(closesAfterUs, known);
    }
  }
  return scopes;
};
