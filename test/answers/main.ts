/** `npm run docs:answers`: writes what the routes of each service answer beside the service, for its OpenAPI document. */
import { writeFileSync } from 'node:fs';
import { answerModules } from './answer-modules.js';

for (const { path, text } of answerModules()) {
  writeFileSync(path, text);
  process.stdout.write(`written to ${path}\n`);
}
