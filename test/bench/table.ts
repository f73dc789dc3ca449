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

export const isMeasured = ({ figure }: Measurement): boolean => !figure.startsWith('not measured');

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

/** What was measured of each part: its own moment and machine, so that one part can be measured anew and the others stay. */
const sectionsOf = (measured: string): ReadonlyMap<string, string> =>
  new Map(
    measured
      .split(/^(?=### )/m)
      .filter((section) => section.startsWith('### '))
      .map((section) => [section.slice(4, section.indexOf('\n')).trim(), section.trim()]),
  );

/**
 * @param parts  all that there are, in their order
 * @returns the document with one part's table replaced; other parts and the words around them stay
 */
export const withMeasurements = (
  document: string,
  parts: readonly string[],
  { part, rows, date }: { readonly part: string; readonly rows: readonly Measurement[]; readonly date: string },
): string => {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new RangeError(`the document lacks ${BEGIN} … ${END}`);
  const sections = new Map(sectionsOf(document.slice(begin + BEGIN.length, end)));
  sections.set(part, `### ${part}\n\nMeasured ${date} on ${machine()}.\n\n${markdown(rows)}`);
  const measured = parts.flatMap((name) => sections.get(name) ?? []).join('\n\n');
  return `${document.slice(0, begin)}${BEGIN}\n\n${measured}\n\n${document.slice(end)}`;
};

export const readDocument = (path: string): string => readFileSync(path, 'utf8');
