import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { repository } from './metric-catalogue.js';

/** POSTs that only ask or send events. Whoever adds one says that it changes nothing that somebody has to answer for. */
const NO_COMMANDS = [
  'POST /ofrep/v1/evaluate/flags',
  'POST /ofrep/v1/evaluate/flags/:key',
  'POST /v1/decisions/:id/replay',
  'POST /v1/decisions/:id/rows',
  'POST /v1/decisions/replay',
  'POST /v1/evaluate/explain',
  'POST /v1/events',
  'POST /v1/experiments/:key/explore',
  'POST /v1/experiments/:key/power',
  'POST /v1/ingest/validate',
  'POST /v1/metrics/preview',
  'POST /v1/plans/power',
  'POST /v1/rollouts/:key/gate',
];

interface Declared {
  readonly name: string;
  readonly isRead: boolean;
  /** Undefined where a route declares nothing. */
  readonly isAudited: boolean | undefined;
}

/** In the order of Nest's own numbers. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'ALL', 'OPTIONS', 'HEAD'];

// What the guard reads: the method's own word goes before that of its class.
const declared = <T>(key: string, ...targets: readonly object[]): T | undefined =>
  targets.map((target) => (Reflect as unknown as Metadata).getMetadata(key, target) as T | undefined).find((one) => one !== undefined);

interface Metadata {
  getMetadata(key: string, target: object): unknown;
}

const routesOf = (controller: { readonly prototype: object }): readonly Declared[] =>
  Object.values(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(({ value }): Declared[] => {
    const own = typeof value === 'function' && value !== controller ? declared<string>('path', value) : undefined;
    if (own === undefined) return [];
    const method = METHODS[declared<number>('method', value) ?? -1] ?? 'unknown';
    const parts = [declared<string>('path', controller) ?? '', own].map((part) => part.replace(/^\/|\/$/g, ''));
    const isAudited = declared<{ isAudited: boolean }>('rampart:scope', value, controller)?.isAudited;
    return [
      { name: `${method} /${parts.filter((part) => part !== '').join('/')}`, isRead: method === 'GET' || method === 'HEAD', isAudited },
    ];
  });

const isController = (exported: unknown): exported is { readonly prototype: object } =>
  typeof exported === 'function' && exported.prototype !== undefined && declared('path', exported) !== undefined;

const routesOfService = async (service: string): Promise<readonly Declared[]> => {
  const folder = join(repository, 'apps', service, 'dist');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.controllers?\.js$/.test(file));
  const found: Declared[] = [];
  // One after the other: Jest's loader trips over modules that two ask for at once.
  for (const file of files) {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as object;
    found.push(...Object.values(module).filter(isController).flatMap(routesOf));
  }
  return found;
};

describe('the audit log', () => {
  it('is told of every request that is no read, but of those that are known to command nothing', async () => {
    const routes: Declared[] = [];
    for (const service of ['assignment', 'ingestion', 'analysis', 'experiments']) routes.push(...(await routesOfService(service)));
    expect(routes.length).toBeGreaterThan(80);
    expect(routes.filter(({ isAudited }) => isAudited === undefined)).toEqual([]);
    const untold = routes.filter(({ isRead, isAudited }) => !isRead && isAudited !== true);
    expect(untold.map(({ name }) => name).sort()).toEqual(NO_COMMANDS);
  }, 60_000);
});
