import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '@rampart/test-engines';
import { type ControlPlane, controlPlane } from '../control-plane.examples.js';

let plane: ControlPlane;
let close: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const database = await freshDatabase();
  plane = await controlPlane(database.url);
  close = async () => {
    await plane.close();
    await database.drop();
  };
}, 60_000);
afterAll(() => close?.(), 60_000);

interface Media {
  readonly schema?: object;
  readonly example?: unknown;
}
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
type Operations = Readonly<Record<string, { readonly parameters?: readonly { readonly name: string }[]; readonly responses: Responses }>>;

describe('the API’s description', () => {
  it('has a schema and an example for what each route answers when all is well', async () => {
    const { paths } = (await plane.call('GET', '/docs-json')).body as { readonly paths: Readonly<Record<string, Operations>> };
    const bare: string[] = [];
    let routes = 0;
    for (const [path, operations] of Object.entries(paths).filter(([one]) => one.startsWith('/v1/')))
      for (const [method, { responses }] of Object.entries(operations)) {
        routes += 1;
        const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
        const isSaid = good.length > 0 && good.every(([, { content = {} }]) => Object.values(content).some(isComplete));
        if (!isSaid) bare.push(`${method.toUpperCase()} ${path}`);
      }
    expect(bare).toEqual([]);
    expect(routes).toBeGreaterThan(50);
  });

  it('says of each route that can be asked what would happen that it may answer so', async () => {
    const { paths } = (await plane.call('GET', '/docs-json')).body as { readonly paths: Readonly<Record<string, Operations>> };
    const asked = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, { parameters = [] }]) => parameters.some(({ name }) => name === 'validate'))
        .map(([method, { responses }]) => ({
          route: `${method.toUpperCase()} ${path}`,
          schema: responses[200]?.content?.['application/json']?.schema,
        })),
    );
    expect(asked.length).toBeGreaterThan(30);
    const silent = asked.filter(({ schema }) => !JSON.stringify(schema).includes('"valid":{"type":"boolean"'));
    // What would end with a project is what its removal answers anyway.
    expect(silent.map(({ route }) => route)).toEqual(['DELETE /v1/projects/{key}']);
  });
});

/** An example may stand in its schema. */
const isComplete = ({ schema, example }: Media): boolean => schema !== undefined && (example !== undefined || 'example' in schema);
