/** What a stage waits for, each with a countdown or with both numbers. */
import type { RolloutWait } from '@rampart/contracts';
import { count } from '../reading/numbers.js';
import { Moment } from './moments.js';

const Wait = ({ wait: { sentence, until, have, needed } }: { readonly wait: RolloutWait }) => (
  <li>
    {sentence}
    {until !== null && (
      <span className="faint">
        {' '}
        (<Moment at={until} />)
      </span>
    )}
    {have !== null && needed !== null && needed > 0 && (
      <progress value={Math.min(have, needed)} max={needed} aria-label={`${count(have)} of ${count(needed)}`} />
    )}
  </li>
);

/** Without those that only repeat what stands beside them. */
export const unsaid = (waits: readonly RolloutWait[], said: readonly string[]): readonly RolloutWait[] =>
  waits.filter(({ sentence }) => !said.some((one) => one !== '' && sentence.includes(one)));

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
