/** What each kind of reader does upon a verdict. */
import type { Policy } from './policies.js';
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

/** A stage that may go on is no winner yet. */
const STAGE_GO: Actions = { ...UPON.go, experiment: 'stay' };

/**
 * Of all findings the most severe action counts: a failed quality check, or another arm that still waits, never hides harm.
 * @param isHarmShown  of any arm, by a test that may be judged at this look
 */
export const actionsUpon = (verdict: VerdictKind, policy: Policy, isHarmShown: boolean): Actions => {
  if (verdict === 'go') return policy === 'stage' ? STAGE_GO : UPON.go;
  return isHarmShown ? UPON['no-go'] : UPON[verdict];
};
