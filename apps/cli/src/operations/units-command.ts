/** `rampart units`: erases a person, and says which stores are done with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErasureProgress } from '@rampart/contracts';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { textTable } from '../report/text-table.js';

export interface UnitsRequest {
  readonly action: 'erase' | 'erasures';
  readonly unitType: string;
  readonly unitId: string;
  readonly project: string;
  readonly environmentKey: string;
  readonly waits: boolean;
  readonly json: boolean;
  readonly address: string | undefined;
}

interface TypedUnits {
  readonly words: readonly string[];
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, boolean>>;
}

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 500;
/** A store that is away may take longer: the erasure goes on without us. */
const WAIT_MS = 120_000;

/** @throws Refusal (exit code 2) */
export const unitsRequest = ({ words, texts, flags }: TypedUnits): UnitsRequest => {
  const [action, unitType = '', unitId = '', more] = words;
  const { project = 'default', environment = 'production', address } = texts;
  const shared = { project, environmentKey: environment, waits: flags['no-wait'] !== true, json: flags.json === true, address };
  if (action === 'erasures' && unitType === '') return { action, unitType, unitId, ...shared };
  if (action !== 'erase')
    throw usage(`rampart units needs erase TYPE ID, or erasures${action === undefined ? '' : `; it knows no "${action}"`}.`);
  if (unitType === '' || unitId === '')
    throw usage('Whom? rampart units erase TYPE ID: the type of the unit, then its id as services send it.');
  if (more !== undefined) throw usage(`What is "${more}"? rampart units erase takes one type and one id; quote an id with spaces.`);
  return { action, unitType, unitId, ...shared };
};

/** @returns the exit code: 1 where stores were not done in time */
export const units = async (request: UnitsRequest, environment: Environment, print: (text: string) => void): Promise<number> => {
  const { address } = await requirePlatform(environment, request.address);
  const client = new ApiClient(address, adminKey(environment).key, PATIENCE_MS);
  const query = { project: request.project, environment: request.environmentKey };
  try {
    if (request.action === 'erasures') {
      const { body } = await client.expect('GET', '/v1/erasures', [200], undefined, { query });
      print(request.json ? JSON.stringify(body, null, 2) : listOf(body.items as readonly ErasureProgress[]));
      return 0;
    }
    const path = `/v1/units/${encodeURIComponent(request.unitType)}/${encodeURIComponent(request.unitId)}`;
    let erasure = (await client.expect('DELETE', path, [202], undefined, { query })).body as ErasureProgress;
    const deadlineMs = performance.now() + WAIT_MS;
    while (request.waits && erasure.state !== 'done' && performance.now() < deadlineMs) {
      await sleep(LOOK_EVERY_MS);
      erasure = (await client.expect('GET', `/v1/erasures/${erasure.id}`, [200], undefined, { query })).body as ErasureProgress;
    }
    print(request.json ? JSON.stringify(erasure, null, 2) : told(erasure));
    return request.waits && erasure.state !== 'done' ? 1 : 0;
  } finally {
    await client.close();
  }
};

const told = (erasure: ErasureProgress): string => {
  const rows = erasure.stores.map(({ store, state, removed }) => [store, state, removed === null ? '' : `${removed} removed`]);
  const end = erasure.state === 'done' ? 'Every store is done.' : 'It goes on by itself: rampart units erasures says how far it is.';
  return `Erasure ${erasure.id} in ${erasure.project}/${erasure.environment}\n${textTable(rows)}\n${end}`;
};

const listOf = (items: readonly ErasureProgress[]): string =>
  items.length === 0
    ? 'Nobody was erased.'
    : textTable(
        items.map(({ id, requestedAt, environment, unitType, state, stores }) => [
          id,
          requestedAt,
          environment,
          unitType,
          state,
          waitingOf(stores),
        ]),
      );

const waitingOf = (stores: ErasureProgress['stores']): string => {
  const waiting = stores.filter(({ state }) => state === 'waiting').map(({ store }) => store);
  return waiting.length === 0 ? '' : `waits for ${waiting.join(', ')}`;
};
