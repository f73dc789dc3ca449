/** An API key: who calls, and how far that reaches. Only the hash of a key is ever known here. */

export type Role = 'admin' | 'manager' | 'analyst' | 'emit' | 'import' | 'client';

/** How many events a key may send: so many a second in the long run, and so many at once after a pause. */
export interface Quota {
  readonly eventsPerSecond: number;
  readonly burst: number;
}

export type ApiKeyEvent =
  | {
      readonly type: 'ApiKeyCreated';
      readonly id: string;
      readonly hash: string;
      readonly role: Role;
      readonly project: string | null;
      readonly environment: string | null;
      readonly name: string;
      /** Absent: it does not expire. */
      readonly expiresAtUs?: number;
      /** Absent: that of the service. */
      readonly quota?: Quota;
      readonly atUs: number;
    }
  | {
      readonly type: 'ApiKeyRotated';
      readonly hash: string;
      /** Until when the secret before this one works, too. Absent: it stops at once. */
      readonly previousUntilUs?: number;
      /** Absent: as before. */
      readonly expiresAtUs?: number;
      readonly atUs: number;
    }
  /** null: that of the service again. */
  | { readonly type: 'ApiKeyLimited'; readonly quota: Quota | null; readonly atUs: number }
  | { readonly type: 'ApiKeyRevoked'; readonly atUs: number };

export type ApiKey =
  | { readonly status: 'absent' }
  | ({ readonly status: 'active' } & IssuedKey)
  | ({ readonly status: 'revoked'; readonly revokedAtUs: number } & IssuedKey);

export interface IssuedKey {
  readonly id: string;
  /** SHA-256 of the whole key, 64 hex digits. */
  readonly hash: string;
  readonly role: Role;
  /** null: the whole platform. */
  readonly project: string | null;
  /** null: every environment of the project. */
  readonly environment: string | null;
  readonly name: string;
  readonly createdAtUs: number;
  readonly rotatedAtUs: number | null;
  /** The secret before the last rotation, while it was given time; it is never older than that. */
  readonly previous: { readonly hash: string; readonly untilUs: number } | null;
  readonly expiresAtUs: number | null;
  readonly quota: Quota | null;
}

export const initialApiKey: ApiKey = { status: 'absent' };

export const evolveApiKey = (state: ApiKey, event: ApiKeyEvent): ApiKey => {
  if (event.type === 'ApiKeyCreated') {
    const { type: _, atUs, expiresAtUs = null, quota = null, ...issued } = event;
    return { status: 'active', ...issued, createdAtUs: atUs, rotatedAtUs: null, previous: null, expiresAtUs, quota };
  }
  if (state.status === 'absent') return state;
  if (event.type === 'ApiKeyLimited') return { ...state, quota: event.quota };
  if (event.type === 'ApiKeyRotated') {
    const previous = event.previousUntilUs === undefined ? null : { hash: state.hash, untilUs: event.previousUntilUs };
    return { ...state, hash: event.hash, previous, rotatedAtUs: event.atUs, expiresAtUs: event.expiresAtUs ?? state.expiresAtUs };
  }
  return { ...state, status: 'revoked', revokedAtUs: event.atUs };
};
