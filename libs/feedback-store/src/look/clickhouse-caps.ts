/** Caps at quantiles of units' totals: asked for before the sums, which then are those of a metric with fixed caps. */
import { canonicalJson, type InstantUs } from '@rampart/contracts';
import type { ClickhouseServers } from '../clickhouse-servers.js';
import { closesAfterUs, measured } from '../definition/measures.js';
import type { ComparisonQuery, ComparisonSums, MetricCaps, MetricQuery } from '../feedback-store.js';
import { capStatements } from '../statement/clickhouse-quantile-statements.js';
import { everything } from '../statement/clickhouse-units-statement.js';
import { lastErasureUs } from '../writing/clickhouse-erasure.js';

/** A query whose metrics have their caps, and what they are. */
export interface CappedQuery {
  readonly query: ComparisonQuery;
  readonly caps: NonNullable<ComparisonSums['caps']>;
}

export const withCaps = (sums: ComparisonSums, caps: CappedQuery['caps']): ComparisonSums => (caps.length === 0 ? sums : { ...sums, caps });

/** The same bounds: how many units gave them, and whether they stay, changes no total. */
export const isSameCaps = (a: CappedQuery['caps'], b: CappedQuery['caps']): boolean =>
  a.every(({ lower, upper }, place) => lower === b[place]?.lower && upper === b[place]?.upper);

type CapQuantile = NonNullable<MetricQuery['definition']['capQuantile']>;
interface Fixed {
  readonly sinceUs: InstantUs;
  readonly caps: MetricCaps;
}

export class ClickhouseCaps {
  /** Caps that stay as they are, by what they are caps of: a look every few seconds does not count the first units again. */
  private readonly fixed = new Map<string, Fixed>();

  constructor(private readonly servers: ClickhouseServers) {}

  async of(query: ComparisonQuery): Promise<CappedQuery> {
    if (query.metrics.every(({ definition }) => definition.capQuantile === undefined)) return { query, caps: [] };
    // The totals of a unit that is no more are not counted, also among the first.
    const erasedUs = query.capsOf === 'first-closed' ? await lastErasureUs(this.servers) : null;
    const metrics: MetricQuery[] = [];
    const caps: CappedQuery['caps'][number][] = [];
    for (const [place, metric] of query.metrics.entries()) {
      const { capQuantile } = metric.definition;
      const own = capQuantile === undefined ? undefined : await this.capsOf(query, { metric, capQuantile, erasedUs });
      metrics.push(own === undefined ? metric : { ...metric, caps: own });
      if (own !== undefined) caps.push({ metric: place, ...own });
    }
    return { query: { ...query, metrics }, caps };
  }

  forget(): void {
    this.fixed.clear();
  }

  private async capsOf(
    query: ComparisonQuery,
    { metric, capQuantile, erasedUs }: { metric: MetricQuery; capQuantile: CapQuantile; erasedUs: InstantUs | null },
  ): Promise<MetricCaps> {
    const { knownUntilUs, strata: _, quantiles: __, quantilesByStratum: ___, quantileLadder: ____, ...rules } = query;
    const alone: ComparisonQuery = { ...rules, knownUntilUs, metrics: [metric] };
    if (query.capsOf !== 'first-closed') return { ...(await this.counted(alone, capQuantile, null)), areFixed: true };
    const key = canonicalJson({ ...rules, metrics: [metric], erasedUs });
    const known = this.fixed.get(key);
    if (known !== undefined && known.sinceUs <= knownUntilUs) return known.caps;
    const lastUs = await this.lastOfCohort(alone, capQuantile);
    const found = await this.counted(alone, capQuantile, lastUs);
    const afterUs = closesAfterUs(measured(metric), query.allowedLatenessUs);
    if (lastUs === null || afterUs === null) return { ...found, areFixed: false };
    const caps = { ...found, areFixed: true };
    this.fixed.set(key, { sinceUs: lastUs + afterUs, caps });
    return caps;
  }

  /** When the last unit of the cohort was exposed; null while fewer have closed. */
  private async lastOfCohort(query: ComparisonQuery, { cohort }: CapQuantile): Promise<InstantUs | null> {
    const { parameters, closing } = capStatements(query, { ...this.local(), exposedUntilUs: null, cohort });
    const rows = await this.servers.whole.rows<{ exposed: string; units: string }>(
      `SELECT toString(t0) AS exposed, toString(sum(weight)) AS units FROM ${this.ofAll(closing)} GROUP BY t0 ORDER BY t0 LIMIT ${cohort}`,
      parameters.all(),
    );
    let units = 0;
    for (const row of rows) {
      units += Number(row.units);
      if (units >= cohort) return Number(row.exposed);
    }
    return null;
  }

  private async counted(
    query: ComparisonQuery,
    { lower, upper, ignoreZeros, cohort }: CapQuantile,
    exposedUntilUs: InstantUs | null,
  ): Promise<Omit<MetricCaps, 'areFixed'>> {
    const { parameters, totals } = capStatements(query, { ...this.local(), exposedUntilUs, cohort });
    const kept = `toInt64(${ignoreZeros ? 'if(value = 0, 0, weight)' : 'weight'})`;
    // The ranks of `quantileRanks`, by the same arithmetic on the same doubles.
    const rank = (level: number | undefined) =>
      `greatest(toInt64(1), least(many, toInt64(ceil(${level ?? 0.5} * toFloat64(many) - 1e-9))))`;
    const at = (level: number | undefined) => `toString(minIf(value, kept > 0 AND upto >= ${rank(level)}))`;
    const [found] = await this.servers.whole.rows<{ numbers: readonly string[] }>(
      `SELECT [toString(max(units)), toString(max(many)), ${at(lower)}, ${at(upper)}] AS numbers
FROM (SELECT value, ${kept} AS kept, sum(kept) OVER (ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto,
    sum(kept) OVER () AS many, sum(weight) OVER () AS units
  FROM (SELECT value, sum(weight) AS weight FROM ${this.ofAll(totals)} GROUP BY value HAVING weight > 0))`,
      parameters.all(),
    );
    const [units = '0', many = '0', least = '0', most = '0'] = found?.numbers ?? [];
    const bound = (level: number | undefined, text: string) => (level === undefined || many === '0' ? null : BigInt(text));
    return { lower: bound(lower, least), upper: bound(upper, most), units: Number(units) };
  }

  private local() {
    return { ...everything, exposures: this.servers.local(everything.exposures), events: this.servers.local(everything.events) };
  }

  private ofAll(sql: string): string {
    const { cluster } = this.servers;
    return cluster === undefined ? `(${sql})` : `cluster('${cluster}', view(${sql}))`;
  }
}
