/** What a one-sided test says for its statement, and whether that is enough. */
import { againstLevel, againstThreshold } from './number-texts.js';

/** What a one-sided test brings: p at one look, ln E where the test holds at every look (p = min(1, 1/E)), or why there is neither. */
export type Evidence =
  | { readonly kind: 'p'; readonly p: number }
  | { readonly kind: 'e'; readonly logE: number }
  | ({ readonly kind: 'none' } & NoResult);

/** A class of condition from the edge table, e.g. INSUFFICIENT_UNITS; NOT_ENOUGH_DATA says both numbers. */
export interface NoResult {
  readonly refused: string;
  readonly have?: number;
  readonly needed?: number;
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
    case 'none':
      return false;
  }
};

/** `one-sided p 0.0021 < 0.0250`, or `E 312 ≥ 222` where the test holds at every look. */
export const evidenceText = (evidence: Known, level: number): string =>
  evidence.kind === 'p' ? `one-sided ${againstLevel(evidence.p, level)}` : againstThreshold(evidence.logE, -Math.log(level));

/** Always-valid where the test is; 1 where there is none: unknown is not good. */
export const pOf = (evidence: Evidence): number => {
  switch (evidence.kind) {
    case 'p':
      return evidence.p;
    case 'e':
      return Math.min(1, Math.exp(-evidence.logE));
    case 'none':
      return 1;
  }
};
