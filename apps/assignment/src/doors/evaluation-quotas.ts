/**
 * Holds each key to its quota when it evaluates: what is told becomes events of the log. A request takes one, and owes the rest where it told of more
 * experiments than one. In memory and by the key that the guard has found: nothing is looked up, read or made for a request that is let through.
 */
import { DomainError } from '@rampart/domain/errors';
import { KeyQuotas, type KeyRecord } from '@rampart/service-kit';

/** OFREP's clients read when to come back from Retry-After, and ask for no body. */
class QuotaExceeded extends DomainError {
  constructor(
    eventsPerSecond: number,
    burst: number,
    readonly retryAfterMs: number,
  ) {
    const message = `The key may evaluate ${eventsPerSecond} times a second and ${burst} times at once; nothing was evaluated or counted: ask again after Retry-After.`;
    super('quota-exceeded', message, { eventsPerSecond, burst });
  }
}

export class EvaluationQuotas {
  private readonly quotas: KeyQuotas;

  /** @param eventsPerSecond  of a key without a quota of its own; undefined: as many as it likes */
  constructor(eventsPerSecond: number | undefined) {
    this.quotas = new KeyQuotas(eventsPerSecond);
  }

  /** @throws DomainError quota-exceeded, with `retryAfterMs` */
  spend(key: KeyRecord | undefined): void {
    const waitMs = this.quotas.take(key, 1);
    if (waitMs === undefined) return;
    const { burst, eventsPerSecond } = this.quotas.of(key) ?? { eventsPerSecond: 0, burst: 0 };
    throw new QuotaExceeded(eventsPerSecond, burst, waitMs);
  }

  /** @param told  exposures or assignments of the answer that count, repeats included: one of them was spent already */
  owe(key: KeyRecord | undefined, told: number): void {
    if (told > 1) this.quotas.owe(key, told - 1);
  }
}
