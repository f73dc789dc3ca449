/** What came in since the last second, for `ingest-stats.v1` and Prometheus. Counts may be lost with a process; events never are. */
import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { INGEST_STATS, type IngestCount, type IngestStats, type InstantUs } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { LOG, type Log, Metrics, meterLog } from '@rampart/service-kit';
import { Counter, Histogram } from 'prom-client';
import type { IntakeScope } from '../intake/event-rows.js';

/** Names come from senders: beyond so many a second they are counted together. */
const MOST_NAMES = 2_000;
const OTHER_NAMES = '(others)';

/** By which way events come: Prometheus tells them apart. */
export type Door = 'http' | 'raw';
type Subject = Pick<IngestCount, 'kind' | 'name'>;
type CountedScope = Pick<IntakeScope, 'project' | 'environment' | 'keyId'>;
type Counted = Omit<IngestCount, 'accepted' | 'rejected'> & { accepted: number; rejected: Record<string, number> };

@Injectable()
export class IngestCounters {
  private counts = new Map<string, Counted>();
  private readonly unpublished = new Map<IngestCount['kind'], number>();
  private readonly instance = `${hostname()}/${process.pid}`;
  private readonly acceptedTotal: Counter<'kind' | 'door'>;
  private readonly rejectedTotal: Counter<'code' | 'door'>;
  readonly appendSeconds: Histogram;

  constructor(
    private readonly log: EventLog,
    metrics: Metrics,
    @Inject(LOG) private readonly lines: Log,
  ) {
    meterLog(metrics, log);
    const registers = [metrics.registry];
    this.acceptedTotal = new Counter({
      name: 'rampart_ingest_events_accepted_total',
      help: 'Events that the log has',
      labelNames: ['kind', 'door'],
      registers,
    });
    this.rejectedTotal = new Counter({
      name: 'rampart_ingest_events_rejected_total',
      help: 'Events that were not believed, by reason',
      labelNames: ['code', 'door'],
      registers,
    });
    this.appendSeconds = new Histogram({
      name: 'rampart_ingest_log_append_seconds',
      help: 'Until the log has a request’s rows',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    });
  }

  accepted(scope: IntakeScope, { kind, name }: Subject): void {
    this.entry(scope, { kind, name }).accepted += 1;
    this.unpublished.set(kind, (this.unpublished.get(kind) ?? 0) + 1);
  }

  /** Tells Prometheus what was just accepted, once a request: its counters cost more than the rest of the counting. */
  publish(door: Door): void {
    for (const [kind, count] of this.unpublished) this.acceptedTotal.inc({ kind, door }, count);
    this.unpublished.clear();
  }

  rejected(scope: CountedScope, subject: Subject, code: string, door: Door): void {
    const { rejected } = this.entry(scope, subject);
    rejected[code] = (rejected[code] ?? 0) + 1;
    this.rejectedTotal.inc({ code, door });
  }

  /** What belongs to no project, since its key is missing or unknown, is in Prometheus only. */
  rejectedOfNobody(code: string, door: Door): void {
    this.rejectedTotal.inc({ code, door });
  }

  /** Appends what was counted since the last time; keeps it for the next when the log can't take it. */
  async flush(atUs: InstantUs): Promise<void> {
    if (this.counts.size === 0) return;
    const counts = this.counts;
    this.counts = new Map();
    const stats: IngestStats = { instance: this.instance, atUs, counts: [...counts.values()] };
    try {
      await this.log.append(INGEST_STATS, [{ partition: 0, value: JSON.stringify(stats) }]);
    } catch (error) {
      for (const [key, count] of counts) this.giveBack(key, count);
      this.lines.debug({ err: error }, 'counts wait for the log');
    }
  }

  private giveBack(key: string, count: Counted): void {
    const now = this.counts.get(key);
    if (now === undefined) {
      this.counts.set(key, count);
      return;
    }
    now.accepted += count.accepted;
    for (const [code, number] of Object.entries(count.rejected)) now.rejected[code] = (now.rejected[code] ?? 0) + number;
  }

  private entry({ project, environment, keyId }: CountedScope, { kind, name }: Subject): Counted {
    const key = `${project}\0${environment}\0${keyId}\0${kind}\0${name}`;
    const found = this.counts.get(key);
    if (found !== undefined) return found;
    if (this.counts.size >= MOST_NAMES && name !== OTHER_NAMES)
      return this.entry({ project, environment, keyId }, { kind, name: OTHER_NAMES });
    const made: Counted = { project, environment, key: keyId, kind, name, accepted: 0, rejected: {} };
    this.counts.set(key, made);
    return made;
  }
}
