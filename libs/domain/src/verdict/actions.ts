/** What each kind of reader does upon a verdict. */
import type { OnHarm, Policy } from './policies.js';
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

/** Harm of metrics alone that only hold: nobody goes on, and a person decides whether to go back. */
const HELD_BY_HARM: Actions = { ...UPON['no-go'], ramp: 'hold', gate: 'wait' };

/**
 * Of all findings the most severe action counts: a failed quality check, or another arm that still waits, never hides harm.
 * @param onHarm  of the metrics that are shown to be worse in any arm, by a test that may be judged at this look, one for each; a warning is no action
 */
export const actionsUpon = (verdict: VerdictKind, policy: Policy, onHarm: readonly OnHarm[]): Actions => {
  if (verdict === 'go') return policy === 'stage' ? STAGE_GO : UPON.go;
  if (onHarm.includes('roll-back')) return UPON['no-go'];
  return onHarm.includes('hold') ? HELD_BY_HARM : UPON[verdict];
};
