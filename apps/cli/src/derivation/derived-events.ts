/** From what a row says to the events that are sent: a pure function of plan, scales and row. */
import { createHash } from 'node:crypto';
import { formatInstant } from '@rampart/contracts';
import type { Cell, ImportPlan } from '../plan/plan.js';
import { Refusal } from '../refusal.js';
import { type ExactDecimal, jsonNumberOf, shifted } from '../table/exact-decimals.js';
import type { RowReading } from './row-reading.js';

export interface DerivedEvent {
  /** Column or event of the plan that it came from, for messages. */
  readonly column: string;
  /** The event as JSON. */
  readonly text: string;
}

export interface RowIdentity {
  readonly hash: string;
  readonly occurrence: number;
}

export const sourceOf = (planKey: string): string => `import/${planKey}`;
/** Covariates are what was known before: undated ones get this much. */
const BEFORE_US = 1_000_000;
const LONGEST_NAME_IN_ID = 100;

/**
 * @param scales  per event name, powers of ten
 * @returns the events of a row as JSON texts, put together from prepared pieces: a file has millions.
 *          Their ids depend on plan key, row identity and column only.
 */
export const eventDeriver = (plan: ImportPlan, cells: readonly Cell[], scales: ReadonlyMap<string, bigint>) => {
  const exposures = plan.arms.columns.map((column) => exposureText(plan, column, cells));
  const values = new Map(plan.values.map(({ event }) => [event, metricText(plan, 'v', event, scales.get(event) ?? 1n)]));
  const covariates = new Map(plan.covariates.map(({ event }) => [event, metricText(plan, 'c', event, scales.get(event) ?? 1n)]));
  const unitType = JSON.stringify(plan.unit.type);

  return (reading: RowReading, { hash, occurrence }: RowIdentity): readonly DerivedEvent[] => {
    const row = `${hash}.${occurrence}`;
    const about: AboutRow = {
      row,
      time: formatInstant(reading.atUs),
      unit: `{"type":${unitType},"id":${reading.unitId === undefined ? `"${row}"` : JSON.stringify(reading.unitId)}}`,
      properties: reading.properties === undefined ? '' : `,"properties":${JSON.stringify(reading.properties)}`,
    };
    const derived: DerivedEvent[] = [];
    for (const [index, column] of plan.arms.columns.entries()) {
      const text = reading.armTexts[index];
      if (text !== undefined) derived.push({ column, text: exposures[index]?.(text, about) ?? '' });
    }
    for (const { event, exact } of reading.values) derived.push({ column: event, text: values.get(event)?.(exact, about) ?? '' });
    if (reading.covariates.length === 0) return derived;
    const before = { ...about, time: formatInstant(reading.atUs - BEFORE_US) };
    for (const { event, exact } of reading.covariates) derived.push({ column: event, text: covariates.get(event)?.(exact, before) ?? '' });
    return derived;
  };
};

interface AboutRow {
  readonly row: string;
  readonly time: string;
  /** JSON. */
  readonly unit: string;
  /** JSON of the last field of `data`, or nothing. */
  readonly properties: string;
}

const START = '{"specversion":"1.0","id":"';
/** What follows a row's identity in an event's id, and all that is the same in every event of a column. */
const afterRow = (plan: ImportPlan, kind: string, name: string, type: string): string => {
  const end = JSON.stringify(`.${kind}:${nameInId(name)}`).slice(1);
  return `${end},"source":${JSON.stringify(sourceOf(plan.key))},"type":"${type}","time":"`;
};

const exposureText = (plan: ImportPlan, column: string, cells: readonly Cell[]) => {
  const variants = new Map([...variantsByText(column, cells)].map(([text, variant]) => [text, JSON.stringify(variant)]));
  const after = afterRow(plan, 'x', column, 'exposure.v1');
  const experiment = `,"experiment":${JSON.stringify(plan.key)},"variant":`;
  return (text: string, { row, time, unit, properties }: AboutRow): string => {
    const variant = variants.get(text) ?? JSON.stringify(unknownVariant(text, cells));
    return `${START}${row}${after}${time}","data":{"unit":${unit}${experiment}${variant}${properties}}}`;
  };
};

const metricText = (plan: ImportPlan, kind: string, event: string, scale: bigint) => {
  const after = afterRow(plan, kind, event, 'metric.v1');
  const name = `,"name":${JSON.stringify(event)},"value":`;
  const power = scale.toString().length - 1;
  return (exact: ExactDecimal, { row, time, unit, properties }: AboutRow): string => {
    const value = jsonNumberOf(power === 0 ? exact : shifted(exact, power));
    // The survey has made sure of it.
    if (value === undefined) throw new RangeError(`"${event}" has a value that JSON cannot carry exactly`);
    return `${START}${row}${after}${time}","data":{"unit":${unit}${name}${value}${properties}}}`;
  };
};

/** Variants by what a column says. @throws Refusal where two cells claim one text */
export const variantsByText = (column: string, cells: readonly Cell[]): ReadonlyMap<string, string> => {
  const variants = new Map<string, string>();
  for (const { variant, values = [variant] } of cells)
    for (const text of Array.isArray(values) ? values : (values[column] ?? [])) {
      const other = variants.get(text);
      if (other !== undefined && other !== variant)
        throw new Refusal(`In the plan "${text}" of the column "${column}" belongs to two cells, "${other}" and "${variant}".`, 2);
      variants.set(text, variant);
    }
  return variants;
};

/** Sent as it is, so that the platform counts it as unknown; never mistaken for a variant of the same name. */
const unknownVariant = (text: string, cells: readonly Cell[]): string =>
  cells.some(({ variant }) => variant === text) ? `${text} (not in the plan)` : text.slice(0, 200);

const nameInId = (name: string): string =>
  name.length <= LONGEST_NAME_IN_ID ? name : createHash('sha256').update(name).digest('base64url').slice(0, 22);
