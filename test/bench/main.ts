/** `npm run bench [-- --write] [-- --long] [-- --only assignment,sums,…]`: one table; `--write` puts each part’s into docs/performance.md; `--long` overloads for ten minutes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { actionBench, actionClusterBench } from './action-bench.js';
import { assignmentBench } from './assignment-bench.js';
import { assignmentClusterBench } from './assignment-cluster-bench.js';
import { assignmentHttpBench } from './assignment-http-bench.js';
import { repository } from './engines.js';
import { ingestionBench } from './ingestion-bench.js';
import { ingestionClusterBench } from './ingestion-cluster-bench.js';
import { kafkaBench } from './kafka-bench.js';
import { liveBench, liveClusterBench } from './live-bench.js';
import { looksBench, looksClusterBench } from './looks-bench.js';
import { overloadBench, overloadOnKafkaBench } from './overload-bench.js';
import { platformBench } from './platform-bench.js';
import { replayBench, replayClusterBench } from './replay-bench.js';
import { statisticsBench } from './statistics-bench.js';
import { sumsBench, sumsClusterBench } from './sums-bench.js';
import { isMeasured, type Measurement, machine, markdown, readDocument, unmeasured, withMeasurements } from './table.js';
import { tracingBench } from './tracing-bench.js';

const parts: Readonly<
  Record<string, (say: (line: string) => void, form: { readonly isLong: boolean }) => Promise<readonly Measurement[]>>
> = {
  assignment: assignmentBench,
  'assignment-http': assignmentHttpBench,
  'assignment-cluster': assignmentClusterBench,
  statistics: statisticsBench,
  ingestion: ingestionBench,
  'ingestion-cluster': ingestionClusterBench,
  kafka: kafkaBench,
  sums: sumsBench,
  'sums-cluster': sumsClusterBench,
  looks: looksBench,
  'looks-cluster': looksClusterBench,
  live: liveBench,
  'live-cluster': liveClusterBench,
  action: actionBench,
  'action-cluster': actionClusterBench,
  replay: replayBench,
  'replay-cluster': replayClusterBench,
  platform: platformBench,
  overload: overloadBench,
  'overload-kafka': overloadOnKafkaBench,
  tracing: tracingBench,
};

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, long: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const chosen = values.only?.split(',') ?? Object.keys(parts);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) {
  process.stderr.write(`There is no part ${unknown.join(', ')}: choose among ${Object.keys(parts).join(', ')}.\n`);
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const measured = async (name: string): Promise<readonly Measurement[]> => {
  say(`── ${name}`);
  try {
    return (await parts[name]?.(say, { isLong: values.long })) ?? [];
  } catch (error) {
    return [unmeasured(name, '–', error)];
  }
};
/** At once, part by part: whoever interrupts keeps what was measured. */
const written = (part: string, rows: readonly Measurement[]): void => {
  const path = join(repository, 'docs', 'performance.md');
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(path, withMeasurements(readDocument(path), Object.keys(parts), { part, rows, date }));
  say(`${part}: written to ${path}`);
};

const rows: Measurement[] = [];
for (const name of chosen) {
  const found = await measured(name);
  rows.push(...found);
  if (values.write && found.every(isMeasured)) written(name, found);
}
process.stdout.write(`${machine()}\n\n${markdown(rows)}\n`);
process.exit(rows.every(isMeasured) ? 0 : 1);
