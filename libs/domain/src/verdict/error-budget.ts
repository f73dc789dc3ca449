/**
 * How the plan's error rates are shared out over its tests, so that wrong ships stay ≤ α and false alarms ≤ α₋, whatever depends on what.
 * Levels are one-sided. Schultzberg, Ankargren & Frånberg 2024 (arXiv:2402.11609); the α₋ form is a union bound.
 */

export interface TestCounts {
  readonly success: number;
  readonly guardrailsWithMargin: number;
  readonly guardrailsWithoutMargin: number;
  /** Quality tests that have a level (sample ratio), not thresholds. */
  readonly quality: number;
  readonly treatments: number;
}

/** @returns α₋/((S + G + D + Q)·k): the level of each test for harm */
export const harmLevel = (alphaMinus: number, counts: TestCounts): number => {
  const perArm = counts.success + counts.guardrailsWithMargin + counts.guardrailsWithoutMargin + counts.quality;
  return alphaMinus / Math.max(1, perArm * counts.treatments);
};

/**
 * Levels for the tests of superiority: α/(S·k) each, or stepping down with Holm. A missing p is a hypothesis that was not rejected:
 * it stays in the family, or losing data about one arm would make it easier for another.
 * @returns parallel to `pValues`; p ≤ its level means rejected. Where Holm stopped early, the level at which it stopped.
 */
export const superiorityLevels = (pValues: readonly (number | null)[], alpha: number, multiplicity: 'holm' | 'none'): readonly number[] => {
  const family = pValues.length;
  if (multiplicity === 'none') return pValues.map(() => alpha / family);
  const order = pValues.map((p, index) => ({ p: p ?? 1, index })).sort((a, b) => a.p - b.p);
  const levels = new Array<number>(family).fill(alpha);
  let stoppedAt: number | undefined;
  order.forEach(({ p, index }, rank) => {
    const level = stoppedAt ?? alpha / (family - rank);
    levels[index] = level;
    if (p > level) stoppedAt = level;
  });
  return levels;
};
