/** What many runs say about a rate, and what that says about the claim. */
import { beta } from '@rampart/statistics';
import type { Claim } from './scenario.js';

/**
 * `holds`: the claim is shown. `open`: these runs neither show nor refute it. `broken`: refuted, or a wrong method that was not caught.
 */
export type Outcome = 'holds' | 'open' | 'broken' | 'shown';

export interface Tally {
  readonly runs: number;
  readonly alarms: number;
  readonly rate: number;
  /** Upper end of the one-sided exact interval (Clopper & Pearson 1934). */
  readonly upper95: number;
  readonly outcome: Outcome;
}

/** What refutes a claim: fewer than one in a thousand runs of a correct programme would be told broken, line by line. */
export const REFUTED_BELOW = 0.001;

/** Largest share of alarms under which as few as these have a chance of at least `doubt`. */
export const upperBound = (alarms: number, runs: number, doubt: number): number =>
  alarms >= runs ? 1 : beta.isf(doubt, alarms + 1, runs - alarms);
/** Smallest share of alarms under which as many as these have a chance of at least `doubt`. */
export const lowerBound = (alarms: number, runs: number, doubt: number): number =>
  alarms === 0 ? 0 : beta.quantile(doubt, alarms, runs - alarms + 1);

export const tallied = (alarms: number, runs: number, claim: Claim): Tally => ({
  runs,
  alarms,
  rate: alarms / runs,
  upper95: upperBound(alarms, runs, 0.05),
  outcome: outcomeOf(alarms, runs, claim),
});

const outcomeOf = (alarms: number, runs: number, claim: Claim): Outcome => {
  const [surelyAbove, surelyBelow] = [lowerBound(alarms, runs, REFUTED_BELOW), upperBound(alarms, runs, REFUTED_BELOW)];
  switch (claim.kind) {
    case 'at-most':
      if (surelyAbove > claim.level) return 'broken';
      return upperBound(alarms, runs, 0.05) <= claim.level ? 'holds' : 'open';
    case 'above':
      return surelyAbove > claim.level ? 'holds' : 'broken';
    case 'about': {
      const [least, most] = [claim.level - claim.tolerance, claim.level + claim.tolerance];
      if (surelyBelow < least || surelyAbove > most) return 'broken';
      return lowerBound(alarms, runs, 0.05) >= least && upperBound(alarms, runs, 0.05) <= most ? 'holds' : 'open';
    }
    case 'at-least':
      if (surelyBelow < claim.level) return 'broken';
      return lowerBound(alarms, runs, 0.05) >= claim.level ? 'holds' : 'open';
    case 'never':
      return alarms === 0 ? 'holds' : 'broken';
    case 'shown':
      return 'shown';
  }
};

export const medianOf = (stops: readonly (number | null)[]): number | null => {
  const sorted = stops.filter((stop) => stop !== null).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
};
