/** `rampart keys`: the admin key of this platform, and the keys of a project. */
import { adminKey, rotateAdminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { textTable } from '../report/text-table.js';

export interface KeysRequest {
  readonly action: 'admin' | 'rotate-admin' | 'list' | 'create' | 'rotate' | 'revoke';
  readonly id: string | undefined;
  /** Of `list` and `create`; a key's id says by itself which it is. */
  readonly project: string | undefined;
  readonly name: string | undefined;
  readonly role: string | undefined;
  readonly environmentKey: string | undefined;
  /** ISO 8601. */
  readonly expires: string | undefined;
  /** Seconds. */
  readonly overlap: string | undefined;
  readonly address: string | undefined;
}

const PATIENCE_MS = 10_000;

export const keys = async (request: KeysRequest, environment: Environment, print: (text: string) => void): Promise<void> => {
  if (request.action === 'admin') {
    const { key, place } = adminKey(environment);
    print(`${key}\n  (from ${place})`);
    return;
  }
  if (request.action === 'rotate-admin') {
    const { key, place } = rotateAdminKey(environment);
    print(`${key}\n  (written to ${place}; the old key is refused from now on)`);
    return;
  }
  const { address } = await requirePlatform(environment, request.address);
  const client = new ApiClient(address, adminKey(environment).key, PATIENCE_MS);
  try {
    await overApi(request, client, print);
  } finally {
    await client.close();
  }
};

const overApi = async (request: KeysRequest, client: ApiClient, print: (text: string) => void): Promise<void> => {
  const project = request.project ?? (request.action === 'list' || request.action === 'create' ? 'default' : undefined);
  const options = project === undefined ? {} : { query: { project } };
  if (request.action === 'create') {
    const { name, role, environmentKey } = request;
    if (name === undefined || role === undefined)
      throw usage('A new key needs --name and --role (manager, analyst, emit, client or import).');
    const environment = environmentKey === undefined ? {} : { environment: environmentKey };
    const body = { name, role, ...environment, ...expiryOf(request) };
    const answer = await client.expect('POST', '/v1/keys', [201], body, options);
    print(`${answer.body.key}\n  (id ${answer.body.id}, role ${answer.body.role}; it is shown this once)`);
    return;
  }
  if (request.action === 'rotate') {
    if (request.id === undefined) throw usage('Which key? rampart keys rotate ID (rampart keys list shows the ids).');
    const body = { overlapSeconds: secondsOf(request.overlap), ...expiryOf(request) };
    const answer = await client.expect('POST', `/v1/keys/${encodeURIComponent(request.id)}/rotate`, [200], body, options);
    const before = answer.body.previousUntil === null ? 'is refused from now on' : `works until ${answer.body.previousUntil}`;
    print(`${answer.body.key}\n  (id ${answer.body.id}; it is shown this once, and the old one ${before})`);
    return;
  }
  if (request.action === 'revoke') {
    if (request.id === undefined) throw usage('Which key? rampart keys revoke ID (rampart keys list shows the ids).');
    await client.expect('POST', `/v1/keys/${encodeURIComponent(request.id)}/revoke`, [200, 201, 204], {}, options);
    print(`Revoked ${request.id}.`);
    return;
  }
  const { body } = await client.expect('GET', '/v1/keys', [200], undefined, options);
  const list = (Array.isArray(body) ? body : (body.items ?? body.keys ?? [])) as readonly Record<string, unknown>[];
  const columns = ['id', 'name', 'role', 'environment', 'revoked', 'expiresAt', 'lastUsedAt'];
  const rows = list.map((key) => columns.map((field) => String(key[field] ?? '–')));
  print(textTable([columns, ...rows], columns.length));
};

const expiryOf = ({ expires }: KeysRequest) => (expires === undefined ? {} : { expiresAt: expires });

const secondsOf = (text: string | undefined): number => {
  const seconds = Number(text ?? 0);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw usage(`--overlap takes whole seconds, got "${text}".`);
};
