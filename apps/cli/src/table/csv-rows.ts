/** Rows of a CSV file as they stream by: CR LF, quotes, a byte-order mark and .gz are dealt with here. */
import { createReadStream, statSync } from 'node:fs';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { Refusal, usage } from '../refusal.js';

export interface Row {
  /** Line of the file, counted from 1, on which the row begins. */
  readonly line: number;
  readonly cells: string[];
}

export interface CsvFile {
  readonly header: readonly string[];
  readonly rows: AsyncIterable<Row>;
}

/** @throws Refusal where the file cannot be read, has no header, or names a column twice */
export const openCsv = async (file: string): Promise<CsvFile> => {
  return readCsv(bytesOf(file), file);
};

/** @param file  its name, for messages */
export const readCsv = async (bytes: Readable, file: string): Promise<CsvFile> => {
  const rows = rowsOf(bytes, file);
  const first = await rows.next();
  if (first.done === true) throw new Refusal(`${file} is empty: it needs a line of column names.`);
  const header = first.value.cells;
  for (const [index, name] of header.entries())
    if (header.indexOf(name) !== index) throw new Refusal(`${file}:1: the column "${name}" is there twice; rename one.`);
  return { header, rows };
};

async function* rowsOf(source: Readable, file: string): AsyncGenerator<Row> {
  const parser = parse({ bom: true, relax_column_count: true, max_record_size: 1_000_000, record_delimiter: ['\r\n', '\n', '\r'] });
  let failure: Error | undefined;
  pipeline(source, parser, (error) => {
    failure = error ?? undefined;
  });
  let line = 1;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      yield { line, cells };
      line += 1 + linesWithin(cells);
    }
  } catch (error) {
    throw new Refusal(sentenceOf(file, failure ?? error, line));
  } finally {
    source.destroy();
  }
}

const bytesOf = (file: string): Readable => {
  try {
    if (statSync(file).isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw usage(`The data file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const bytes = createReadStream(file, { highWaterMark: 1 << 18 });
  if (!/\.gz$/i.test(file)) return bytes;
  return pipeline(bytes, createGunzip(), new PassThrough(), () => undefined);
};

/** A quoted cell may hold line breaks. */
const linesWithin = (cells: readonly string[]): number => {
  let lines = 0;
  for (const cell of cells) for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) lines++;
  return lines;
};

const sentenceOf = (file: string, error: unknown, line: number): string => {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof CsvError)) return `${file} cannot be read beyond line ${line}: ${message}.`;
  return `${file}:${'lines' in error ? String(error.lines) : line}: this is no CSV: ${message}.`;
};
