/** From what a row says to the events that are sent: a pure function of plan, scales and row. */
import { createHash } from 'node:crypto';
import { formatInstant } from '@rampart/contracts';
import type { Cell, ImportPlan } from '../plan/plan.js';
import { Refusal } from '../refusal.js';
import { jsonNumberOf, shifted } from '../table/exact-decimals.js';
import type { ReadValue, RowReading } from './row-reading.js';

export interface DerivedEvent {
  /** Column or event of the plan that it came from, for messages. */
  readonly column: string;
  readonly event: Readonly<Record<string, unknown>>;
}

export interface RowIdentity {
  readonly hash: string;
  readonly occurrence: number;
}

export const sourceOf = (planKey: string): string => `import/${planKey}`;
/** Covariates are what was known before: undated ones get this much. */
const BEFORE_US = 1_000_000;
const LONGEST_NAME_IN_ID = 100;

/** @param scales  per event name, powers of ten; @returns the events of a row, whose ids depend on plan key, row identity and column only */
export const eventDeriver = (plan: ImportPlan, cells: readonly Cell[], scales: ReadonlyMap<string, bigint>) => {
  const variants = plan.arms.columns.map((column) => variantsByText(column, cells));
  const source = sourceOf(plan.key);
  const powers = new Map([...scales].map(([event, scale]) => [event, scale.toString().length - 1]));
  const type = plan.unit.type;

  return (reading: RowReading, { hash, occurrence }: RowIdentity): readonly DerivedEvent[] => {
    const row = `${hash}.${occurrence}`;
    const unit = { type, id: reading.unitId ?? row };
    const time = formatInstant(reading.atUs);
    const { properties } = reading;
    const envelope = (kind: string, name: string) => ({ specversion: '1.0', id: `${row}.${kind}:${nameInId(name)}`, source });
    const metric = (kind: string, { event, exact }: ReadValue, at: string): DerivedEvent => {
      const value = jsonNumberOf(shifted(exact, powers.get(event) ?? 0));
      return {
        column: event,
        event: { ...envelope(kind, event), type: 'metric.v1', time: at, data: { unit, name: event, value, properties } },
      };
    };
    const derived: DerivedEvent[] = [];
    for (const [index, column] of plan.arms.columns.entries()) {
      const text = reading.armTexts[index];
      if (text === undefined) continue;
      const variant = variants[index]?.get(text) ?? unknownVariant(text, cells);
      const data = { unit, experiment: plan.key, variant, properties };
      derived.push({ column, event: { ...envelope('x', column), type: 'exposure.v1', time, data } });
    }
    for (const value of reading.values) derived.push(metric('v', value, time));
    if (reading.covariates.length === 0) return derived;
    const before = formatInstant(reading.atUs - BEFORE_US);
    for (const value of reading.covariates) derived.push(metric('c', value, before));
    return derived;
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
