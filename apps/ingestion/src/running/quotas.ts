/** Holds each key to its quota: its own, or that of the service. */
import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '@rampart/domain/errors';
import type { KeyRecord } from '@rampart/service-kit';
import type { IntakeScope } from '../intake/event-rows.js';
import { type Quota, QuotaMeter } from '../intake/quota-meter.js';
import type { RequestItems } from '../intake/request-items.js';
import { IngestCounters } from './ingest-counters.js';
import { subjectOf } from './intake.service.js';

/** Events a second of a key without a quota of its own; undefined: as many as it likes. */
export const DEFAULT_RATE = 'ingestion:default-rate';
const SECONDS_AT_ONCE = 10;
const CODE = 'quota-exceeded';

/** Nothing of the request was taken. */
class QuotaExceeded extends DomainError {
  constructor(
    { eventsPerSecond, burst }: Quota,
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
  private readonly meter = new QuotaMeter();

  constructor(
    private readonly counters: IngestCounters,
    @Inject(DEFAULT_RATE) private readonly defaultRate: number | undefined,
  ) {}

  /** @throws DomainError quota-exceeded, with `retryAfterMs` */
  spend(items: RequestItems, scope: IntakeScope, key: KeyRecord | undefined): void {
    const quota = this.quotaOf(key);
    if (key === undefined || quota === undefined) return;
    const waitMs = this.meter.take(key.id, quota, items.values.length, Math.floor(performance.now()));
    if (waitMs === undefined) return;
    for (const value of items.values) this.counters.rejected(scope, subjectOf(value), CODE, 'http');
    throw new QuotaExceeded(quota, items, waitMs);
  }

  /** An import is started by hand, and as fast as it can be unless its key says otherwise. */
  private quotaOf(key: KeyRecord | undefined): Quota | undefined {
    if (key?.quota !== undefined) return key.quota;
    if (this.defaultRate === undefined || key?.role === 'import') return undefined;
    return { eventsPerSecond: this.defaultRate, burst: this.defaultRate * SECONDS_AT_ONCE };
  }
}
