/** `npm run conformance:assignment -- FILE`: the assignment engine against cases in the public SDK format, our own copy without FILE. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { assignmentAdapters } from './assignment-adapters.js';
import { parseAssignmentCases } from './assignment-cases.js';
import { runAssignmentCases } from './run-assignment-cases.js';
import { summaryOf } from './run-cases.js';

const golden = resolve(import.meta.dirname, '..', '..', 'conformance', 'golden-assignment', 'growthbook-cases.json');
// npm may leave the separator in place: `npm run … -- FILE` and a plain call both end here.
const [file = golden] = process.argv.slice(2).filter((argument) => argument !== '--');

const casesOf = (path: string) => {
  try {
    return parseAssignmentCases(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`${path} is no file of assignment cases: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
};

const run = await runAssignmentCases(casesOf(resolve(file)), assignmentAdapters);
for (const line of run.lines) console.log(line);
console.log(summaryOf(run));
process.exitCode = run.failed.length > 0 ? 1 : 0;
