/** What a deploy tool is told: go on, stop, or wait. Unknown is not good: what is missing, late or held waits. */
import { nextAction } from './next-action.js';
import { isOpen, type Rollout } from './rollout.js';
import { isGoverned, type RolloutFacts, stageOf, standingEvidence } from './rollout-facts.js';

export interface RolloutGate {
  readonly verdict: 'go' | 'no-go' | 'wait';
  readonly reason: string;
  readonly stage: string | null;
  readonly record: string | null;
  /** W of the look that it goes by. */
  readonly knownUntilUs: number | null;
}

export const gateOf = (rollout: Exclude<Rollout, { status: 'absent' }>, facts: RolloutFacts): RolloutGate => {
  if (rollout.status === 'draft')
    return { verdict: 'wait', reason: 'the rollout has not been started', stage: null, record: null, knownUntilUs: null };
  const { look, record } = standingEvidence(rollout, facts);
  const place = { stage: stageOf(rollout).name, knownUntilUs: look?.knownUntilUs ?? null };
  if (!isOpen(rollout)) {
    const verdict = rollout.status === 'released' ? 'go' : 'no-go';
    return { ...place, verdict, reason: rollout.end.sentence, record: rollout.end.record };
  }
  const { action, waits } = nextAction(rollout, facts);
  const reason = action?.sentence ?? waits.map(({ sentence }) => sentence).join('; ');
  if (action?.kind === 'roll-back' || (record?.actions.gate === 'no-go' && isGoverned(rollout, facts.experiment)))
    return { ...place, verdict: 'no-go', reason: record?.sentence ?? reason, record: record?.id ?? null };
  const isGo = action?.kind === 'advance' || action?.kind === 'release' || isSaidInShadow(rollout.status, waits);
  return { ...place, verdict: isGo ? 'go' : 'wait', reason, record: action?.record ?? record?.id ?? null };
};

/** In shadow mode a stage whose gates are open stays where it is: all that is waited for is a person. */
const isSaidInShadow = (status: string, waits: readonly { readonly what: string }[]): boolean =>
  status === 'running' && waits.length > 0 && waits.every(({ what }) => what === 'person');
