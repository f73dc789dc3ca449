/** Which units were erased, and since which row: what this process told them before is neither sent to the log any more nor remembered as sent. */
import { type ErasureRequest, erasureMessageIn, type FeedbackRow } from '@rampart/contracts';
import type { ExposureSpool } from './exposure-spool.js';
import type { SentLately } from './sent-lately.js';
import { placeOf } from './sent-places.js';

/** An erasure that was heard of: rows of its unit at places below were told before. */
export interface HeardErasure {
  readonly request: ErasureRequest;
  readonly before: number;
}

/**
 * Before and after are places in the spool, not times: a clock may be an hour ahead of whoever asked for the erasure. So what was told between the request and
 * the moment at which this process heard of it goes, too.
 */
export class ErasedUnits {
  private readonly known = new Set<string>();
  private readonly before = new Map<string, number>();

  constructor(private readonly spool: Pick<ExposureSpool, 'markOf'>) {}

  /** @returns undefined where it says nothing new */
  take(value: Uint8Array | null): HeardErasure | undefined {
    const request = erasureMessageIn(value);
    if (request?.kind !== 'request' || this.known.has(request.id)) return undefined;
    this.known.add(request.id);
    const unit = placeOf(request);
    const before = this.spool.markOf(request.id);
    this.before.set(unit, Math.max(before, this.before.get(unit) ?? 0));
    return { request, before };
  }

  /** Whether a row at this place of the spool is from before its unit was erased. */
  has(row: FeedbackRow, place: number): boolean {
    return this.before.size > 0 && place < (this.before.get(placeOf(row)) ?? 0);
  }
}

/** What is told of the unit from now on is told again: the first time is no more. */
export const forgetSent = (lately: SentLately, { project, environment, unit }: ErasureRequest): void => {
  const [start, end] = [`${project}\0${environment}\0`, `\0${unit}`];
  lately.forget((identity) => identity.startsWith(start) && identity.endsWith(end));
};
