/** The table of rates: for the terminal and for docs/validity.md. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Simulated } from './parallel.js';
import type { Claim } from './scenario.js';
import { medianOf, type Outcome, tallied } from './tally.js';

export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly method: string;
  readonly runs: number;
  readonly looks: number;
  readonly alarms: number;
  readonly rate: number;
  readonly upper95: number;
  readonly level: string;
  readonly outcome: Outcome;
  readonly median: number | null;
}

export const rowsOf = ({ scenario, stops, runs }: Simulated): readonly Row[] =>
  scenario.lines.map(({ method, claim }, line) => {
    const ofLine = stops.map((one) => one[line] ?? null);
    const alarms = ofLine.filter((stop) => stop !== null).length;
    const { rate, upper95, outcome } = tallied(alarms, runs, claim);
    const { name, title, looks } = scenario;
    return {
      scenario: name,
      title,
      method,
      runs,
      looks,
      alarms,
      rate,
      upper95,
      outcome,
      level: levelText(claim),
      median: medianOf(ofLine),
    };
  });

const share = (value: number): string => {
  const percent = value * 100;
  return `${percent >= 10 ? percent.toFixed(1) : percent >= 1 ? percent.toFixed(2) : percent.toFixed(3)} %`;
};

const levelText = (claim: Claim): string => {
  switch (claim.kind) {
    case 'at-most':
      return `≤ ${share(claim.level)}`;
    case 'above':
      return `> ${share(claim.level)}`;
    case 'about':
      return `${share(claim.level)} ± ${Number((claim.tolerance * 100).toPrecision(2))}`;
    case 'at-least':
      return `≥ ${share(claim.level)}`;
    case 'never':
      return 'never';
    case 'shown':
      return '–';
  }
};

const count = (value: number): string => Math.round(value).toLocaleString('en-US');

const cellsOf = (row: Row): readonly string[] => [
  row.method,
  count(row.runs),
  count(row.looks),
  count(row.alarms),
  share(row.rate),
  share(row.upper95),
  row.level,
  row.outcome === 'broken' ? '**broken**' : row.outcome,
  row.median === null ? '–' : count(row.median),
];

const HEADER = ['method', 'runs', 'looks', 'alarms', 'rate', '≤ (95 %)', 'stated', 'outcome', 'median units at alarm'] as const;

export const textTable = (rows: readonly Row[]): string => {
  const cells = rows.map(cellsOf);
  const widths = HEADER.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (values: readonly string[]) =>
    values.map((value, column) => (column === 0 ? value.padEnd(widths[0] ?? 0) : value.padStart(widths[column] ?? 0))).join('  ');
  return [
    line(HEADER),
    ...inScenarios(rows).flatMap(([first, ...rest]) => [
      `\n${first.scenario}: ${first.title}`,
      ...[first, ...rest].map((row) => line(cellsOf(row))),
    ]),
  ].join('\n');
};

/** How rows were made. */
export interface Made {
  readonly seed: number;
  readonly long: boolean;
  /** Of each scenario, where another number than its own was asked for. */
  readonly runs?: number | undefined;
  /** Of the rules that judged. */
  readonly engine: string;
}

const madeBy = (scenario: string, { seed, long, runs, engine }: Made): string => {
  const size = runs === undefined ? (long ? ' --long' : '') : ` --runs ${runs}`;
  return `\`npm run simulate -- --only ${scenario}${size} --seed ${seed}\`, engine \`${engine}\``;
};

const section = ([first, ...rest]: SomeRows, made: Made): string => {
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`;
  return [
    `**${first.scenario}** – ${first.title}`,
    '',
    line(HEADER),
    line(HEADER.map(() => '---')),
    ...[first, ...rest].map((row) => line(cellsOf(row))),
    '',
    madeBy(first.scenario, made),
  ].join('\n');
};

type SomeRows = readonly [Row, ...Row[]];

const inScenarios = (rows: readonly Row[]): readonly SomeRows[] => {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const group = groups.get(row.scenario);
    if (group === undefined) groups.set(row.scenario, [row]);
    else group.push(row);
  }
  return [...groups.values()];
};

export const documentPath = join(resolve(import.meta.dirname, '..', '..', '..'), 'docs', 'validity.md');
export const readDocument = (): string => readFileSync(documentPath, 'utf8');

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/**
 * @param order  names of all scenarios there are: tables come in it, and one of a scenario that is gone goes
 * @returns the document with the tables of these rows replaced; other tables and the words around them stay
 */
export const withMeasurements = (document: string, rows: readonly Row[], made: Made, order: readonly string[]): string => {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`the document lacks ${BEGIN} … ${END}`);
  const tables = new Map(
    document
      .slice(begin + BEGIN.length, end)
      .trim()
      .split(/\n\n(?=\*\*[\w.-]+\*\* – )/)
      .map((text) => [text.match(/^\*\*([\w.-]+)\*\*/)?.[1] ?? '', text]),
  );
  for (const some of inScenarios(rows)) tables.set(some[0].scenario, section(some, made));
  const written = order.flatMap((name) => tables.get(name) ?? []);
  return `${document.slice(0, begin)}${BEGIN}\n\n${written.join('\n\n')}\n\n${document.slice(end)}`;
};
