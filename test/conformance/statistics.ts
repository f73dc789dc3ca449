/** `npm run conformance:statistics -- FILE`: the statistics library against a file of reference cases, our own copy without FILE. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseCases } from './reference-cases.js';
import { runCases, summaryOf } from './run-cases.js';
import { statisticsAdapters } from './statistics-adapters.js';

const golden = resolve(import.meta.dirname, '..', '..', 'conformance', 'golden', 'stat-cases.json');
// npm may leave the separator in place: `npm run … -- FILE` and a plain call both end here.
const [file = golden] = process.argv.slice(2).filter((argument) => argument !== '--');

const casesOf = (path: string) => {
  try {
    return parseCases(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`${path} is no file of reference cases: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
};

const run = runCases(casesOf(resolve(file)), statisticsAdapters);
for (const line of run.lines) console.log(line);
console.log(summaryOf(run));
process.exitCode = run.failed.length > 0 ? 1 : 0;
