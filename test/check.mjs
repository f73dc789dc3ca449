/** What must hold before a push, in seconds: types, format and lint, architecture. All at once; a table at the end. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const bin = (path) => join(root, 'node_modules', path);

const checks = {
  types: [bin('typescript/bin/tsc'), '-b'],
  'format and lint': [bin('@biomejs/biome/bin/biome'), 'check', '.'],
  architecture: [join(root, 'test/architecture/cruise.mjs')],
};

const run = (name, args) =>
  new Promise((done) => {
    const startedAt = Date.now();
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('close', (code) => done({ name, passed: code === 0, output: output.trim(), seconds: (Date.now() - startedAt) / 1000 }));
  });

const results = await Promise.all(Object.entries(checks).map(([name, args]) => run(name, args)));

for (const { name, output } of results.filter(({ passed }) => !passed)) console.log(`── ${name}\n${output}\n`);
const width = Math.max(...results.map(({ name }) => name.length));
for (const { name, passed, seconds } of results)
  console.log(`${name.padEnd(width)}  ${passed ? 'holds ' : 'FAILED'}  ${seconds.toFixed(1)} s`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
