/** When a key may be created, rotated and revoked, and how far each role reaches. */
import { type Decider, unreachable } from '../decider.js';
import { DomainError } from '../errors.js';
import { type ApiKey, type ApiKeyEvent, evolveApiKey, initialApiKey, type Role } from './api-key.js';
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
      readonly atUs: number;
    }
  | { readonly type: 'RotateApiKey'; readonly hash: string; readonly atUs: number }
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
  const { id, hash, role, project, environment, name, atUs } = command;
  return [{ type: 'ApiKeyCreated', id, hash, role, project, environment: environment?.key ?? null, name, atUs }];
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
  requireIssued(state);
  if (state.status === 'revoked') {
    const at = new Date(state.revokedAtUs / 1000).toISOString();
    throw new DomainError('key-is-revoked', `key ${state.id} was revoked at ${at} and stays so: create a new one`, { id: state.id });
  }
  return [{ type: 'ApiKeyRotated', hash: command.hash, atUs: command.atUs }];
};

function requireIssued(state: ApiKey): asserts state is Exclude<ApiKey, { status: 'absent' }> {
  if (state.status === 'absent') throw new DomainError('key-not-found', 'there is no such key in this project');
}

export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent> = { initialState: initialApiKey, decide, evolve: evolveApiKey };
