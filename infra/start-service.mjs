/**
 * What the image runs: `experiments`, `assignment`, `ingestion`, `analysis`, `front-door`, or `rampart …` for the command line. In this very process, so that
 * it is the one that the container's signals reach.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const programs = {
  experiments: 'apps/experiments/dist/main.js',
  assignment: 'apps/assignment/dist/main.js',
  ingestion: 'apps/ingestion/dist/main.js',
  analysis: 'apps/analysis/dist/main.js',
  'front-door': 'apps/launcher/dist/front-door/main.js',
  rampart: 'apps/cli/dist/main.js',
};

const [name = '', ...rest] = process.argv.slice(2);
const program = Object.hasOwn(programs, name) ? join(root, programs[name]) : undefined;
if (program === undefined || !existsSync(program)) {
  process.stderr.write(
    program === undefined
      ? `There is no service "${name}": give one of ${Object.keys(programs).join(', ')}.\n`
      : `${program} is not built: npm run setup\n`,
  );
  process.exit(2);
}
process.argv = [process.argv[0], program, ...rest];
await import(pathToFileURL(program).href);
