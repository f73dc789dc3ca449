/** `npm run bench [-- --write] [-- --only assignment,assignment-http,sums,looks,live,action,ingestion,kafka,platform]`: one table; `--write` puts it into docs/performance.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { actionBench } from './action-bench.js';
import { assignmentBench } from './assignment-bench.js';
import { assignmentHttpBench } from './assignment-http-bench.js';
import { repository } from './engines.js';
import { ingestionBench } from './ingestion-bench.js';
import { kafkaBench } from './kafka-bench.js';
import { liveBench } from './live-bench.js';
import { looksBench } from './looks-bench.js';
import { platformBench } from './platform-bench.js';
import { sumsBench } from './sums-bench.js';
import { type Measurement, machine, markdown, readDocument, unmeasured, withMeasurements } from './table.js';

const parts: Readonly<Record<string, (say: (line: string) => void) => Promise<readonly Measurement[]>>> = {
  assignment: assignmentBench,
  'assignment-http': assignmentHttpBench,
  ingestion: ingestionBench,
  kafka: kafkaBench,
  sums: sumsBench,
  looks: looksBench,
  live: liveBench,
  action: actionBench,
  platform: platformBench,
};

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false }, only: { type: 'string' } } });
const chosen = values.only?.split(',') ?? Object.keys(parts);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) {
  process.stderr.write(`There is no part ${unknown.join(', ')}: choose among ${Object.keys(parts).join(', ')}.\n`);
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const rows: Measurement[] = [];
for (const name of chosen) {
  say(`── ${name}`);
  try {
    rows.push(...((await parts[name]?.(say)) ?? []));
  } catch (error) {
    rows.push(unmeasured(name, '–', error));
  }
}
process.stdout.write(`${machine()}\n\n${markdown(rows)}\n`);
if (values.write) {
  const path = join(repository, 'docs', 'performance.md');
  writeFileSync(path, withMeasurements(readDocument(path), rows, new Date().toISOString().slice(0, 10)));
  say(`written to ${path}`);
}
process.exit(rows.some((row) => row.figure.startsWith('not measured')) ? 1 : 0);
