/**
 * Regular expressions that no attribute can make run away. Most run in the engine as they are; where backtracking could
 * explode on a text of that length, an automaton gives the same answer in linear time.
 */
import { automatonOf } from './pattern-automaton.js';
import { isAnchored, patternOf, riskOf } from './pattern-syntax.js';

/** How many ways the engine's backtracking may try: some milliseconds. */
const MOST_WAYS = 2 ** 20;

/**
 * @returns undefined for a pattern that is none: it never matches.
 * Lookaround and backreferences stay in the engine; on a text so long that they could run away they do not match
 */
export const compilePattern = (source: string, ignoreCase: boolean): ((text: string) => boolean) | undefined => {
  const flags = ignoreCase ? 'i' : '';
  let native: RegExp;
  try {
    native = new RegExp(source, flags);
  } catch {
    return undefined;
  }
  const pattern = patternOf(source);
  const { loops, choices, isExponential } = riskOf(pattern);
  const power = loops + (isAnchored(pattern) ? 0 : 1);
  const longest = isExponential ? -1 : (MOST_WAYS / 2 ** choices) ** (1 / Math.max(power, 1)) - 1;
  let automaton: ((text: string) => boolean) | undefined | null = null;
  return (text) => {
    if (text.length <= longest) return native.test(text);
    if (automaton === null) automaton = automatonOf(pattern, flags);
    return automaton?.(text) ?? false;
  };
};
