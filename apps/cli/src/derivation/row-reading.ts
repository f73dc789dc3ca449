/** What one row says, in the words of the plan: who, when, which arm, which values. Nothing is sent from here. */
import { type InstantUs, parseInstant } from '@rampart/contracts';
import type { ImportPlan, ValueSpec } from '../plan/plan.js';
import { Refusal } from '../refusal.js';
import { didYouMean } from '../suggestion.js';
import { timeReader } from '../table/event-times.js';
import { type ExactDecimal, readDecimal, roundedTo, sumOf } from '../table/exact-decimals.js';
import { rowTest } from './row-filter.js';

export interface Problem {
  readonly column: string;
  readonly sentence: string;
}
export interface ReadValue {
  readonly event: string;
  readonly exact: ExactDecimal;
}
export interface RowReading {
  /** Undefined where every row is a unit of its own. */
  readonly unitId: string | undefined;
  readonly atUs: InstantUs;
  /** In the order of the plan's arm columns; undefined = not exposed by this column. */
  readonly armTexts: readonly (string | undefined)[];
  readonly values: readonly ReadValue[];
  readonly covariates: readonly ReadValue[];
  readonly properties: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly problems: readonly Problem[];
}

export interface RowReader {
  counts(cells: readonly string[]): boolean;
  read(cells: readonly string[]): RowReading;
}

/** @throws Refusal where the plan names a column that the file (with its joins) does not have */
export const rowReader = (plan: ImportPlan, header: readonly string[], file: string): RowReader => {
  const positions = new Map(header.map((name, index) => [name, index]));
  const columnAt = (name: string): number => {
    const found = positions.get(name);
    if (found !== undefined) return found;
    throw new Refusal(`${file} has no column "${name}".${didYouMean(name, header)} Its columns are ${header.join(', ')}.`);
  };
  const missing = new Set(['', ...plan.missing]);
  const unitAt = plan.unit.column === undefined ? undefined : columnAt(plan.unit.column);
  const time = timeOfRow(plan, columnAt);
  const armsAt = plan.arms.columns.map(columnAt);
  const isExposure = rowTest(plan.arms.when, columnAt);
  const values = plan.values.map((spec) => valueReader(spec, columnAt, missing));
  const covariates = plan.covariates.map((spec) => valueReader(spec, columnAt, missing));
  const properties = propertiesOf(plan, columnAt, missing);
  const armsOf = (cells: readonly string[]) => {
    const exposes = isExposure(cells);
    return armsAt.map((at) => (exposes && !missing.has(cells[at] ?? '') ? cells[at] : undefined));
  };
  return {
    counts: rowTest(plan.filters, columnAt),
    read: (cells) => {
      const problems: Problem[] = [];
      const take = (readers: readonly ReadOneValue[]) => readers.map((read) => read(cells, problems)).filter((one) => one !== undefined);
      const unitId = unitAt === undefined ? undefined : cells[unitAt];
      if (unitId === '') problems.push({ column: plan.unit.column ?? '', sentence: 'names no unit' });
      return {
        unitId,
        atUs: time(cells, problems),
        armTexts: armsOf(cells),
        values: take(values),
        covariates: take(covariates),
        properties: properties?.(cells, problems),
        problems,
      };
    },
  };
};

const timeOfRow = ({ time }: ImportPlan, columnAt: (name: string) => number) => {
  if (time.at !== undefined) {
    const at = parseInstant(time.at);
    if (at === undefined) throw new Refusal(`"${time.at}" in the plan is no instant.`);
    return () => at;
  }
  const columns = time.columns ?? [time.column ?? ''];
  const positions = columns.map(columnAt);
  const read = timeReader(time.format, time.zone);
  return (cells: readonly string[], problems: Problem[]): InstantUs => {
    const text = positions.map((at) => cells[at] ?? '').join(' ');
    const at = read(text);
    if (at !== undefined) return at;
    const hint = time.format === undefined ? ' of the form 2024-05-31 12:00:00' : ` of the format ${time.format}`;
    const zone = time.zone === undefined ? '; where the texts name no zone, the plan must ("zone": "UTC")' : '';
    problems.push({ column: columns.join(' and '), sentence: `"${text}" is no time${hint}${zone}` });
    return 0;
  };
};

type ReadOneValue = (cells: readonly string[], problems: Problem[]) => ReadValue | undefined;

const ONCE: ExactDecimal = { digits: 1n, decimals: 0 };

/** Empty cells have no event; of a sum, only when all are empty. Without a column a row happens once. */
const valueReader = (spec: ValueSpec, columnAt: (name: string) => number, missing: ReadonlySet<string>): ReadOneValue => {
  const positions = spec.columns.map(columnAt);
  const happens = rowTest(spec.when, columnAt);
  const mapped = new Map(Object.entries(spec.map).map(([text, number]) => [text, readDecimal(String(number))]));
  return (cells, problems) => {
    if (!happens(cells)) return undefined;
    if (positions.length === 0) return { event: spec.event, exact: ONCE };
    const numbers: ExactDecimal[] = [];
    for (const [index, at] of positions.entries()) {
      const text = (cells[at] ?? '').trim();
      if (missing.has(text) && !mapped.has(text)) continue;
      const number = mapped.get(text) ?? readDecimal(text);
      if (number === undefined) problems.push({ column: spec.columns[index] ?? '', sentence: `"${text}" is no number${MAP_HINT}` });
      else numbers.push(number);
    }
    if (numbers.length === 0) return undefined;
    const total = sumOf(numbers);
    return { event: spec.event, exact: spec.decimals === undefined ? total : roundedTo(total, spec.decimals) };
  };
};
const MAP_HINT = ' (say what it means with "map", or list it under "missing")';

const propertiesOf = ({ properties }: ImportPlan, columnAt: (name: string) => number, missing: ReadonlySet<string>) => {
  if (properties.length === 0) return undefined;
  const readers = properties.map(({ column, name, type }) => ({ at: columnAt(column), column, name, type }));
  return (cells: readonly string[], problems: Problem[]): Record<string, string | number | boolean> => {
    const read: Record<string, string | number | boolean> = {};
    for (const { at, column, name, type } of readers) {
      const text = cells[at] ?? '';
      if (missing.has(text)) continue;
      const number = type === 'text' ? undefined : readDecimal(text.trim());
      if (type === 'text') read[name] = text;
      else if (number === undefined) problems.push({ column, sentence: `"${text}" is no ${type}` });
      else read[name] = type === 'number' ? Number(text) : number.digits !== 0n;
    }
    return read;
  };
};
