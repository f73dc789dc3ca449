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
  readonly act: (said: { readonly reason: string | undefined; readonly force: boolean }) => Promise<unknown>;
}

export const Confirm = ({ label, outcome, isGrave = false, hasForce = false, mustSayWhy = false, refusedBecause, act }: ConfirmProps) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const acting = useMutation({
    mutationFn: act,
    onSuccess: () => {
      setOpen(false);
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
    acting.mutate({ reason: reason === '' ? undefined : reason, force: form.get('force') === 'on' });
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
  const isGated = acting.error instanceof Problem && acting.error.code === 'gates-closed';
  return (
    <>
      <button
        type="button"
        className={isGrave ? 'grave' : ''}
        onClick={() => {
          acting.reset();
          setOpen(true);
        }}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={id} onClose={() => setOpen(false)}>
        {isOpen && (
          <form onSubmit={submit} className="stack">
            <h2 id={id}>{label}?</h2>
            <p>{outcome}</p>
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
            {isGated && <p className="small">To do it all the same, tick the box above and say why.</p>}
            <div className="tools">
              <button type="submit" className={isGrave ? 'grave primary' : 'primary'} disabled={acting.isPending}>
                {acting.isPending ? 'Working …' : label}
              </button>
              <button type="button" onClick={() => setOpen(false)}>
                Cancel
              </button>
            </div>
          </form>
        )}
      </dialog>
    </>
  );
};
