/** What stands where there is nothing else to show: why not, and what to do about it. */
import type { ReactNode } from 'react';
import { Problem } from '../access/api.js';
import type { Reading } from '../access/queries.js';
import { linkTo } from '../access/routing.js';

export const ProblemNote = ({ error, retry }: { readonly error: Error; readonly retry?: () => void }) => {
  const { title, detail, code, status } =
    error instanceof Problem ? error : { title: 'This page made a mistake', detail: error.message, code: 'page', status: 0 };
  return (
    <div className="note bad" role="alert">
      <p>
        <strong>{title}</strong>
        {status > 0 && <span className="faint"> · {code}</span>}
      </p>
      <p>{detail}</p>
      {(status === 401 || code === 'wrong-role') && (
        <p>
          <a href={linkTo.signIn}>Sign in with another key</a>
        </p>
      )}
      {retry !== undefined && status !== 401 && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
};

export const Skeleton = ({ lines = 3 }: { readonly lines?: number }) => (
  <div className="skeleton" role="status" aria-label="Loading">
    {Array.from({ length: lines }, (_, nth) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: lines of a skeleton are all alike
      <span key={nth} />
    ))}
  </div>
);

/** Shows an answer once it is there, and keeps showing it, with a word about its age, when the next one fails. */
export const Shown = <Answer,>({
  reading,
  lines,
  children,
}: {
  readonly reading: Reading<Answer>;
  readonly lines?: number;
  readonly children: (answer: Answer) => ReactNode;
}) => {
  const { data, error, refetch } = reading;
  const retry = () => void refetch();
  if (data === undefined) return error === null ? <Skeleton lines={lines ?? 3} /> : <ProblemNote error={error} retry={retry} />;
  return (
    <>
      {error !== null && <ProblemNote error={error} retry={retry} />}
      {children(data)}
    </>
  );
};
