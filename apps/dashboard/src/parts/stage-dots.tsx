/** How far a rollout is, in one line: a dot for each stage. */
import type { RolloutDocument } from '@rampart/contracts';
import { percent } from '../reading/numbers.js';

type Place = 'done' | 'here' | 'ahead' | 'left';

export const placeOf = ({ status, stage }: Pick<RolloutDocument, 'status' | 'stage'>, index: number): Place => {
  if (status === 'released') return 'done';
  if (stage === null) return 'ahead';
  if (index < stage.index) return 'done';
  if (index > stage.index) return 'ahead';
  return status === 'rolled-back' ? 'left' : 'here';
};

const WORDS: Readonly<Record<Place, string>> = { done: 'done', here: 'in force', ahead: 'to come', left: 'left here' };

export const StageDots = ({ rollout }: { readonly rollout: RolloutDocument }) => (
  <ol className="dots" aria-label="Stages">
    {rollout.stages.map((stage, index) => {
      const place = placeOf(rollout, index);
      return (
        <li key={stage.name} className={place} aria-current={place === 'here' ? 'step' : undefined}>
          <span className="dot" aria-hidden="true" />
          {percent(stage.coverage)}
          <span className="unseen">, {WORDS[place]}</span>
        </li>
      );
    })}
  </ol>
);
