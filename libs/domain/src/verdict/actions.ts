/** What each kind of reader does upon a verdict. */
import type { VerdictKind } from './verdict.js';

export interface Actions {
  readonly ramp: 'advance' | 'stay' | 'hold' | 'hold-and-ask' | 'roll-back';
  readonly experiment: 'recommend-shipping' | 'stay' | 'recommend-control' | 'recommend-repair' | 'recommend-stopping';
  readonly gate: 'go' | 'wait' | 'no-go';
}

const UPON: Readonly<Record<VerdictKind, Actions>> = {
  go: { ramp: 'advance', experiment: 'recommend-shipping', gate: 'go' },
  'no-go': { ramp: 'roll-back', experiment: 'recommend-stopping', gate: 'no-go' },
  continue: { ramp: 'stay', experiment: 'stay', gate: 'wait' },
  // Unknown is not good: a plan that is over without an answer never ships.
  inconclusive: { ramp: 'hold-and-ask', experiment: 'recommend-control', gate: 'wait' },
  invalid: { ramp: 'hold', experiment: 'recommend-repair', gate: 'wait' },
};

/**
 * Of all findings the most severe action counts: a failed quality check, or another arm that still waits, never hides harm.
 * @param isHarmShown  of any arm, by a test that may be judged at this look
 */
export const actionsUpon = (verdict: VerdictKind, isHarmShown: boolean): Actions =>
  isHarmShown && verdict !== 'go' ? UPON['no-go'] : UPON[verdict];
