/**
 * Queries that one statement answers, since a statement takes longer to plan than to count a few units. They are about one environment and type of unit, count
 * the same populations and strata under the same rules, and differ in experiment, cells, segments, timeline, and in which of the metrics they ask for.
 */
import { type MeasuredMetric, measured } from '../definition/measures.js';
import type { ComparisonQuery } from '../feedback-store.js';
import { type PlannedMetric, plannedMetric } from './clickhouse-row-masks.js';

export interface QueryGroup {
  readonly queries: readonly [ComparisonQuery, ...ComparisonQuery[]];
  /** Of all queries, each once. */
  readonly metrics: readonly PlannedMetric[];
  /** For each query, where its metrics are in `metrics`. */
  readonly uses: readonly (readonly number[])[];
}

/** Groups with the places of their queries in the list. A group holds each experiment once: a row of a scope belongs to one query. */
export const grouped = (
  queries: readonly ComparisonQuery[],
  mostTogether = 100,
): readonly { readonly group: QueryGroup; readonly places: readonly number[] }[] => {
  const groups = new Map<string, number[]>();
  for (const [place, query] of queries.entries()) {
    const like = rulesOf(query);
    for (let turn = 0; ; turn++) {
      const key = `${turn} ${like}`;
      const members = groups.get(key) ?? [];
      const isTaken = members.some((other) => queries[other]?.experiment === query.experiment);
      if (isTaken || members.length >= mostTogether) continue;
      groups.set(key, [...members, place]);
      break;
    }
  }
  return [...groups.values()].flatMap((places) => {
    const [first, ...others] = places.flatMap((place) => queries[place] ?? []);
    return first === undefined ? [] : [{ group: groupOf([first, ...others]), places }];
  });
};

export const groupOf = (queries: QueryGroup['queries']): QueryGroup => {
  const metrics = new Map<string, PlannedMetric>();
  const uses = queries.map((query) =>
    query.metrics.map((asked) => {
      const metric = measured(asked);
      const key = textOf(metric);
      const planned = metrics.get(key) ?? plannedMetric(metric, metrics.size, query);
      metrics.set(key, planned);
      return planned.index;
    }),
  );
  return { queries, metrics: [...metrics.values()], uses };
};

/** Everything but what may differ within a group. */
const rulesOf = (query: ComparisonQuery): string => {
  const { project, environment, unitType, historical, multipleExposure, allowedLatenessUs, knownUntilUs, loggedUntilUs, strata } = query;
  const populations = [...new Set(query.metrics.map(({ definition }) => definition.population))].sort();
  return JSON.stringify([
    project,
    environment,
    unitType,
    historical,
    multipleExposure,
    allowedLatenessUs,
    knownUntilUs,
    loggedUntilUs ?? null,
    strata ?? null,
    populations,
  ]);
};

const textOf = (metric: MeasuredMetric): string =>
  JSON.stringify(metric, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

/** What is each query's own, as SQL over the column `which`; itself where it is the same in all. */
export const ownSql = (values: readonly string[]): string => {
  const [first = ''] = values;
  return values.every((value) => value === first) ? first : `[${values.join(', ')}][which + 1]`;
};

/** Holds for the rows of these queries; empty where it holds for all. */
export const isOneOfSql = (group: QueryGroup, places: readonly number[]): string =>
  places.length === group.queries.length ? '' : `which IN (${places.join(', ')})`;
