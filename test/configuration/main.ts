/** `npm run docs:configuration`: writes the configuration reference into docs/operations.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { reference, withReference } from './reference.js';

const path = join(resolve(import.meta.dirname, '..', '..', '..'), 'docs', 'operations.md');
writeFileSync(path, withReference(readFileSync(path, 'utf8'), await reference()));
process.stdout.write(`written to ${path}\n`);
