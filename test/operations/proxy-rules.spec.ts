import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository } from './metric-catalogue.js';

interface Rule {
  readonly method: string | undefined;
  readonly path: RegExp;
  readonly service: string;
}

/** As they are written: `POST /v1/a/{id}/(b, c)`, `/v1/d/…`. */
const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/\(([^)]*)\)/g, (_, names: string) => `(${names.split(', ').join('|')})`)
      .replaceAll(/\{\w+\}/g, '[^/]+')
      .replace('…', '.+')}$`,
  );

/** Of the table for reverse proxies, in its order. */
const rules = (): readonly Rule[] => {
  const text = readFileSync(join(repository, 'docs/operations.md'), 'utf8');
  const table = text.slice(text.indexOf('A reverse proxy of your own needs these rules')).split('\n\n')[1] ?? '';
  return table
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      const [, paths = '', service = ''] = line.split('|').map((cell) => cell.trim());
      return [...paths.matchAll(/`(?:([A-Z]+) )?(\/[^`]+)`/g)].map(
        ([, method, path = '']): Rule => ({ method, path: patternOf(path), service }),
      );
    });
};

interface Route {
  readonly method: string;
  readonly path: string;
  readonly service: string;
}

/** As controllers declare them. */
const routesOf = (service: string): readonly Route[] => {
  const folder = join(repository, 'apps', service, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.controllers?\.ts$/.test(file));
  return files.flatMap((file) => {
    const [, ...controllers] = readFileSync(join(folder, file), 'utf8').split('@Controller(');
    return controllers.flatMap((text) => {
      const base = /^'([^']*)'/.exec(text)?.[1] ?? '';
      return [...text.matchAll(/^ {2}@(Get|Post|Put|Patch|Delete)\((?:'([^']*)')?/gm)].map(([, method = '', own = '']): Route => {
        const path = `/${[base, own].filter((part) => part !== '').join('/')}`;
        return { method: method.toUpperCase(), path: path.replaceAll(/:\w+/g, 'x'), service };
      });
    });
  });
};

describe('the rules for a reverse proxy', () => {
  it('lead every route to its service', () => {
    const routes = ['assignment', 'ingestion', 'analysis', 'experiments'].flatMap(routesOf);
    expect(routes.length).toBeGreaterThan(80);
    const all = rules();
    const astray = routes.flatMap(({ method, path, service }) => {
      const rule = all.find((one) => (one.method === undefined || one.method === method) && one.path.test(path));
      return rule?.service === service ? [] : [`${method} ${path} of ${service}: ${rule?.service ?? 'nobody'}`];
    });
    expect(astray).toEqual([]);
  });
});
