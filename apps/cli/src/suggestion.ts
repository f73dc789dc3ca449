/** The known word that a mistyped one was probably meant to be. */

/** @returns the nearest of `known` within a third of the word's length (at least two letters may differ), or undefined */
const nearestOf = (word: string, known: readonly string[]): string | undefined => {
  const limit = Math.max(2, Math.floor(word.length / 3));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
};

/** @returns ` Did you mean "x"?`, or nothing */
export const didYouMean = (word: string, known: readonly string[]): string => {
  const nearest = nearestOf(word, known);
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
};

/** Levenshtein's distance, one row of the table at a time. */
const editDistance = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
};
