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

/** Every text of a JSON document, names of fields included, and its numbers as they are written. However deep it is: whoever may send events writes it. */
export const textsIn = (value: unknown): readonly string[] => {
  const texts: string[] = [];
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one === 'string') texts.push(one);
    else if (typeof one === 'number') texts.push(String(one));
    else if (Array.isArray(one)) for (const item of one) open.push(item);
    else if (typeof one === 'object' && one !== null)
      for (const [name, member] of Object.entries(one)) {
        texts.push(name);
        open.push(member);
      }
  }
  return texts;
};
