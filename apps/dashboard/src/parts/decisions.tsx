/** Decision records in a list, and the button that recounts one. */
import type { DecisionSummary, Replay } from '@rampart/contracts';
import { useMutation } from '@tanstack/react-query';
import { useConnection } from '../access/connection.js';
import { linkTo } from '../access/routing.js';
import { count } from '../reading/numbers.js';
import { VerdictBadge } from './badges.js';
import { Instant } from './moments.js';
import { ProblemNote } from './notes.js';

export const DecisionList = ({ items }: { readonly items: readonly DecisionSummary[] }) =>
  items.length === 0 ? (
    <p className="faint">None yet: the first look writes the first one.</p>
  ) : (
    <ol className="history">
      {items.map(({ id, recordedAt, verdict, sentence, cause, stage, units }) => (
        <li key={id}>
          <p>
            <Instant at={recordedAt} /> <VerdictBadge verdict={verdict} />{' '}
            <span className="faint small">
              {cause}
              {stage === null ? '' : `, stage ${stage}`}, {count(units)} units
            </span>
          </p>
          <p>{sentence}</p>
          <RecordTools id={id} />
        </li>
      ))}
    </ol>
  );

/** A link to the record, and its replay: the same rows, counted and judged again. */
export const RecordTools = ({ id }: { readonly id: string }) => {
  const { api } = useConnection();
  const replay = useMutation({ mutationFn: () => api.post<Replay>(`/v1/decisions/${id}/replay`, {}) });
  return (
    <div className="tools">
      <a href={linkTo.record(id)} className="mono">
        record {id.slice(0, 8)}
      </a>
      <button type="button" onClick={() => replay.mutate()} disabled={replay.isPending}>
        {replay.isPending ? 'Recounting …' : 'Replay'}
      </button>
      {replay.data !== undefined && <ReplayAnswer replay={replay.data} />}
      {replay.error !== null && <ProblemNote error={replay.error} />}
    </div>
  );
};

const ReplayAnswer = ({ replay: { evidence, conclusion, intact, sentence } }: { readonly replay: Replay }) => {
  const isSame = evidence.same && conclusion.same && intact;
  return (
    <p role="status" className={isSame ? 'good-text' : 'bad-text'} data-replay={isSame ? 'same' : 'differs'}>
      <strong>{isSame ? '✓ the same' : '✕ it differs'}</strong>: {sentence}
    </p>
  );
};
