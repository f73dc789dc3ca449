/** Where a service finds the keys it believes. Keys themselves are stored nowhere, only their SHA-256. */
import { createHash } from 'node:crypto';

/**
 * What a key may do: `admin` everything, `manager` define and decide in one project, `analyst` read in one project.
 * `emit` and `import` stand apart: they send events to one environment and read nothing. `client` is public: it stands in apps and pages, and may only
 * evaluate features and emit events in one environment.
 */
export type Role = 'admin' | 'manager' | 'analyst' | 'emit' | 'import' | 'client';

export interface KeyRecord {
  readonly id: string;
  /** SHA-256 of the whole key, 64 hex digits. */
  readonly hash: string;
  readonly role: Role;
  /** null = every project. */
  readonly project: string | null;
  /** null = every environment of the project. */
  readonly environment: string | null;
  readonly revoked: boolean;
  /** The secret before the last rotation, and until when it works, in microseconds since the epoch. */
  readonly previous?: { readonly hash: string; readonly untilUs: number };
  /** Absent: never. */
  readonly expiresAtUs?: number;
  /** What one process takes from it; absent: the default of the service. */
  readonly quota?: Quota;
}

/** Events a second in the long run, and at once after a pause. */
export interface Quota {
  readonly eventsPerSecond: number;
  readonly burst: number;
}

/** Provided by each service. An error with `retriable: true` (keys not known yet) is answered with 503. */
export abstract class ApiKeys {
  /** By the hash of the key or of the one before its rotation; what does not work any more included. */
  abstract byHash(hash: string): Promise<KeyRecord | undefined> | KeyRecord | undefined;
  /** For callers that name their project themselves: an unknown one is 404. @param isReading  nothing is changed by the request */
  abstract hasProject(project: string, isReading: boolean): Promise<boolean> | boolean;
}

export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');
