/** Whose numbers may differ between two instants: units that got a row in between, and units one of whose windows closed. */
import { measuresOf } from '../definition/measures.js';
import { type ComparisonQuery, untilOf } from '../feedback-store.js';
import { scopeOf } from '../row-identity.js';
import { Parameters } from '../statement/clickhouse-parameters.js';
import { groupOf } from '../statement/clickhouse-query-group.js';
import { type PropertyMap, propertyMaps } from '../statement/clickhouse-selectors.js';
import { exposureScopes } from '../statement/clickhouse-units-statement.js';

/** Of all queries: every row that any of their sums comes from is in one of these scopes. */
export interface ScopesRead {
  readonly exposures: readonly bigint[];
  readonly events: readonly bigint[];
}

export const scopesRead = (queries: readonly ComparisonQuery[]): ScopesRead => {
  const events = queries.flatMap((query) =>
    groupOf([query])
      .metrics.flatMap(({ measured }) => measuresOf(measured))
      .map(({ selector }) => scopeOf({ ...query, name: selector.event })),
  );
  return { exposures: [...new Set(queries.flatMap(exposureScopesOf))], events: [...new Set(events)] };
};

/** The maps of properties that any of the queries looks into. */
export const mapsRead = (queries: readonly ComparisonQuery[]): readonly PropertyMap[] =>
  propertyMaps(
    queries
      .flatMap((query) => groupOf([query]).metrics)
      .flatMap(({ measured }) => measuresOf(measured))
      .map(({ selector }) => selector),
  );

const exposureScopesOf = (query: ComparisonQuery): readonly bigint[] =>
  exposureScopes(query, query.metrics.some(({ definition }) => definition.population === 'assigned') ? 'assigned' : 'exposed');

/**
 * A unit of whose rows none became known in between, and none of whose windows closed, counts the same at both instants. Everybody else is named, and
 * sometimes somebody who did not change: a duplicate names its unit too.
 */
export const changedUnitsStatement = (
  queries: readonly ComparisonQuery[],
  sinceUs: number,
): { readonly sql: string; readonly parameters: Parameters } => {
  const parameters = new Parameters();
  const instant = (atUs: number) => parameters.bind('Int64', atUs);
  const until = untilOf(queries, sinceUs);
  const { exposures, events } = scopesRead(queries);
  const known = ([table, scopes]: readonly [string, readonly bigint[]]) =>
    `SELECT unit FROM ${table} WHERE known_at > ${instant(sinceUs)} AND known_at <= ${instant(until)} AND scope IN (${scopes.join(', ') || '0'})`;
  const closing = [...closings(queries)].map(
    ([afterUs, scopes]) =>
      `SELECT unit FROM exposure_time WHERE scope IN (${[...scopes].join(', ')}) AND at > ${instant(sinceUs - afterUs)} AND at <= ${instant(until - afterUs)}`,
  );
  const all = [
    ...(
      [
        ['feedback', events],
        ['exposure', exposures],
      ] as const
    ).map(known),
    ...closing,
  ];
  return { sql: `SELECT DISTINCT unit FROM (${all.join('\nUNION ALL ')})`, parameters };
};

/** How long after their exposures windows close, and the scopes of those. */
const closings = (queries: readonly ComparisonQuery[]): ReadonlyMap<number, ReadonlySet<bigint>> => {
  const scopes = new Map<number, Set<bigint>>();
  for (const query of queries) {
    for (const { closesAfterUs } of groupOf([query]).metrics) {
      if (closesAfterUs === null) continue;
      const known = scopes.get(closesAfterUs) ?? new Set();
      for (const scope of exposureScopesOf(query)) known.add(scope);
      scopes.set(closesAfterUs, known);
    }
  }
  return scopes;
};
