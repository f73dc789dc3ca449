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
}

/** Provided by each service. An error with `retriable: true` (keys not known yet) is answered with 503. */
export abstract class ApiKeys {
  abstract byHash(hash: string): Promise<KeyRecord | undefined> | KeyRecord | undefined;
  /** For callers that name their project themselves: an unknown one is 404. @param isReading  nothing is changed by the request */
  abstract hasProject(project: string, isReading: boolean): Promise<boolean> | boolean;
}

export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');
