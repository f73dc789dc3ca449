/** JSON from bytes, and where it breaks when it does: V8's own message names no place. */
import { isUtf8 } from 'node:buffer';
import { DomainError } from '@rampart/domain/errors';

/** @throws DomainError not-json with position, line and column; not-utf8 */
export const parseJson = (body: Buffer): unknown => {
  if (!isUtf8(body)) throw new DomainError('not-utf8', 'The body is not UTF-8 text.');
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw brokenJson(text);
  }
};

const brokenJson = (text: string): DomainError => {
  const position = brokenAt(text);
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  const found = position >= text.length ? 'it ends too early' : `unexpected ${JSON.stringify(text.slice(position, position + 12))}`;
  return new DomainError('not-json', `The body is not JSON: ${found} at position ${position} (line ${line}, column ${column}).`, {
    position,
    line,
    column,
  });
};

const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings must not hold them.
  /[\t\n\r ]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;
const SPACE = /[\t\n\r ]*/y;

/** What may come next: a value, a value or `]`, a key or `}`, a key, a colon, a comma or the end of the container, nothing. */
type Expected = 'value' | 'first-item' | 'first-key' | 'key' | 'colon' | 'next' | 'end';

/** @returns the index of the first character that no JSON text could have there */
export const brokenAt = (text: string): number => {
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    const start = SPACE.test(text) ? SPACE.lastIndex : at;
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null || expected === 'end') return start;
    const [, sign, string] = match;
    const after = step(expected, sign ?? (string === undefined ? 'literal' : 'string'), open);
    if (after === undefined) return start;
    expected = after;
    at = TOKEN.lastIndex;
  }
};

const step = (expected: Expected, token: string, open: string[]): Expected | undefined => {
  if (expected === 'colon') return token === ':' ? 'value' : undefined;
  if (expected === 'key' || expected === 'first-key') {
    if (token === 'string') return 'colon';
    return token === '}' && expected === 'first-key' ? closed(open) : undefined;
  }
  if (expected === 'next') {
    if (token === ',') return open.at(-1) === '{' ? 'key' : 'value';
    return token === (open.at(-1) === '{' ? '}' : ']') ? closed(open) : undefined;
  }
  if (token === '{' || token === '[') {
    open.push(token);
    return token === '{' ? 'first-key' : 'first-item';
  }
  if (token === ']') return expected === 'first-item' ? closed(open) : undefined;
  if (token !== 'string' && token !== 'literal') return undefined;
  return open.length === 0 ? 'end' : 'next';
};

const closed = (open: string[]): Expected => {
  open.pop();
  return open.length === 0 ? 'end' : 'next';
};
