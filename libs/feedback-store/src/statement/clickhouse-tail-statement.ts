/** The newest rows of an environment, events and exposures together. */
import type { PropertyValue, RowKind } from '@rampart/contracts';
import type { TailQuery, TailRow } from '../feedback-views.js';
import { spaceOf } from '../row-identity.js';
import { Parameters } from './clickhouse-parameters.js';

export interface StoredRow {
  readonly kind: string;
  readonly scopeName: string;
  readonly unitType: string;
  readonly unitHex: string;
  readonly at: string;
  readonly known: string;
  readonly taken: string | null;
  readonly shown: string | null;
  readonly segmentNumber: string | null;
  readonly why: string | null;
  readonly strings: Readonly<Record<string, string>>;
  readonly numbers: Readonly<Record<string, number>>;
  readonly booleans: Readonly<Record<string, boolean>>;
  readonly key: string;
}

export const tailStatement = ({ project, environment, name, unit, limit }: TailQuery): { sql: string; parameters: Parameters } => {
  const parameters = new Parameters();
  const space = spaceOf(project, environment);
  const named = name === undefined ? undefined : parameters.bind('String', name);
  const byName = named === undefined ? '' : ` AND name IN (${named}, concat('exposure:', ${named}), concat('assignment:', ${named}))`;
  const scopes = `SELECT scope FROM scope WHERE space = ${space}${byName}`;
  const byUnit = unit === undefined ? '' : ` AND unit = reinterpretAsUInt128(unhex(${parameters.bind('String', unit)}))`;
  const most = parameters.bind('UInt32', limit);
  const newest = (table: string, columns: string) =>
    `SELECT * FROM (SELECT ${columns}, scope, unit, id_hash, event_at, known_at, position, strings, numbers, booleans, key
  FROM ${table} WHERE scope IN (${scopes})${byUnit} ORDER BY known_at DESC, position DESC LIMIT 1 BY scope, unit, id_hash LIMIT ${most})`;
  const sql = `SELECT kind, s.name AS scopeName, s.unit_type AS unitType, lower(hex(reinterpretAsFixedString(r.unit))) AS unitHex,
  toString(event_at) AS at, toString(known_at) AS known, taken, shown, segmentNumber, why, strings, numbers, booleans, toString(key) AS key
FROM (
  ${newest('feedback', 'toString(kind) AS kind, if(isNull(value), NULL, toString(value)) AS taken, CAST(NULL AS Nullable(String)) AS shown, CAST(NULL AS Nullable(String)) AS segmentNumber, CAST(NULL AS Nullable(String)) AS why')}
  UNION ALL
  ${newest('exposure', "'' AS kind, CAST(NULL AS Nullable(String)) AS taken, CAST(toString(variant) AS Nullable(String)) AS shown, if(isNull(segment), NULL, toString(segment)) AS segmentNumber, CAST(toString(reason) AS Nullable(String)) AS why")}
) AS r INNER JOIN (SELECT scope, name, unit_type FROM scope FINAL WHERE space = ${space}) AS s ON s.scope = r.scope
ORDER BY known_at DESC, position DESC LIMIT ${most}`;
  return { sql, parameters };
};

export const tailRow = (row: StoredRow): TailRow => {
  const [prefix = '', ...rest] = row.scopeName.split(':');
  return {
    kind: (row.kind === '' ? prefix : row.kind) as RowKind,
    name: row.kind === '' ? rest.join(':') : row.scopeName,
    unitType: row.unitType,
    unit: row.unitHex,
    atUs: Number(row.at),
    knownAtUs: Number(row.known),
    value: row.taken,
    variant: row.shown,
    segment: row.segmentNumber === null ? null : Number(row.segmentNumber),
    reason: row.why,
    properties: { ...row.strings, ...row.numbers, ...row.booleans } as Readonly<Record<string, PropertyValue>>,
    key: row.key,
  };
};
