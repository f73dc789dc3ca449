/** Reads a regular expression's structure: enough to know what matching it can cost, and to match it in linear time. */

export type Pattern =
  | { readonly kind: 'one'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly of: Pattern; readonly least: number; readonly most: number }
  | { readonly kind: 'assert'; readonly what: '^' | '$' | '\\b' | '\\B' }
  /** Lookaround or backreference: no automaton of ours has it. */
  | { readonly kind: 'beyond'; readonly of: Pattern };

const QUANTIFIER = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/;
const ESCAPE = /^\\(?:x[\da-f]{2}|u[\da-f]{4}|c[a-z]|0[0-7]{0,2}|[\s\S])/i;
const CLASS = /^\[(?:\\[\s\S]|[^\]\\])*\]/;
const BEYOND = /^\\(?:[1-9]\d*|k<[^>]*>)/;
const GROUP = /^\((?:\?(?:([:=!])|(<[=!])|<[^>]*>))?/;

interface Cursor {
  rest: string;
}

const take = (cursor: Cursor, length: number): string => {
  const taken = cursor.rest.slice(0, length);
  cursor.rest = cursor.rest.slice(length);
  return taken;
};

const repeated = (cursor: Cursor, of: Pattern): Pattern => {
  const found = QUANTIFIER.exec(cursor.rest);
  if (found === null) return of;
  const [text, least, comma, most] = found;
  take(cursor, text.length);
  const sign = text[0];
  if (sign === '*') return { kind: 'repeat', of, least: 0, most: Number.POSITIVE_INFINITY };
  if (sign === '+') return { kind: 'repeat', of, least: 1, most: Number.POSITIVE_INFINITY };
  if (sign === '?') return { kind: 'repeat', of, least: 0, most: 1 };
  const atLeast = Number(least);
  const atMost = comma === undefined ? atLeast : most === undefined || most === '' ? Number.POSITIVE_INFINITY : Number(most);
  return { kind: 'repeat', of, least: atLeast, most: atMost };
};

const group = (cursor: Cursor): Pattern => {
  const [opening = '(', around, behind] = GROUP.exec(cursor.rest) ?? [];
  take(cursor, opening.length);
  const inner = choice(cursor);
  take(cursor, 1); // the closing bracket: the pattern was compiled before, so it is there
  return (around !== undefined && around !== ':') || behind !== undefined ? { kind: 'beyond', of: inner } : inner;
};

const atom = (cursor: Cursor): Pattern => {
  const { rest } = cursor;
  const [first = ''] = rest;
  if (first === '(') return group(cursor);
  if (first === '^' || first === '$') return { kind: 'assert', what: take(cursor, 1) as '^' | '$' };
  if (first === '\\' && (rest[1] === 'b' || rest[1] === 'B')) return { kind: 'assert', what: take(cursor, 2) as '\\b' | '\\B' };
  const beyond = BEYOND.exec(rest);
  if (beyond !== null) {
    take(cursor, beyond[0].length);
    return { kind: 'beyond', of: { kind: 'sequence', parts: [] } };
  }
  const longer = first === '\\' ? ESCAPE.exec(rest) : first === '[' ? CLASS.exec(rest) : null;
  return { kind: 'one', source: take(cursor, longer?.[0].length ?? 1) };
};

const sequence = (cursor: Cursor): Pattern => {
  const parts: Pattern[] = [];
  while (cursor.rest !== '' && cursor.rest[0] !== '|' && cursor.rest[0] !== ')') parts.push(repeated(cursor, atom(cursor)));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'sequence', parts };
};

const choice = (cursor: Cursor): Pattern => {
  const options = [sequence(cursor)];
  while (cursor.rest[0] === '|') {
    take(cursor, 1);
    options.push(sequence(cursor));
  }
  const [only] = options;
  return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
};

/** @param source a pattern that `new RegExp(source)` accepts, without the flags u and v */
export const patternOf = (source: string): Pattern => choice({ rest: source });

/** What a backtracking matcher may have to try: about `n^loops · 2^choices` ways through a text of n characters, or exponentially many. */
export interface Risk {
  readonly loops: number;
  readonly choices: number;
  readonly isExponential: boolean;
}

const NONE: Risk = { loops: 0, choices: 0, isExponential: false };
const FEW_TURNS = 16;

const together = (risks: readonly Risk[]): Risk =>
  risks.reduce(
    (all, one) => ({
      loops: all.loops + one.loops,
      choices: all.choices + one.choices,
      isExponential: all.isExponential || one.isExponential,
    }),
    NONE,
  );

const riskOfRepeat = (inner: Risk, least: number, most: number): Risk => {
  if (most <= FEW_TURNS) {
    return { ...inner, loops: inner.loops * most, choices: inner.choices * most + Math.log2(most - least + 1) };
  }
  // A loop over something that can itself be read in several ways: (a+)+, (a|a)*.
  return { ...inner, loops: inner.loops + 1, isExponential: inner.isExponential || inner.loops > 0 || inner.choices > 0 };
};

export const riskOf = (pattern: Pattern): Risk => {
  if (pattern.kind === 'one' || pattern.kind === 'assert') return NONE;
  if (pattern.kind === 'sequence') return together(pattern.parts.map(riskOf));
  if (pattern.kind === 'repeat') return riskOfRepeat(riskOf(pattern.of), pattern.least, pattern.most);
  if (pattern.kind === 'beyond') return riskOf(pattern.of);
  const inner = together(pattern.options.map(riskOf));
  return { ...inner, choices: inner.choices + Math.log2(pattern.options.length) };
};

/** Whether a match can only begin at the text's start. */
export const isAnchored = (pattern: Pattern): boolean => {
  if (pattern.kind === 'assert') return pattern.what === '^';
  if (pattern.kind === 'sequence') return pattern.parts[0] !== undefined && isAnchored(pattern.parts[0]);
  return pattern.kind === 'choice' && pattern.options.every(isAnchored);
};
