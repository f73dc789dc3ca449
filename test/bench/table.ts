/** One table for all measurements: what, figure, target, yardstick of the same run, ratio. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

export interface Measurement {
  readonly what: string;
  /** With its unit: `61,200 events/s`. */
  readonly figure: string;
  readonly target: string;
  readonly meets: boolean;
  /** What the same machine does at its best in the same run, and our ratio to it. */
  readonly yardstick: string;
  readonly ratio: string;
}

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');
export const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);
export const ratioOf = (value: number, yardstick: number): string => `${(value / yardstick).toFixed(2)} ×`;
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

/** A row of the table for something that could not be measured: said, not left out. */
export const unmeasured = (what: string, target: string, error: unknown): Measurement => ({
  what,
  figure: `not measured: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
  target,
  meets: false,
  yardstick: '–',
  ratio: '–',
});

export const machine = (): string => {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
};

const HEADER = ['what', 'figure', 'target', 'meets it', 'yardstick, same run', 'ratio'] as const;

export const markdown = (rows: readonly Measurement[]): string => {
  const cells = rows.map((row) => [row.what, row.figure, row.target, row.meets ? 'yes' : '**no**', row.yardstick, row.ratio]);
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`;
  return [line(HEADER), line(HEADER.map(() => '---')), ...cells.map(line)].join('\n');
};

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/** @returns the document with the measured part replaced; the words around it stay */
export const withMeasurements = (document: string, rows: readonly Measurement[], date: string): string => {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new RangeError(`the document lacks ${BEGIN} … ${END}`);
  return `${document.slice(0, begin)}${BEGIN}\n\nMeasured ${date} on ${machine()}.\n\n${markdown(rows)}\n\n${document.slice(end)}`;
};

export const readDocument = (path: string): string => readFileSync(path, 'utf8');
