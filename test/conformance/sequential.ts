/** `npm run conformance:sequential -- FOLDER`: published running totals, every look of every stream, against the reference answers beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseTotals, streamAnswer } from './running-totals.js';
import { differences, type StreamReference } from './stream-reference.js';

const [folder] = process.argv.slice(2).filter((argument) => argument !== '--');
if (folder === undefined) {
  console.error('Where? npm run conformance:sequential -- FOLDER, which holds one .csv.gz of running totals and truths.json');
  process.exit(2);
}

const read = () => {
  const csv = readdirSync(resolve(folder)).find((name) => name.endsWith('.csv.gz'));
  if (csv === undefined) throw new Error('there is no .csv.gz');
  const text = gunzipSync(readFileSync(join(folder, csv))).toString('utf8');
  const { streams } = JSON.parse(readFileSync(join(folder, 'truths.json'), 'utf8')) as { readonly streams: readonly StreamReference[] };
  return { streams, totals: parseTotals(text) };
};

try {
  const { streams, totals } = read();
  const lines = streams.flatMap((reference) => {
    const { experiment_id, variant_id, metric_id } = reference;
    const stream = `${experiment_id}/${variant_id}/${metric_id}`;
    return differences(stream, streamAnswer(totals.get(stream) ?? []), reference);
  });
  for (const line of lines) console.log(line);
  const answers = [...totals.values()].map(streamAnswer);
  const below = (of: (answer: (typeof answers)[number]) => number | null | undefined) =>
    answers.filter((one) => (of(one) ?? 1) < 0.05).length;
  console.log(
    `${totals.size} streams: p < 0.05 at the last look in ${below(({ final }) => final?.p_welch_z)}, at any look in ${below((one) => one.min_p_over_looks)}, always valid in ${below((one) => one.msprt_final_p)}`,
  );
  const failed = new Set(lines.map((line) => line.split(' ')[1])).size;
  console.log(`${streams.length - failed} equal their reference answers, ${failed} do not, ${totals.size - streams.length} have none`);
  process.exitCode = failed > 0 || streams.length === 0 || totals.size !== streams.length ? 1 : 0;
} catch (error) {
  console.error(`${folder} holds no running totals: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
