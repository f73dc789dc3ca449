/** Whether a text names a unit. */

import { DISTINCT_UNIT_ID } from '@rampart/contracts';

const WORD = /[\p{L}\p{N}]/u;

/** @returns whether the id stands in the text by itself, or, where it is long enough, anywhere */
export const namesUnit = (text: string, id: string): boolean => {
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    if (id.length >= DISTINCT_UNIT_ID) return true;
    const [before, after] = [text.slice(0, at).at(-1) ?? '', text.at(at + id.length) ?? ''];
    if (!WORD.test(before) && !WORD.test(after)) return true;
  }
  return false;
};

/** Every text of a JSON document, names of fields included, and its numbers as they are written. */
export const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)]);
};
