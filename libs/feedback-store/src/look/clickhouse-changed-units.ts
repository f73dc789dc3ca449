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

export const scopesRead = (queries: readonly ComparisonQuery[]): ScopesRead => ({
  exposures: [...new Set(queries.flatMap(exposureScopesOf))],
  events: [...countedFor(queries).keys()],
});

/** The scopes of events, with how long after an exposure one of them may count for anybody; null: for ever. */
export const countedFor = (queries: readonly ComparisonQuery[]): ReadonlyMap<bigint, number | null> => {
  const events = new Map<bigint, number | null>();
  for (const query of queries) {
    for (const { measured, closesAfterUs } of groupOf([query]).metrics) {
      for (const { selector } of measuresOf(measured)) {
        const scope = scopeOf({ ...query, name: selector.event });
        const known = events.get(scope);
        events.set(scope, known === null || closesAfterUs === null ? null : Math.max(known ?? 0, closesAfterUs));
      }
    }
  }
  return events;
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

/** Of units that are changed whatever their events: before any event there is. */
const WHENEVER = -(2 ** 60);

/**
 * With each unit the time of its earliest event that became known in between: what was exposed so long before that its windows were over counts as it did.
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
  const known = ([table, scopes, at]: readonly [string, readonly bigint[], string]) =>
    `SELECT unit, ${at} AS at FROM ${table} WHERE known_at > ${instant(sinceUs)} AND known_at <= ${instant(until)} AND scope IN (${scopes.join(', ') || '0'})`;
  const closing = [...closings(queries)].map(
    ([afterUs, scopes]) =>
      `SELECT unit, ${WHENEVER} AS at FROM exposure_time WHERE scope IN (${[...scopes].join(', ')}) AND exposure_time.at > ${instant(sinceUs - afterUs)} AND exposure_time.at <= ${instant(until - afterUs)}`,
  );
  const all = [
    ...(
      [
        // As early as it may count: a clock that is ahead is set back to when the event became known.
        ['feedback', events, 'least(event_at, known_at)'],
        ['exposure', exposures, `${WHENEVER}`],
      ] as const
    ).map(known),
    ...closing,
  ];
  return { sql: `SELECT unit, min(at) FROM (${all.join('\nUNION ALL ')}) GROUP BY unit`, parameters };
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
