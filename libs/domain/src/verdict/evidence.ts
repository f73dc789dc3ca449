/** What a one-sided test says for its statement, and whether that is enough. */
import { normal } from '@rampart/statistics';
import { againstLevel, againstThreshold, percent, plain } from './number-texts.js';

/** What a one-sided test brings: p at one look, ln E where the test holds at every look (p = min(1, 1/E)), or why there is neither. */
export type Evidence =
  | { readonly kind: 'p'; readonly p: number }
  | { readonly kind: 'e'; readonly logE: number }
  | ({ readonly kind: 'bound' } & BoundedStatistic)
  | ({ readonly kind: 'posterior' } & Posterior)
  | ({ readonly kind: 'none' } & NoResult);

/** A class of condition from the edge table, e.g. INSUFFICIENT_UNITS; NOT_ENOUGH_DATA says both numbers. */
export interface NoResult {
  readonly refused: string;
  readonly have?: number;
  readonly needed?: number;
}

/** At a planned look of several: the statistic against the bound that the look's share of α makes. It stands until the next one. */
export interface BoundedStatistic {
  readonly statistic: number;
  /** Null: nothing can be shown at this look, however large. */
  readonly bound: number | null;
  /** From 1. */
  readonly look: number;
  readonly looks: number;
}

/** By its own thresholds: a level has no part in it. */
export interface Posterior {
  /** That the statement is true. */
  readonly chance: number;
  readonly chanceNeeded: number;
  /** Share of control's mean that acting on the statement is expected to lose; null where it is not asked for. */
  readonly expectedLoss: number | null;
  readonly lossAllowed: number | null;
}

/** A test that could be made. */
export type Known = Exclude<Evidence, { kind: 'none' }>;

/** Whether a test rejects at its one-sided level; the edge belongs to the rejection. */
export const isAtLevel = (evidence: Evidence, level: number): boolean => {
  switch (evidence.kind) {
    case 'p':
      return evidence.p <= level;
    case 'e':
      return evidence.logE >= -Math.log(level);
    case 'bound':
      return evidence.bound !== null && evidence.statistic >= evidence.bound;
    case 'posterior': {
      const { chance, chanceNeeded, expectedLoss, lossAllowed } = evidence;
      return chance >= chanceNeeded && (expectedLoss === null || lossAllowed === null || expectedLoss <= lossAllowed);
    }
    case 'none':
      return false;
  }
};

/** `one-sided p 0.0021 < 0.0250`, or `E 312 ≥ 222` where the test holds at every look. */
export const evidenceText = (evidence: Known, level: number): string => {
  switch (evidence.kind) {
    case 'p':
      return `one-sided ${againstLevel(evidence.p, level)}`;
    case 'e':
      return againstThreshold(evidence.logE, -Math.log(level));
    case 'bound':
      return boundText(evidence);
    case 'posterior':
      return posteriorText(evidence);
  }
};

const boundText = ({ statistic, bound, look, looks }: BoundedStatistic): string => {
  const at = `look ${look} of ${looks}`;
  if (bound === null) return `${at}: z ${plain(statistic)}, whose share of α shows nothing yet`;
  return `${at}: z ${apart(statistic, bound)} ${statistic >= bound ? '≥' : '<'} ${apart(bound, statistic)}`;
};

const posteriorText = ({ chance, chanceNeeded, expectedLoss, lossAllowed }: Posterior): string => {
  const chances = `probability ${share(chance, chanceNeeded)} ${chance >= chanceNeeded ? '≥' : '<'} ${share(chanceNeeded, chance)}`;
  if (expectedLoss === null || lossAllowed === null) return chances;
  const losses = `expected loss ${share(expectedLoss, lossAllowed)} ${expectedLoss <= lossAllowed ? '≤' : '>'} ${share(lossAllowed, expectedLoss)}`;
  return `${chances}, ${losses}`;
};

/** With as many digits as it takes to tell it from the other number. */
const apart = (value: number, other: number): string => {
  for (let digits = 3; digits <= 17; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (value === other || text !== String(Number(other.toPrecision(digits)))) return text;
  }
  return String(value);
};
const share = (value: number, other: number): string => {
  const text = value === other ? percent(value) : `${apart(value * 100, other * 100)} %`;
  // Nothing that is believed is certain.
  return text === '100 %' && value < 1 ? 'over 99.9 %' : text;
};

/** Always-valid where the test is, nominal at a planned look, of a posterior the probability that the statement is false; 1 where there is none. */
export const pOf = (evidence: Evidence): number => {
  switch (evidence.kind) {
    case 'p':
      return evidence.p;
    case 'e':
      return Math.min(1, Math.exp(-evidence.logE));
    case 'bound':
      return normal.sf(evidence.statistic);
    case 'posterior':
      return 1 - evidence.chance;
    case 'none':
      return 1;
  }
};
