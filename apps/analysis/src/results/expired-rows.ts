/** Rows that a comparison reads and that were removed, by configuration, and how that is said. */
import { formatInstant } from '@rampart/contracts';
import { type ComparisonQuery, neededSinceUs } from '@rampart/feedback-store';
import type { Evidence } from './evidence.source.js';

export interface ExpiredNeeded {
  readonly neededUs: number;
  /** Rows known before are gone. */
  readonly untilUs: number;
}

/** @returns null where the comparison has all of its rows */
export const expiredNeeded = async (evidence: Pick<Evidence, 'expiredUntil'>, query: ComparisonQuery): Promise<ExpiredNeeded | null> => {
  const untilUs = await evidence.expiredUntil(query);
  const neededUs = neededSinceUs(query);
  return untilUs === null || untilUs <= neededUs ? null : { neededUs, untilUs };
};

export const expiredRows = ({ neededUs, untilUs }: ExpiredNeeded): string =>
  `rows known before ${formatInstant(untilUs)} were removed (RAMPART_KEEP_ROWS_DAYS), and the comparison reads from ${formatInstant(neededUs)} on: what is counted from them today is less than it was`;
