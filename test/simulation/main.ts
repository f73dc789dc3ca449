/** `npm run simulate [-- --only NAME,… --runs N --seed S --long --write]`: error rates and power of the platform's own functions, by simulation. */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ENGINE } from '@rampart/analysis/engine';
import { inParallel } from './parallel.js';
import { scenarios } from './scenarios.js';
import { documentPath, readDocument, rowsOf, textTable, withMeasurements } from './table.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    long: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const refuse = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
};
const whole = (name: string, text: string, least: number): number => {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= least
    ? value
    : refuse(`--${name} must be a whole number of at least ${least}, got ${text}`);
};

const wanted = values.only?.split(',');
const chosen = scenarios.filter(
  ({ name }) => wanted === undefined || wanted.some((part) => name === part || (part.endsWith('*') && name.startsWith(part.slice(0, -1)))),
);
if (chosen.length === 0) refuse(`--only ${values.only} names no scenario: ${scenarios.map(({ name }) => name).join(', ')}`);
const seed = whole('seed', values.seed, 0);
const threads = Math.min(2, whole('threads', values.threads, 1));
const runsOf = (one: (typeof scenarios)[number]): number =>
  values.runs === undefined ? one.runs[values.long ? 'long' : 'default'] : whole('runs', values.runs, 1);

const results = await inParallel(
  chosen.map((scenario) => ({ scenario, runs: runsOf(scenario) })),
  seed,
  threads,
);
const rows = results.flatMap(rowsOf);
process.stdout.write(`${textTable(rows)}\n`);
if (values.write) {
  const made = { seed, long: values.long, runs: values.runs === undefined ? undefined : Number(values.runs), engine: ENGINE };
  const order = scenarios.map(({ name }) => name);
  writeFileSync(documentPath, withMeasurements(readDocument(), rows, made, order));
  process.stderr.write(`written to ${documentPath}\n`);
}
const broken = rows.filter(({ outcome }) => outcome === 'broken');
for (const row of broken)
  process.stderr.write(`broken: ${row.scenario}: ${row.method}: ${row.alarms} of ${row.runs}, stated ${row.level}\n`);
process.exit(broken.length > 0 ? 1 : 0);
