import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { everySetting, reference, serviceNames, withReference } from './reference.js';

const root = resolve(import.meta.dirname, '..', '..', '..');
const document = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');

const sources = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ts$/.test(path) && !/spec|examples/.test(path))
    .map((path) => readFileSync(join(folder, path), 'utf8'));

describe('the configuration reference in docs/operations.md', () => {
  it('is what the schemas of the services say: npm run docs:configuration writes it anew', async () => {
    expect(withReference(document, await reference())).toBe(document);
  });

  it('has a meaning for every setting', async () => {
    const settings = [...(await everySetting()).values()].flat();
    expect(settings.length).toBeGreaterThan(30);
    expect(settings.filter(({ description }) => description === '').map(({ name }) => name)).toEqual([]);
  });

  it('has the settings of traces that other documents name', async () => {
    const known = new Set([...(await everySetting()).values()].flat().map(({ name }) => name));
    const told = [...readFileSync(join(root, 'docs', 'observability.md'), 'utf8').matchAll(/`(OTEL_[A-Z_]+)`/g)].map(
      ([, name]) => name ?? '',
    );
    expect(told.length).toBeGreaterThan(2);
    expect(told.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names what the launcher and its front door read, too', () => {
    const read = sources(join(root, 'apps', 'launcher', 'src')).flatMap((text) => [
      ...[...text.matchAll(/environment\.([A-Z][A-Z_]+)/g)].map(([, name]) => name ?? ''),
    ]);
    expect(read.length).toBeGreaterThan(5);
    expect([...new Set(read)].filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
    for (const service of serviceNames) expect(document).toContain(`RAMPART_UPSTREAM_${service.toUpperCase()}`);
  });
});
