/** Collects what a statement binds: text that a person wrote never becomes part of the SQL. */
import type { QueryParameters } from '../clickhouse-connection.js';

type Bound = string | number | bigint | boolean | readonly (string | number | bigint)[];

export class Parameters {
  private readonly bound: Record<string, Bound> = {};

  /** @returns the placeholder to write in its place */
  bind(type: string, value: Bound): string {
    const name = `p${Object.keys(this.bound).length}`;
    this.bound[name] = value;
    return `{${name}:${type}}`;
  }

  all(): QueryParameters {
    return this.bound;
  }
}
