/** Holds each key to its quota at the doors for events, and says so item by item. */
import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '@rampart/domain/errors';
import { KeyQuotas, type KeyRecord } from '@rampart/service-kit';
import type { IntakeScope } from '../intake/event-rows.js';
import type { RequestItems } from '../intake/request-items.js';
import { IngestCounters } from './ingest-counters.js';
import { subjectOf } from './intake.service.js';

/** Events a second of a key without a quota of its own; undefined: as many as it likes. */
export const DEFAULT_RATE = 'ingestion:default-rate';
const CODE = 'quota-exceeded';

/** Nothing of the request was taken. */
class QuotaExceeded extends DomainError {
  constructor(
    { eventsPerSecond, burst }: { readonly eventsPerSecond: number; readonly burst: number },
    { values, isBatch }: RequestItems,
    readonly retryAfterMs: number,
  ) {
    const message = `The key may send ${eventsPerSecond} events a second and ${burst} at once; none of these ${values.length} was taken: send all of them again after Retry-After.`;
    // Item by item, as every answer to a batch.
    const errors = values.map((_, index) => ({ code: CODE, path: isBatch ? `/${index}` : '', message: 'not taken' }));
    super(CODE, message, { errors, eventsPerSecond, burst, accepted: 0, rejected: values.length });
  }
}

@Injectable()
export class Quotas {
  private readonly quotas: KeyQuotas;

  constructor(
    private readonly counters: IngestCounters,
    @Inject(DEFAULT_RATE) defaultRate: number | undefined,
  ) {
    this.quotas = new KeyQuotas(defaultRate);
  }

  /** @throws DomainError quota-exceeded, with `retryAfterMs` */
  spend(items: RequestItems, key: KeyRecord | undefined): void {
    const waitMs = this.quotas.take(key, items.values.length);
    const quota = this.quotas.of(key);
    if (waitMs !== undefined && quota !== undefined) throw new QuotaExceeded(quota, items, waitMs);
  }

  /**
   * Spends, counts what is refused, and gives back where the request is to be sent again: its sender does what 503 asks for, and must not get 429 for it.
   * @throws DomainError quota-exceeded, with `retryAfterMs`; and whatever taking the events throws
   */
  async spending<T>(items: RequestItems, scope: IntakeScope, key: KeyRecord | undefined, taken: () => Promise<T>): Promise<T> {
    try {
      this.spend(items, key);
    } catch (error) {
      for (const value of items.values) this.counters.rejected(scope, subjectOf(value), CODE, 'http');
      throw error;
    }
    try {
      return await taken();
    } catch (error) {
      if ((error as { readonly retriable?: unknown } | null)?.retriable === true) this.quotas.giveBack(key, items.values.length);
      throw error;
    }
  }
}
