/** Which units were erased, and when: what this process told them before is neither sent to the log any more nor remembered as sent. */
import { type ErasureRequest, erasureMessageIn, type FeedbackRow, type InstantUs } from '@rampart/contracts';
import type { SentLately } from './sent-lately.js';

const placeOf = ({ project, environment, unit }: Pick<FeedbackRow, 'project' | 'environment' | 'unit'>): string =>
  `${project}\0${environment}\0${unit}`;

export class ErasedUnits {
  private readonly lastUs = new Map<string, InstantUs>();

  /** @returns the request, where it says something new */
  take(value: Uint8Array | null): ErasureRequest | undefined {
    const message = erasureMessageIn(value);
    if (message?.kind !== 'request') return undefined;
    const place = placeOf(message);
    if ((this.lastUs.get(place) ?? 0) >= message.requestedAtUs) return undefined;
    this.lastUs.set(place, message.requestedAtUs);
    return message;
  }

  /** Whether a row is from before its unit was erased. */
  has(row: FeedbackRow): boolean {
    return this.lastUs.size > 0 && row.at <= (this.lastUs.get(placeOf(row)) ?? Number.NEGATIVE_INFINITY);
  }
}

/** What is told of the unit from now on is told again: the first time is no more. */
export const forgetSent = (lately: SentLately, { project, environment, unit }: ErasureRequest): void => {
  const [start, end] = [`${project}\0${environment}\0`, `\0${unit}`];
  lately.forget((identity) => identity.startsWith(start) && identity.endsWith(end));
};
