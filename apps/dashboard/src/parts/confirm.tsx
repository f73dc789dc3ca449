/** A button that asks before it does: what will happen, why it is done, and then the answer. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { Problem } from '../access/api.js';
import { ProblemNote } from './notes.js';

export interface ConfirmProps {
  readonly label: string;
  readonly outcome: string;
  readonly isGrave?: boolean;
  readonly hasForce?: boolean;
  readonly mustSayWhy?: boolean;
  /** Why this key may not; null where it may. */
  readonly refusedBecause: string | null;
  /** What is being looked at, where it is meant for that alone. */
  readonly revision?: number | undefined;
  readonly act: (said: {
    readonly reason: string | undefined;
    readonly force: boolean;
    readonly revision: number | undefined;
  }) => Promise<unknown>;
}

/** What a person read when it was opened: it does not change under their hands. */
type Read = Pick<ConfirmProps, 'outcome' | 'revision'>;

export const Confirm = (props: ConfirmProps) => {
  const { label, outcome, revision, isGrave = false, hasForce = false, mustSayWhy = false, refusedBecause, act } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const client = useQueryClient();
  const [read, setRead] = useState<Read>();
  const isOpen = read !== undefined;
  const acting = useMutation({
    mutationFn: act,
    onSuccess: () => {
      setRead(undefined);
      return client.invalidateQueries();
    },
  });
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const reason = String(form.get('reason') ?? '').trim();
    acting.mutate({ reason: reason === '' ? undefined : reason, force: form.get('force') === 'on', revision: read?.revision });
  };
  if (refusedBecause !== null) {
    return (
      <button
        type="button"
        aria-disabled="true"
        className={isGrave ? 'grave' : ''}
        title={refusedBecause}
        aria-describedby="refused-because"
      >
        {label}
      </button>
    );
  }
  const isOvertaken = acting.error instanceof Problem && acting.error.status === 412;
  const isGated = acting.error instanceof Problem && acting.error.code === 'gates-closed';
  return (
    <>
      <button
        type="button"
        className={isGrave ? 'grave' : ''}
        onClick={() => {
          acting.reset();
          setRead({ outcome, revision });
        }}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={id} onClose={() => setRead(undefined)}>
        {isOpen && (
          <form onSubmit={submit} className="stack">
            <h2 id={id}>{label}?</h2>
            <p>{read.outcome}</p>
            <label>
              Reason {mustSayWhy ? '' : <span className="faint">(kept in the history)</span>}
              <input name="reason" maxLength={2000} required={mustSayWhy} autoComplete="off" />
            </label>
            {hasForce && (
              <label className="row">
                <input type="checkbox" name="force" />
                Even over conditions that are not met; the history says so
              </label>
            )}
            {acting.error !== null && <ProblemNote error={acting.error} />}
            {isOvertaken && <p className="small">It has changed since you opened this: close it, look again, and decide anew.</p>}
            {isGated && <p className="small">To do it all the same, tick the box above and say why.</p>}
            <div className="tools">
              <button type="submit" className={isGrave ? 'grave primary' : 'primary'} disabled={acting.isPending}>
                {acting.isPending ? 'Working …' : label}
              </button>
              <button type="button" onClick={() => setRead(undefined)}>
                Cancel
              </button>
            </div>
          </form>
        )}
      </dialog>
    </>
  );
};
