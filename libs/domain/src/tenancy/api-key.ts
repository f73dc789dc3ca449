/** An API key: who calls, and how far that reaches. Only the hash of a key is ever known here. */

export type Role = 'admin' | 'manager' | 'analyst' | 'emit' | 'import' | 'client';

export type ApiKeyEvent =
  | {
      readonly type: 'ApiKeyCreated';
      readonly id: string;
      readonly hash: string;
      readonly role: Role;
      readonly project: string | null;
      readonly environment: string | null;
      readonly name: string;
      readonly atUs: number;
    }
  | { readonly type: 'ApiKeyRotated'; readonly hash: string; readonly atUs: number }
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
}

export const initialApiKey: ApiKey = { status: 'absent' };

export const evolveApiKey = (state: ApiKey, event: ApiKeyEvent): ApiKey => {
  if (event.type === 'ApiKeyCreated') {
    const { type: _, atUs, ...issued } = event;
    return { status: 'active', ...issued, createdAtUs: atUs, rotatedAtUs: null };
  }
  if (state.status === 'absent') return state;
  if (event.type === 'ApiKeyRotated') return { ...state, hash: event.hash, rotatedAtUs: event.atUs };
  return { ...state, status: 'revoked', revokedAtUs: event.atUs };
};
