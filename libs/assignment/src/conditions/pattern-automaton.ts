/** Matches a pattern by following all ways at once: time grows with the text times the pattern, never faster. */
import type { Pattern } from './pattern-syntax.js';

type Step =
  | { readonly kind: 'one'; readonly accepts: (code: number) => boolean; readonly next: number }
  | { readonly kind: 'fork'; readonly next: readonly number[] }
  | { readonly kind: 'assert'; readonly what: '^' | '$' | '\\b' | '\\B'; readonly next: number }
  | { readonly kind: 'end' };

/** A pattern that unfolds to more steps is refused. */
const MOST_STEPS = 4000;
/** Text length times steps; about a tenth of a second. */
const MOST_WORK = 2 ** 23;

/** Whether one UTF-16 unit matches: asked of the engine's own expression once per unit, so classes and case folding are the engine's. */
const accepting = (source: string, flags: string): ((code: number) => boolean) => {
  const single = new RegExp(`^(?:${source})$`, flags);
  const known = new Map<number, boolean>();
  return (code) => {
    const before = known.get(code);
    if (before !== undefined) return before;
    const accepts = single.test(String.fromCharCode(code));
    known.set(code, accepts);
    return accepts;
  };
};

/** Builds steps from the end to the beginning: each piece is given where to go on. */
const stepsOf = (pattern: Pattern, flags: string): { readonly steps: readonly Step[]; readonly first: number } => {
  const steps: Step[] = [{ kind: 'end' }];
  const add = (step: Step): number => {
    if (steps.length >= MOST_STEPS) throw new RangeError(`a pattern unfolds to more than ${MOST_STEPS} steps`);
    return steps.push(step) - 1;
  };
  const repeat = (of: Pattern, least: number, most: number, next: number): number => {
    let first = next;
    if (most === Number.POSITIVE_INFINITY) {
      const loop = add({ kind: 'fork', next: [] });
      steps[loop] = { kind: 'fork', next: [build(of, loop), next] };
      first = loop;
    } else {
      for (let i = least; i < most; i += 1) first = add({ kind: 'fork', next: [build(of, first), next] });
    }
    for (let i = 0; i < least; i += 1) first = build(of, first);
    return first;
  };
  const build = (piece: Pattern, next: number): number => {
    if (piece.kind === 'one') return add({ kind: 'one', accepts: accepting(piece.source, flags), next });
    if (piece.kind === 'assert') return add({ kind: 'assert', what: piece.what, next });
    if (piece.kind === 'sequence') return piece.parts.reduceRight((after, part) => build(part, after), next);
    if (piece.kind === 'choice') return add({ kind: 'fork', next: piece.options.map((option) => build(option, next)) });
    if (piece.kind === 'repeat') return repeat(piece.of, piece.least, piece.most, next);
    throw new RangeError('an automaton has neither lookaround nor backreferences');
  };
  const first = build(pattern, 0);
  return { steps, first };
};

const isWord = (text: string, at: number): boolean => /\w/.test(text.charAt(at));

const asserts = (what: '^' | '$' | '\\b' | '\\B', text: string, at: number): boolean => {
  if (what === '^') return at === 0;
  if (what === '$') return at === text.length;
  return (isWord(text, at - 1) !== isWord(text, at)) === (what === '\\b');
};

/** @returns undefined when the pattern is too large, or has what no automaton has */
export const automatonOf = (pattern: Pattern, flags: string): ((text: string) => boolean) | undefined => {
  let built: ReturnType<typeof stepsOf>;
  try {
    built = stepsOf(pattern, flags);
  } catch {
    return undefined;
  }
  const { steps, first } = built;
  return (text) => {
    if ((text.length + 1) * steps.length > MOST_WORK) return false;
    const seenAt = new Int32Array(steps.length).fill(-1);
    let waiting: number[] = [];
    for (let at = 0; at <= text.length; at += 1) {
      const open = [...waiting, first];
      waiting = [];
      const code = text.charCodeAt(at);
      for (let index = open.pop(); index !== undefined; index = open.pop()) {
        if (seenAt[index] === at) continue;
        seenAt[index] = at;
        const step = steps[index] as Step;
        if (step.kind === 'end') return true;
        if (step.kind === 'fork') open.push(...step.next);
        else if (step.kind === 'assert') {
          if (asserts(step.what, text, at)) open.push(step.next);
        } else if (at < text.length && step.accepts(code)) waiting.push(step.next);
      }
    }
    return false;
  };
};
