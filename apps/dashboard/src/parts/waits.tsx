/** What a stage waits for, each with a countdown or with both numbers. */
import type { RolloutWait } from '@rampart/contracts';
import { count } from '../reading/numbers.js';
import { Moment, useNow } from './moments.js';

const Wait = ({ wait: { sentence, until, have, needed } }: { readonly wait: RolloutWait }) => (
  <li>
    {sentence}
    {until !== null && <Due until={until} />}
    {have !== null && needed !== null && needed > 0 && (
      <progress value={Math.min(have, needed)} max={needed} aria-label={`${count(have)} of ${count(needed)}`} />
    )}
  </li>
);

/** Without those that only repeat what stands beside them. */
export const unsaid = (waits: readonly RolloutWait[], said: readonly string[]): readonly RolloutWait[] =>
  waits.filter(({ sentence }) => !said.some((one) => one !== '' && sentence.includes(one)));

/** A time that is over is no promise: what knows of it is on its way. */
const Due = ({ until }: { readonly until: string }) => {
  const isOver = Date.parse(until) < useNow();
  return (
    <span className="faint">
      {' '}
      ({isOver && 'was due '}
      <Moment at={until} />)
    </span>
  );
};

export const Waits = ({ waits }: { readonly waits: readonly RolloutWait[] }) =>
  waits.length === 0 ? null : (
    <div className="waits">
      <p className="label">Waits for</p>
      <ul>
        {waits.map((wait) => (
          <Wait key={`${wait.what} ${wait.sentence}`} wait={wait} />
        ))}
      </ul>
    </div>
  );
