/** Reads a JSON file by its schema: what is wrong with it is said with file, line and column, and the word that was meant. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { usage } from '../refusal.js';
import { didYouMean } from '../suggestion.js';
import { type PlacedJson, parsePlacedJson, placeOf } from './json-places.js';

export interface Expected<Schema extends z.ZodType> {
  /** For people: what stands before line and column. */
  readonly file: string;
  readonly schema: Schema;
  /** For people: `plan`. */
  readonly what: string;
  /** Every field that some part of it may have, for suggestions. */
  readonly fields: readonly string[];
}

/** @throws Refusal naming every wrong field, with its place */
export const parseChecked = <Schema extends z.ZodType>(
  text: string,
  { file, schema, what, fields }: Expected<Schema>,
): z.output<Schema> => {
  const placed = parsePlacedJson(text, file);
  const checked = schema.safeParse(placed.value);
  if (checked.success) return checked.data;
  const sentences = checked.error.issues.flatMap((issue) => sentencesOf(issue, { text, file, what, fields, placed }));
  throw usage(sentences.join('\n'));
};

/** @throws Refusal */
export const readText = (file: string, what: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`The ${what} ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
};

interface Source {
  readonly text: string;
  readonly file: string;
  readonly what: string;
  readonly fields: readonly string[];
  readonly placed: PlacedJson;
}
type Issue = z.core.$ZodIssue;

const sentencesOf = (issue: Issue, source: Source, above: readonly PropertyKey[] = []): readonly string[] => {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => at([...path, key], `there is no field "${key}" here.${didYouMean(key, source.fields)}`, source));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that got furthest is the one that was meant; of equals, the one that knows the fields.
    const [closest = []] = [...issue.errors].sort(
      (left, right) => depth(right) - depth(left) || unknownFields(left) - unknownFields(right),
    );
    return closest.flatMap((inner) => sentencesOf(inner, source, path));
  }
  return [at(path, `${issue.message}.`, source)];
};

const depth = (issues: readonly Issue[]): number =>
  Math.max(...issues.map(({ path, code }) => path.length + (code === 'invalid_type' && path.length === 0 ? -1 : 0)));

const unknownFields = (issues: readonly Issue[]): number => issues.filter(({ code }) => code === 'unrecognized_keys').length;

const at = (path: readonly PropertyKey[], message: string, { text, file, what, placed }: Source): string => {
  const pointer = path.map((step) => `/${String(step)}`).join('');
  // A missing field stands where its object begins.
  let known = pointer;
  while (!placed.offsets.has(known) && known !== '') known = known.slice(0, known.lastIndexOf('/'));
  const { line, column } = placeOf(text, placed.offsets.get(known) ?? 0);
  return `${file}:${line}:${column}: ${pointer === '' ? `the ${what}` : pointer}: ${message}`;
};
