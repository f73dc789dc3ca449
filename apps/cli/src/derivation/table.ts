/** The data file with what joins add to it, as rows to read; both passes go through here. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ImportPlan } from '../plan/plan.js';
import { Refusal } from '../refusal.js';
import { didYouMean } from '../suggestion.js';
import { openCsv, type Row } from '../table/csv-rows.js';

export interface Table {
  readonly file: string;
  /** Columns of the file itself: they make a row's identity. */
  readonly ownColumns: readonly string[];
  /** … and those that joins add. */
  readonly header: readonly string[];
  readonly rows: AsyncIterable<TableRow>;
}
export interface TableRow extends Row {
  /** A row with more or fewer cells than the header. */
  readonly problem?: string;
}

type Lookup = { readonly at: number; readonly rows: ReadonlyMap<string, readonly string[]>; readonly columns: readonly string[] };
export type Joins = readonly ((header: readonly string[]) => Lookup)[];

export const openTable = async (file: string, joins: Joins): Promise<Table> => {
  const { header: own, rows } = await openCsv(file);
  const lookups = joins.map((join) => join(own));
  const header = [...own, ...lookups.flatMap(({ columns }) => columns)];
  for (const [index, name] of header.entries())
    if (header.indexOf(name) !== index) throw new Refusal(`A join adds the column "${name}", which ${file} has already.`);
  return { file, ownColumns: own, header, rows: extended(rows, own.length, lookups) };
};

async function* extended(rows: AsyncIterable<Row>, width: number, lookups: readonly Lookup[]): AsyncGenerator<TableRow> {
  for await (const row of rows) {
    const { cells, line } = row;
    if (cells.length === 1 && cells[0] === '' && width > 1) continue;
    if (cells.length !== width) {
      yield { line, cells, problem: `has ${cells.length} cells, the header has ${width}` };
      continue;
    }
    for (const { at, rows: found, columns } of lookups) cells.push(...(found.get(cells[at] ?? '') ?? columns.map(() => '')));
    yield row;
  }
}

/** Loads the second files of a plan, once for both passes. @throws Refusal where one key has two different rows */
export const loadJoins = async (plan: ImportPlan, dataFile: string, planFile: string): Promise<Joins> =>
  Promise.all(
    plan.joins.map(async ({ file, on, key = on, columns }) => {
      const path = [dataFile, planFile].map((beside) => resolve(dirname(beside), file)).find((one) => existsSync(one));
      if (path === undefined) throw new Refusal(`The plan joins ${file}, which is neither beside the data file nor beside the plan.`);
      const table = await openCsv(path);
      const at = (name: string) => {
        const found = table.header.indexOf(name);
        if (found < 0) throw new Refusal(`${path} has no column "${name}".${didYouMean(name, table.header)}`);
        return found;
      };
      const [keyAt, positions] = [at(key), columns.map(at)];
      const rows = new Map<string, readonly string[]>();
      for await (const { cells, line } of table.rows) {
        const values = positions.map((position) => cells[position] ?? '');
        const known = rows.get(cells[keyAt] ?? '');
        if (known?.some((value, index) => value !== values[index]))
          throw new Refusal(`${path}:${line}: "${cells[keyAt]}" has two different rows; a join needs one.`);
        rows.set(cells[keyAt] ?? '', values);
      }
      return (header: readonly string[]): Lookup => {
        const on_ = header.indexOf(on);
        if (on_ < 0) throw new Refusal(`${dataFile} has no column "${on}" to join ${file} on.${didYouMean(on, header)}`);
        return { at: on_, rows, columns };
      };
    }),
  );
