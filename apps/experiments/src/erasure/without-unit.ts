/** What people wrote as if it had never named a unit: there the erased one is replaced by a word that is no id. */
import { DISTINCT_UNIT_ID } from '@rampart/contracts';

export const ERASED = '(erased)';

/**
 * What a member of a definition may hold. `prose`: sentences, in which an id is found wherever it stands, since not every language puts spaces around it.
 * `units`: where people name units, and `value`: what a feature gives for one of its `variants`; others' ids there are needed as they are, so that only whole
 * words go. Whatever is not listed refers to something else (a key, a variant, an event), and so do stages, which are called by their names.
 */
type Holding = 'prose' | 'units' | 'variants' | 'value' | 'kept';

const HOLDS: ReadonlyMap<string, Holding> = new Map<string, Holding>([
  ...(['name', 'description', 'hypothesis', 'reason', 'sentence'] as const).map((member) => [member, 'prose'] as const),
  ...(['units', 'condition', 'targeting'] as const).map((member) => [member, 'units'] as const),
  ['variants', 'variants'],
  ...(['stage', 'stages'] as const).map((member) => [member, 'kept'] as const),
]);

const heldBy = (member: string, holding: Holding | undefined): Holding | undefined => {
  if (holding === undefined) return HOLDS.get(member);
  if (holding !== 'variants') return holding;
  return member === 'value' ? 'value' : 'kept';
};

export interface NamedUnit {
  readonly unitType: string;
  readonly unitId: string;
}

/** The texts of which one is in whatever names the unit: its id, also as a regular expression writes it, each also as JSON writes it. */
export const formsOf = ({ unitId }: NamedUnit): readonly string[] => {
  const written = [unitId, asPattern(unitId)];
  return [...new Set([...written, ...written.map((text) => JSON.stringify(text).slice(1, -1))])];
};

/** @returns the same value where it names the unit nowhere. Ids of fewer than eight characters go only where they are a whole text among units */
export const withoutUnit = <Value>(value: Value, unit: NamedUnit): Value => replaced(value, unit, undefined) as Value;

/** A sentence that somebody wrote. Short ids stay: in a sentence they are mostly numbers. */
export const sentenceWithout = (text: string, { unitId }: NamedUnit): string =>
  isShort(unitId) ? text : text.replaceAll(unitId, ERASED).replaceAll(asPattern(unitId), ERASED);

const replaced = (value: unknown, unit: NamedUnit, holding: Holding | undefined): unknown => {
  if (typeof value === 'string') return textWithout(value, unit, holding);
  if (typeof value === 'number') return holding === 'units' && !isShort(unit.unitId) && String(value) === unit.unitId ? ERASED : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => replaced(item, unit, holding));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const { unitType } = value as { unitType?: unknown };
  const isOfOthers = holding === undefined && typeof unitType === 'string' && unitType !== unit.unitType;
  const entries = Object.entries(value).map(([name, member]) => {
    const held = heldBy(name, holding);
    // Among units of another type the same id is somebody else.
    if (isOfOthers && held === 'units') return [name, member] as const;
    return [holding === undefined ? name : textWithout(name, unit, holding), replaced(member, unit, held)] as const;
  });
  const before = value as Record<string, unknown>;
  return entries.some(([name, member]) => !Object.hasOwn(before, name) || member !== before[name]) ? Object.fromEntries(entries) : value;
};

const textWithout = (text: string, unit: NamedUnit, holding: Holding | undefined): string => {
  if (holding !== 'prose' && holding !== 'units' && holding !== 'value') return text;
  if (holding === 'prose') return sentenceWithout(text, unit);
  if (holding === 'units' && text === unit.unitId) return ERASED;
  return isShort(unit.unitId) ? text : text.replace(asWord(unit.unitId), ERASED).replace(asWord(asPattern(unit.unitId)), ERASED);
};

const isShort = (unitId: string): boolean => unitId.length < DISTINCT_UNIT_ID;

const asPattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const asWord = (text: string): RegExp => new RegExp(`(?<![\\p{L}\\p{N}])${asPattern(text)}(?![\\p{L}\\p{N}])`, 'gu');
