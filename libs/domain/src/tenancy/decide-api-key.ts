/** When a key may be created, rotated and revoked, and how far each role reaches. */
import { type Decider, unreachable } from '../decider.js';
import { DomainError } from '../errors.js';
import { type ApiKey, type ApiKeyEvent, evolveApiKey, initialApiKey, type Quota, type Role } from './api-key.js';
import type { EnvironmentKind } from './environment.js';

export type ApiKeyCommand =
  | {
      readonly type: 'CreateApiKey';
      readonly id: string;
      readonly hash: string;
      readonly role: Role;
      readonly project: string | null;
      readonly environment: { readonly key: string; readonly kind: EnvironmentKind } | null;
      readonly name: string;
      /** null: never. */
      readonly expiresAtUs: number | null;
      readonly quota: Quota | null;
      readonly atUs: number;
    }
  | {
      readonly type: 'RotateApiKey';
      readonly hash: string;
      /** How long the old secret works beside the new one; 0: it stops at once. */
      readonly overlapUs: number;
      /** null: as before. */
      readonly expiresAtUs: number | null;
      readonly atUs: number;
    }
  /** null: that of the service. */
  | { readonly type: 'LimitApiKey'; readonly quota: Quota | null; readonly atUs: number }
  | { readonly type: 'RevokeApiKey'; readonly atUs: number };

type CreateApiKey = Extract<ApiKeyCommand, { type: 'CreateApiKey' }>;

/** `platform`: no project; `project`: every environment of one; `live`, `historical`: one environment of that kind. */
const REACH: Readonly<Record<Role, 'platform' | 'project' | EnvironmentKind>> = {
  admin: 'platform',
  manager: 'project',
  analyst: 'project',
  emit: 'live',
  import: 'historical',
  client: 'live',
};

const decide = (command: ApiKeyCommand, state: ApiKey): readonly ApiKeyEvent[] => {
  switch (command.type) {
    case 'CreateApiKey':
      return create(command, state);
    case 'RotateApiKey':
      return rotate(command, state);
    case 'LimitApiKey':
      return limit(command, state);
    case 'RevokeApiKey':
      requireIssued(state);
      return state.status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', atUs: command.atUs }];
    default:
      return unreachable(command);
  }
};

const create = (command: CreateApiKey, state: ApiKey): readonly ApiKeyEvent[] => {
  if (state.status !== 'absent') throw new DomainError('key-exists', `there is a key ${command.id} already: ask again for another id`);
  requireReach(command);
  const { id, hash, role, project, environment, name, expiresAtUs, quota, atUs } = command;
  requireFuture(expiresAtUs, atUs);
  requireSender(role, quota);
  const optional = { ...(expiresAtUs === null ? {} : { expiresAtUs }), ...(quota === null ? {} : { quota }) };
  return [{ type: 'ApiKeyCreated', id, hash, role, project, environment: environment?.key ?? null, name, ...optional, atUs }];
};

const instantText = (atUs: number): string => new Date(atUs / 1000).toISOString();

const requireFuture = (expiresAtUs: number | null, atUs: number): void => {
  if (expiresAtUs === null || expiresAtUs > atUs) return;
  const message = `a key can't expire at ${instantText(expiresAtUs)}, which is over: it is ${instantText(atUs)} now`;
  throw new DomainError('key-expiry', message, { path: '/expiresAt' });
};

const requireSender = (role: Role, quota: Quota | null): void => {
  if (quota === null || REACH[role] === 'live' || REACH[role] === 'historical') return;
  throw new DomainError('key-quota', `a key of role ${role} sends no events: leave out the quota`, { path: '/quota', role });
};

const limit = ({ quota, atUs }: Extract<ApiKeyCommand, { type: 'LimitApiKey' }>, state: ApiKey): readonly ApiKeyEvent[] => {
  requireUsable(state);
  requireSender(state.role, quota);
  const isSame = quota?.eventsPerSecond === state.quota?.eventsPerSecond && quota?.burst === state.quota?.burst;
  return isSame ? [] : [{ type: 'ApiKeyLimited', quota, atUs }];
};

const requireReach = (command: CreateApiKey): void => {
  const { role, project, environment } = command;
  const wrong = wrongReach(command);
  if (wrong === undefined) return;
  throw new DomainError('key-reach', wrong.message, { path: wrong.path, role, project, environment: environment?.key ?? null });
};

const wrongReach = ({ role, project, environment }: CreateApiKey): { path: string; message: string } | undefined => {
  const reach = REACH[role];
  if (reach === 'platform') {
    if (project === null && environment === null) return undefined;
    return { path: '/role', message: `a key of role ${role} reaches the whole platform: leave out project and environment` };
  }
  if (project === null) return { path: '/project', message: `a key of role ${role} belongs to one project: name it` };
  const path = '/environment';
  if (reach === 'project') {
    if (environment === null) return undefined;
    return { path, message: `a key of role ${role} reaches all environments of its project: leave out "${environment.key}"` };
  }
  if (environment === null) return { path, message: `a key of role ${role} belongs to one ${reach} environment: name it` };
  if (environment.kind === reach) return undefined;
  const fitting = reach === 'live' ? 'import' : 'emit';
  return { path, message: `role ${role} sends to ${reach} environments, "${environment.key}" is ${environment.kind}: use role ${fitting}` };
};

const rotate = (command: Extract<ApiKeyCommand, { type: 'RotateApiKey' }>, state: ApiKey): readonly ApiKeyEvent[] => {
  requireUsable(state);
  const { hash, overlapUs, expiresAtUs, atUs } = command;
  requireFuture(expiresAtUs, atUs);
  const isExpired = state.expiresAtUs !== null && state.expiresAtUs <= atUs;
  if (isExpired && expiresAtUs === null) {
    const message = `key ${state.id} expired at ${instantText(state.expiresAtUs ?? 0)}: give it a later expiresAt with its new secret`;
    throw new DomainError('key-is-expired', message, { path: '/expiresAt', id: state.id });
  }
  // An expired secret must not come to life again beside the new one.
  const hasOverlap = overlapUs > 0 && !isExpired;
  // Nor outlive its own end: a later expiresAt is given to the new one alone.
  const previousUntilUs = Math.min(atUs + overlapUs, state.expiresAtUs ?? Number.POSITIVE_INFINITY);
  const optional = { ...(hasOverlap ? { previousUntilUs } : {}), ...(expiresAtUs === null ? {} : { expiresAtUs }) };
  return [{ type: 'ApiKeyRotated', hash, ...optional, atUs }];
};

function requireUsable(state: ApiKey): asserts state is Extract<ApiKey, { status: 'active' }> {
  requireIssued(state);
  if (state.status !== 'revoked') return;
  const message = `key ${state.id} was revoked at ${instantText(state.revokedAtUs)} and stays so: create a new one`;
  throw new DomainError('key-is-revoked', message, { id: state.id });
}

function requireIssued(state: ApiKey): asserts state is Exclude<ApiKey, { status: 'absent' }> {
  if (state.status === 'absent') throw new DomainError('key-not-found', 'there is no such key in this project');
}

export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent> = { initialState: initialApiKey, decide, evolve: evolveApiKey };
