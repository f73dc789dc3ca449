/** The stages of a rollout with what each asks for, and how much of it is there. */
import type { RolloutDocument } from '@rampart/contracts';
import { span } from '../reading/durations.js';
import { count, percent } from '../reading/numbers.js';
import { Moment } from './moments.js';
import { placeOf } from './stage-dots.js';

const WORDS = { done: '✓ done', here: '▶ in force', ahead: '○ to come', left: '↩ rolled back here' } as const;

export const StageLadder = ({ rollout }: { readonly rollout: RolloutDocument }) => (
  <ol className="ladder">
    {rollout.stages.map((stage, index) => {
      const place = placeOf(rollout, index);
      const { name, coverage, bakeSeconds, minUnits, requiresApproval, deadlineSeconds, monitored } = stage;
      const units = rollout.waits.find(({ what }) => what === 'units');
      const isApproved = place === 'done' || (place === 'here' && rollout.stage?.approved === true);
      return (
        <li key={name} className={place} aria-current={place === 'here' ? 'step' : undefined}>
          <div className="card-head">
            <strong>{percent(coverage)}</strong> {name}
            <span className="place small">{WORDS[place]}</span>
          </div>
          <p className="faint small">
            bakes {span(bakeSeconds)} ·{' '}
            {place === 'here' && units?.have !== null && units?.have !== undefined
              ? `${count(units.have)} of `
              : place === 'here'
                ? 'has '
                : ''}
            {count(minUnits)} units{place === 'here' && units === undefined ? ' ✓' : ''}
            {requiresApproval && ` · ${isApproved ? 'approved ✓' : 'a person approves'}`}
            {deadlineSeconds !== null && ` · deadline ${span(deadlineSeconds)}`}
            {!monitored && ' · not monitored'}
          </p>
          {place === 'here' && rollout.stage !== null && (
            <p className="small">
              began <Moment at={rollout.stage.startedAt} />
            </p>
          )}
        </li>
      );
    })}
  </ol>
);
