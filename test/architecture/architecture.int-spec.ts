import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const repository = resolve(import.meta.dirname, '..', '..', '..');
const cruise = join(repository, 'test', 'architecture', 'cruise.mjs');

const libs = [
  'statistics',
  'assignment',
  'contracts',
  'domain',
  'event-store',
  'event-log',
  'feedback-rows',
  'feedback-store',
  'service-kit',
];
const apps = ['experiments', 'ingestion', 'analysis', 'dashboard', 'launcher', 'cli'];
const packages = ['jstat', 'zod', 'pg', 'typeorm', 'lodash', '@clickhouse/client', 'kafkajs', 'lmdb', '@nestjs/common'];

/** A tree of the project's shape in which every rule holds: each planted file below breaks one. */
const cleanTree = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'rampart-architecture-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [top, names] of [
    ['libs', libs],
    ['apps', apps],
  ] as const) {
    for (const name of names) {
      write(
        `${top}/${name}/package.json`,
        JSON.stringify({
          name: `@rampart/${name}`,
          type: 'module',
          exports: { '.': { source: './src/index.ts' }, './errors': { source: './src/errors.ts' } },
        }),
      );
      write(`${top}/${name}/src/index.ts`, `export { value } from './value.js';\n`);
      write(`${top}/${name}/src/value.ts`, 'export const value = 1;\n');
      mkdirSync(join(root, 'node_modules/@rampart'), { recursive: true });
      symlinkSync(join(root, top, name), join(root, 'node_modules/@rampart', name));
    }
  }
  write('libs/domain/src/errors.ts', 'export const error = 1;\n');
  write('libs/feedback-store/src/memory-feedback-store.ts', 'export const store = 1;\n');
  write('test/one.mjs', '');
  for (const name of packages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(`node_modules/${name}/index.js`, 'module.exports = {};\n');
  }
  return root;
};

const imports = (specifier: string) => `import * as planted from '${specifier}';\nexport const used = planted;\n`;

/** Path → text of a file that breaks the rule, and nothing but it where that can be. */
const planted: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'every-import-resolves': ['apps/cli/src/plant-unresolved.ts', imports('./nowhere.js')],
  'no-cycles': ['apps/cli/src/plant-cycle.ts', imports('./plant-cycle-back.js')],
  'statistics-is-a-leaf': ['libs/statistics/src/plant.ts', imports('@rampart/domain')],
  'assignment-is-a-leaf': ['libs/assignment/src/plant.ts', imports('@rampart/domain')],
  'contracts-is-a-leaf': ['libs/contracts/src/plant.ts', imports('@rampart/domain')],
  'domain-knows-statistics-and-assignment-only': ['libs/domain/src/plant.ts', imports('@rampart/contracts')],
  'event-store-knows-domain-only': ['libs/event-store/src/plant.ts', imports('@rampart/contracts')],
  'event-log-knows-contracts-only': ['libs/event-log/src/plant.ts', imports('@rampart/domain')],
  'feedback-rows-know-contracts-and-event-log': ['libs/feedback-rows/src/plant.ts', imports('@rampart/domain')],
  'feedback-store-knows-domain-and-contracts': ['libs/feedback-store/src/plant.ts', imports('@rampart/event-log')],
  'service-kit-knows-domain-errors-only': ['libs/service-kit/src/plant.ts', imports('@rampart/domain')],
  'cli-knows-contracts-only': ['apps/cli/src/plant-lib.ts', imports('@rampart/event-log')],
  'dashboard-knows-contracts-only': ['apps/dashboard/src/plant-lib.ts', imports('@rampart/event-log')],
  'launcher-starts-processes-and-imports-nobody': ['apps/launcher/src/plant-lib.ts', imports('@rampart/contracts')],
  'apps-never-import-apps (analysis)': ['apps/analysis/src/plant-app.ts', imports('@rampart/ingestion')],
  'only-experiments-reaches-the-event-store': ['apps/ingestion/src/plant-events.ts', imports('@rampart/event-store')],
  'only-analysis-reaches-the-feedback-store': ['apps/ingestion/src/plant-feedback.ts', imports('@rampart/feedback-store')],
  'pure-libs-have-no-packages': ['libs/domain/src/plant-package.ts', imports('lodash')],
  'contracts-have-zod-and-nothing-else': ['libs/contracts/src/plant-package.ts', imports('node:fs')],
  'jstat-stays-in-distributions': ['libs/statistics/src/plant-jstat.ts', imports('jstat')],
  'nest-stays-in-apps-and-service-kit': ['libs/event-log/src/plant-nest.ts', imports('@nestjs/common')],
  'databases-stay-in-adapters': ['apps/experiments/src/plant-pg.ts', imports('pg')],
  'clickhouse-stays-in-its-adapter': ['apps/analysis/src/plant-clickhouse.ts', imports('@clickhouse/client')],
  'lmdb-stays-in-assignment': ['apps/analysis/src/plant-lmdb.ts', imports('lmdb')],
  'evaluation-reaches-no-database': ['apps/assignment/src/evaluation/plant-spool.ts', imports('lmdb')],
  'kafka-stays-in-its-adapter': ['apps/analysis/src/plant-kafka.ts', imports('kafkajs')],
  'adapters-are-wired-only-in-modules': ['libs/feedback-store/src/plant-adapter.ts', imports('./memory-feedback-store.js')],
  'no-deep-imports': ['apps/analysis/src/plant-deep.ts', imports('../../../libs/contracts/src/value.js')],
  'no-drawers': ['apps/analysis/src/utils/plant.ts', 'export const a = 1;\n'],
  'no-room-for-one': ['apps/analysis/src/lonely/plant.ts', 'export const a = 1;\n'],
  'no-long-files': ['apps/analysis/src/plant-long.ts', 'export const a = 1;\n'.repeat(1).concat('// filler\n'.repeat(500))],
  'pure-libs-are-pure': ['libs/domain/src/plant-clock.ts', 'export const now = () => Date.now();\n'],
};

const check = (root: string, fewest: number): { code: number | null; lines: readonly string[] } => {
  const run = spawnSync(process.execPath, [cruise, '--root', root, '--fewest', String(fewest)], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return { code: run.status, lines: `${run.stdout}${run.stderr}`.split('\n').map((line) => line.trim()) };
};

describe('the architecture rules', () => {
  let root = '';
  beforeAll(() => {
    root = cleanTree();
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('find nothing in a tree that keeps them', () => {
    expect(check(root, 20)).toMatchObject({
      code: 0,
      lines: expect.arrayContaining([expect.stringMatching(/^architecture: \d+ modules, 0 violations$/)]),
    });
  });

  it('fail when the tool looks at fewer modules than there are', () => {
    const { code, lines } = check(root, 10_000);
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain('modules-are-seen');
  });

  it('each find the violation planted for them', () => {
    for (const [path, text] of Object.values(planted)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    writeFileSync(join(root, 'apps/cli/src/plant-cycle-back.ts'), imports('./plant-cycle.js'));
    const { code, lines } = check(root, 20);
    expect(code).toBe(1);
    const silent = Object.entries(planted)
      .filter(
        ([rule, [path]]) =>
          !lines.some(
            (line) => line.startsWith(`${rule}: `) && (line.includes(path) || rule === 'no-drawers' || rule === 'no-room-for-one'),
          ),
      )
      .map(([rule]) => rule);
    expect(silent).toEqual([]);
  });
});

describe('this tree', () => {
  it('keeps the architecture rules', () => {
    const { code, lines } = check(repository, 100);
    expect({ code, lines: lines.filter((line) => line.includes(': ') && !line.startsWith('architecture')) }).toEqual({
      code: 0,
      lines: [],
    });
  });
});
