/** What each service tells about its callers: `audit.v1`, and `key-uses.v1`, which is keyed by the key's id. */
import type { InstantUs } from './instants.js';

/** A command, or a request that was denied. Never a query, a body or a key. */
export interface AuditEntry {
  /** Of the first, where several are told as one. */
  readonly atUs: InstantUs;
  readonly service: string;
  /** `denied`: by key, role or reach. `refused`: by a rule. `failed`: by the service. */
  readonly outcome: 'done' | 'denied' | 'refused' | 'failed';
  /** Id of the key, or the name of a process; null: no key that is known. */
  readonly actor: string | null;
  readonly role: string | null;
  readonly project: string | null;
  readonly environment: string | null;
  /** Method and template of a route, or the type of an event. */
  readonly action: string;
  readonly target: Readonly<Record<string, string>>;
  /** Of HTTP. */
  readonly status: number;
  /** Of the problem; null where there was none. */
  readonly code: string | null;
  readonly requestId: string | null;
  /** Of the client, as the nearest proxy saw it. */
  readonly address: string | null;
  /** The same denial from the same address within a moment is told once. */
  readonly count: number;
}

export interface KeyUse {
  /** Its id. */
  readonly key: string;
  readonly atUs: InstantUs;
}
