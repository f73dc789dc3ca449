/** The views on ClickHouse. */
import type { DeadLetter, IngestStats } from '@rampart/contracts';
import type { ClickhouseConnection } from './clickhouse-connection.js';
import { type ClickhouseOptions, ClickhouseServers } from './clickhouse-servers.js';
import { measured, measuresOf } from './definition/measures.js';
import { type ComparisonQuery, type DuplicateCount, END_OF_TIME, type MetricPreview } from './feedback-store.js';
import {
  type CompletedImport,
  type EnvironmentName,
  FeedbackViews,
  type IngestTotals,
  type LetterPage,
  type LetterQuery,
  type ListedLetter,
  type Logged,
  type Placed,
  type PreviewQuery,
  type SeenName,
  type StatsQuery,
  type TailQuery,
  type TailRow,
} from './feedback-views.js';
import { idsOfPosition, scopedName, scopeOf, spaceOf } from './row-identity.js';
import { previewStatement } from './statement/clickhouse-preview-statement.js';
import { type StoredRow, tailRow, tailStatement } from './statement/clickhouse-tail-statement.js';
import { LOGGED_AT } from './statement/clickhouse-units-statement.js';

const HOUR_US = 3_600_000_000;

export class ClickhouseFeedbackViews extends FeedbackViews {
  private readonly servers: ClickhouseServers;
  private readonly connection: ClickhouseConnection;

  constructor(options: ClickhouseOptions) {
    super();
    this.servers = new ClickhouseServers(options);
    this.connection = this.servers.whole;
  }

  async duplicates(of: EnvironmentName | ComparisonQuery): Promise<DuplicateCount> {
    const space = spaceOf(of.project, of.environment);
    const scopes = 'metrics' in of ? `(${scopesRead(of).join(', ')})` : `(SELECT scope FROM scope WHERE space = ${space})`;
    const [row] = await this.connection.rows<{ accepted: string; stored: string; reused: string }>(`SELECT
  toString((SELECT sum(rows) FROM arrival FINAL WHERE scope IN ${scopes}) - (SELECT sum(rows) FROM erased FINAL WHERE scope IN ${scopes})) AS accepted,
  toString((SELECT count() FROM feedback FINAL WHERE scope IN ${scopes}) + (SELECT count() FROM exposure FINAL WHERE scope IN ${scopes})) AS stored,
  (SELECT toString(count()) FROM (SELECT id_hash FROM identity WHERE space = ${space} GROUP BY space, id_hash HAVING min(lowest) < max(highest) SETTINGS optimize_aggregation_in_order = 1)) AS reused`);
    const [accepted, stored, idsReused] = [Number(row?.accepted ?? 0), Number(row?.stored ?? 0), Number(row?.reused ?? 0)];
    return { accepted, stored, duplicates: accepted - stored, idsReused };
  }

  async preview(query: PreviewQuery): Promise<MetricPreview> {
    const { sql, parameters } = previewStatement(query);
    const [row] = await this.connection.rows<Record<string, string>>(sql, parameters.all());
    const number = (name: string) => Number(row?.[name] ?? 0);
    const events = number('events');
    return {
      events,
      matching: number('matching'),
      unconverted: number('unconverted'),
      units: number('units'),
      sum: number('units') === 0 ? null : BigInt(row?.sum ?? 0),
      firstAtUs: events === 0 ? null : number('firstAt'),
      lastAtUs: events === 0 ? null : number('lastAt'),
    };
  }

  async names({ project, environment }: EnvironmentName): Promise<readonly SeenName[]> {
    const space = spaceOf(project, environment);
    const counted = (table: string) =>
      `SELECT scope, count() AS rows, min(event_at) AS first, max(event_at) AS last FROM ${table} FINAL
  WHERE scope IN (SELECT scope FROM scope WHERE space = ${space}) GROUP BY scope`;
    const read = (table: string) =>
      this.connection.rows<{ name: string; unitType: string; rows: string; first: string; last: string }>(
        `SELECT s.name AS name, s.unit_type AS unitType, toString(c.rows) AS rows, toString(c.first) AS first, toString(c.last) AS last
FROM (${counted(table)}) AS c INNER JOIN (SELECT * FROM scope FINAL WHERE space = ${space}) AS s ON s.scope = c.scope ORDER BY name, unitType`,
      );
    const [events, exposures] = await Promise.all([read('feedback'), read('exposure')]);
    const seen = ({ name, unitType, rows, first, last }: (typeof events)[number], kind: SeenName['kind']): SeenName => ({
      kind,
      name,
      unitType,
      rows: Number(rows),
      firstAtUs: Number(first),
      lastAtUs: Number(last),
    });
    return [
      ...events.map((row) => seen(row, 'event')),
      ...exposures.map((row) => {
        const kind = row.name.startsWith('assignment:') ? 'assignment' : 'exposure';
        return seen({ ...row, name: row.name.slice(kind.length + 1) }, kind);
      }),
    ];
  }

  async lastSeen({
    project,
    environment,
    loggedUntilUs,
  }: EnvironmentName & Logged): Promise<readonly { readonly name: string; readonly lastAtUs: number }[]> {
    const space = spaceOf(project, environment);
    // Not FINAL: a duplicate that is not merged yet names nothing new.
    const rows = await this.connection.rows<{ name: string; last: string }>(
      `SELECT s.name AS name, toString(max(c.last)) AS last
FROM (SELECT scope, max(event_at) AS last FROM feedback WHERE scope IN (SELECT scope FROM scope WHERE space = ${space}) AND ${LOGGED_AT} <= {logged:Int64} GROUP BY scope) AS c
INNER JOIN (SELECT scope, any(name) AS name FROM scope WHERE space = ${space} GROUP BY scope) AS s ON s.scope = c.scope GROUP BY name ORDER BY name`,
      { logged: loggedUntilUs ?? END_OF_TIME },
    );
    return rows.map(({ name, last }) => ({ name, lastAtUs: Number(last) }));
  }

  async knownEvents({ project, environment }: EnvironmentName, afterUs: number, untilUs: number): Promise<readonly string[]> {
    if (untilUs - afterUs < HOUR_US) throw new RangeError(`known events are told apart by the hour, asked for ${untilUs - afterUs} µs`);
    const space = spaceOf(project, environment);
    // The two ends lie in different hours: of the first its last row decides, of the last its first.
    const rows = await this.connection.rows<{ name: string }>(
      `SELECT DISTINCT s.name AS name FROM (SELECT scope FROM known_hour
  WHERE space = ${space} AND hour >= intDiv({after:Int64}, ${HOUR_US}) AND hour <= intDiv({until:Int64}, ${HOUR_US})
  GROUP BY scope, hour HAVING max(last) > {after:Int64} AND min(first) <= {until:Int64}) AS c
INNER JOIN (SELECT scope, any(name) AS name FROM scope WHERE space = ${space} GROUP BY scope) AS s ON s.scope = c.scope ORDER BY name`,
      { after: afterUs, until: untilUs },
    );
    return rows.map(({ name }) => name);
  }

  async tail(query: TailQuery): Promise<readonly TailRow[]> {
    const { sql, parameters } = tailStatement(query);
    return (await this.connection.rows<StoredRow>(sql, parameters.all())).map(tailRow);
  }

  async completedImport({ project, environment, loggedUntilUs }: EnvironmentName & Logged): Promise<CompletedImport | null> {
    const [row] = await this.connection.rows<{ until: string; logged: string }>(
      `SELECT toString(until_at) AS until, toString(logged_at) AS logged FROM import FINAL WHERE space = ${spaceOf(project, environment)} AND logged_at <= {logged:Int64} ORDER BY logged_at DESC LIMIT 1`,
      { logged: loggedUntilUs ?? END_OF_TIME },
    );
    return row === undefined ? null : { untilUs: Number(row.until), loggedAtUs: Number(row.logged) };
  }

  async laterRows(of: ComparisonQuery): Promise<number> {
    if (of.loggedUntilUs === undefined) return 0;
    const later = (table: string) =>
      `(SELECT count() FROM ${table} FINAL WHERE scope IN (${scopesRead(of).join(', ')}) AND ${LOGGED_AT} > {logged:Int64})`;
    const [row] = await this.connection.rows<{ later: string }>(`SELECT toString(${later('feedback')} + ${later('exposure')}) AS later`, {
      logged: of.loggedUntilUs,
    });
    return Number(row?.later ?? 0);
  }

  async insertStats(messages: readonly Placed<IngestStats>[]): Promise<void> {
    const rows = messages.flatMap(({ partition, position, value }) =>
      value.counts.map(({ project, environment, key, kind, name, accepted, rejected }, index) => ({
        space: String(spaceOf(project, environment)),
        at: value.atUs,
        partition,
        position: String(position + BigInt(index)),
        key,
        kind,
        name,
        accepted,
        rejected,
      })),
    );
    await this.connection.insertObjects('ingest_count', rows);
  }

  async stats({ project, environment, sinceUs, key, name }: StatsQuery): Promise<readonly IngestTotals[]> {
    const rows = await this.connection.rows<{
      key: string;
      kind: string;
      name: string;
      acceptedRows: string;
      rejectedRows: Record<string, string>;
      last: string;
    }>(
      `SELECT key, kind, name, toString(sum(accepted)) AS acceptedRows, sumMap(rejected) AS rejectedRows, toString(max(at)) AS last
FROM ingest_count FINAL WHERE space = ${spaceOf(project, environment)} AND at >= {since:Int64}
  AND ({key:String} = '' OR key = {key:String}) AND ({name:String} = '' OR name = {name:String})
GROUP BY key, kind, name ORDER BY key, kind, name`,
      { since: sinceUs, key: key ?? '', name: name ?? '' },
    );
    return rows.map(({ acceptedRows, rejectedRows, last, ...row }) => ({
      ...row,
      accepted: Number(acceptedRows),
      rejected: Object.fromEntries(Object.entries(rejectedRows).map(([code, number]) => [code, Number(number)])),
      lastAtUs: Number(last),
    }));
  }

  async insertDeadLetters(letters: readonly Placed<DeadLetter>[]): Promise<void> {
    const rows = letters.map(({ partition, position, value }) => ({
      space: String(spaceOf(value.project ?? '', value.environment ?? '')),
      position: String(position),
      partition,
      key: value.key ?? '',
      code: value.code,
      path: value.path,
      message: value.message,
      received_at: value.receivedAtUs,
      event_id: value.eventId,
      source: value.source,
      raw: value.raw,
      topic: value.topic ?? '',
      place: value.position ?? '',
    }));
    await this.connection.insertObjects('dead_letter', rows);
  }

  async dropDeadLetters(partition: number, before: bigint): Promise<void> {
    const gone = `ALTER TABLE dead_letter DELETE WHERE partition = ${partition} AND position < ${before} SETTINGS mutations_sync = 1`;
    await Promise.all(this.servers.shards.map((shard) => shard.command(gone)));
  }

  async deadLetters({ project, environment, code, limit, before }: LetterQuery): Promise<LetterPage> {
    const where = `space = ${spaceOf(project, environment)} AND ({code:String} = '' OR code = {code:String})`;
    const parameters = { code: code ?? '', before: before ?? '18446744073709551615', limit: limit + 1 };
    const rows = await this.connection.rows<LetterRow>(
      `SELECT toString(position) AS cursor, partition, key, code, path, message, toString(received_at) AS received, event_id, source, raw, topic, place
FROM dead_letter FINAL WHERE ${where} AND position < {before:UInt64} ORDER BY position DESC LIMIT {limit:UInt32}`,
      parameters,
    );
    const counts = await this.connection.rows<{ code: string; letters: string }>(
      `SELECT code, toString(count()) AS letters FROM dead_letter FINAL WHERE space = ${spaceOf(project, environment)} GROUP BY code ORDER BY code`,
    );
    const page = rows.slice(0, limit);
    return {
      letters: page.map((row) => listed(row, { project, environment })),
      next: rows.length > limit ? (page.at(-1)?.cursor ?? null) : null,
      byCode: Object.fromEntries(counts.map(({ code: one, letters }) => [one, Number(letters)])),
    };
  }

  async close(): Promise<void> {
    await this.servers.close();
  }
}

interface LetterRow {
  /** Its position: where a page ends. */
  readonly cursor: string;
  readonly partition: number;
  readonly key: string;
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly received: string;
  readonly event_id: string | null;
  readonly source: string | null;
  readonly raw: string | null;
  readonly topic: string;
  readonly place: string;
}

const listed = (row: LetterRow, { project, environment }: EnvironmentName): ListedLetter => ({
  id: `${row.partition}-${idsOfPosition(BigInt(row.cursor)).offset}`,
  project: project === '' ? null : project,
  environment: environment === '' ? null : environment,
  key: row.key === '' ? null : row.key,
  code: row.code,
  path: row.path,
  message: row.message,
  receivedAtUs: Number(row.received),
  eventId: row.event_id,
  source: row.source,
  raw: row.raw,
  ...(row.topic === '' ? {} : { topic: row.topic }),
  ...(row.place === '' ? {} : { position: row.place }),
});

/** Every scope that the sums of a comparison come from. */
const scopesRead = (query: ComparisonQuery): readonly bigint[] => {
  const events = query.metrics.flatMap(({ definition }) => measuresOf(measured({ definition })).map(({ selector }) => selector.event));
  const names = [scopedName('exposure', query.experiment), scopedName('assignment', query.experiment), ...new Set(events)];
  return names.map((name) => scopeOf({ ...query, name }));
};
