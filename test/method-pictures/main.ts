/** `npm run docs:pictures`: draws the pictures of docs/statistics.md anew. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { svgOf } from './chart.js';
import { pictures } from './pictures.js';

const folder = resolve(import.meta.dirname, '..', '..', '..', 'docs', 'pictures');
for (const [name, chart] of Object.entries(pictures)) {
  writeFileSync(join(folder, `${name}.svg`), svgOf(chart));
  console.log(`docs/pictures/${name}.svg`);
}
