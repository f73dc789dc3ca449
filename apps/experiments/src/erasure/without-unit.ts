/** A definition as if it had never named a unit: where people name units, the erased one is replaced by a word that is no id. */
import { DISTINCT_UNIT_ID } from '@rampart/contracts';

export const ERASED = '(erased)';

/** Members in which people name units; a text elsewhere that looks like an id is something else: a key, a variant, a name. */
const NAMING = new Set(['units', 'condition', 'targeting']);

export interface NamedUnit {
  readonly unitType: string;
  readonly unitId: string;
}

/** @returns the same value where it names the unit nowhere */
export const withoutUnit = <Value>(value: Value, unit: NamedUnit, isNaming = false): Value => replaced(value, unit, isNaming) as Value;

const replaced = (value: unknown, unit: NamedUnit, isNaming: boolean): unknown => {
  if (typeof value === 'string') return isNaming && value === unit.unitId ? ERASED : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => replaced(item, unit, isNaming));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const { unitType } = value as { unitType?: unknown };
  // Of another type of unit: the same id is somebody else.
  if (typeof unitType === 'string' && unitType !== unit.unitType) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, replaced(member, unit, isNaming || NAMING.has(name))] as const);
  return entries.some(([name, member]) => member !== (value as Record<string, unknown>)[name]) ? Object.fromEntries(entries) : value;
};

/** A sentence that somebody wrote. Short ids stay: in a sentence they are mostly numbers. */
export const sentenceWithout = (text: string, { unitId }: NamedUnit): string =>
  unitId.length < DISTINCT_UNIT_ID ? text : text.replaceAll(unitId, ERASED);
