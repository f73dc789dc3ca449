/** What a failure of the control plane's database means to a caller: not now, not like this, or a fault of ours. */
import { DomainError } from '@rampart/domain/errors';
import { EventStoreUnavailable } from './event-store.js';

/** U+0000, and half of a surrogate pair, in jsonb or text. */
const UNSTORABLE_TEXT = new Set(['22P05', '22P02', '22021']);
/** Connection, resources, operator intervention; and the system's own, like ECONNREFUSED. */
const PASSING = /^(08|57P|53)|^E[A-Z]+$/;
/** What pg says of a connection that it lost, and TypeORM of a transaction whose connection is gone: neither gives a code. */
const LOST =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|and is not queryable|already released/;

/** Text that PostgreSQL can't hold is the caller's mistake; a lost connection is nobody's. @returns what to throw instead */
export const explained = (error: unknown): unknown => {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && UNSTORABLE_TEXT.has(code)) {
    const message = 'a text holds U+0000 or half of a surrogate pair, which can\u2019t be stored: leave it out';
    return new DomainError('text-not-storable', message);
  }
  const isPassing = typeof code === 'string' && PASSING.test(code);
  if (isPassing || (error instanceof Error && LOST.test(error.message)))
    return new EventStoreUnavailable('the event store can\u2019t be reached at the moment', { cause: error });
  return error;
};
