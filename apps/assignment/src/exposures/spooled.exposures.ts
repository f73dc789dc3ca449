/** Exposures by way of the spool: made into rows, written before the answer, repeats left out, what can't be kept counted. */
import { Inject, Injectable } from '@nestjs/common';
import { idOf, type Unit } from '@rampart/assignment';
import { type ErasureRequest, isFitText, LIMITS } from '@rampart/contracts';
import { Pseudonyms } from '@rampart/feedback-rows';
import { LOG, type Log, Metrics, noTracing, Tracing } from '@rampart/service-kit';
import { Counter, Gauge } from 'prom-client';
import { type ExposureKind, type ExposureScope, Exposures } from '../evaluation/exposures.js';
import type { CountedExposure, CountedReason } from '../evaluation/served-ruleset.js';
import { forgetSent } from './erased-units.js';
import { exposureRow, identityOf } from './exposure-row.js';
import { ExposureSpool } from './exposure-spool.js';
import { SentLately } from './sent-lately.js';
import { spooledText } from './spooled-text.js';

const REMEMBERED = 200_000;
/** A disk that is full or gone is said so once in this time, not once a request. */
const SAY_EVERY_MS = 10_000;

@Injectable()
export class SpooledExposures extends Exposures {
  private readonly lately = new SentLately(REMEMBERED);
  private readonly kept: Counter<'kind' | 'reason'>;
  private readonly repeats: Counter;
  private readonly droppedTotal: Counter;
  private droppedRows = 0;
  private lastDrop: string | undefined;
  private saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly spool: ExposureSpool,
    private readonly pseudonyms: Pseudonyms,
    metrics: Metrics,
    @Inject(LOG) private readonly lines: Log,
    private readonly tracing: Tracing = noTracing,
  ) {
    super();
    const registers = [metrics.registry];
    this.kept = new Counter({
      name: 'rampart_assignment_exposures_total',
      help: 'Exposures and assignments that are durable here, repeats left out',
      labelNames: ['kind', 'reason'],
      registers,
    });
    this.repeats = new Counter({
      name: 'rampart_assignment_repeats_total',
      help: 'Told before by this process: not written again',
      registers,
    });
    this.droppedTotal = new Counter({
      name: 'rampart_assignment_exposures_dropped_total',
      help: 'Exposures that were answered and could not be kept: evidence that is lost',
      registers,
    });
    const collect = (gauge: Gauge, value: () => number) => gauge.set(value());
    new Gauge({
      ...{ name: 'rampart_assignment_spool_rows', help: 'Rows that the log does not have yet', registers },
      collect() {
        collect(this, () => spool.depth);
      },
    });
    const age = () => this.ageSeconds() ?? 0;
    new Gauge({
      ...{ name: 'rampart_assignment_spool_age_seconds', help: 'Age of the row that has waited longest for the log', registers },
      collect() {
        collect(this, age);
      },
    });
  }

  get dropped(): number {
    return this.droppedRows;
  }

  get depth(): number {
    return this.spool.depth;
  }

  /** Of the row that has waited longest for the log; null when none waits. */
  ageSeconds(): number | null {
    const oldest = this.spool.oldest();
    if (oldest === undefined) return null;
    return Math.max(0, (Date.now() - (JSON.parse(oldest.text) as { at: number }).at / 1_000) / 1_000);
  }

  /** What keeps exposures from being kept; undefined when all are. */
  trouble(): string | undefined {
    if (this.lastDrop === undefined) return undefined;
    return `${this.droppedRows} exposures were answered and not kept, and are missing from every comparison: ${this.lastDrop}`;
  }

  /** @see forgetSent */
  forget(request: ErasureRequest): void {
    forgetSent(this.lately, request);
  }

  override keep(told: readonly CountedExposure[], kind: ExposureKind, unit: Unit, scope: ExposureScope): Promise<boolean> | undefined {
    const atUs = Date.now() * 1_000;
    const trace = this.tracing.current();
    const identities: string[] = [];
    const rows: string[] = [];
    const reasons: CountedReason[] = [];
    let waits: Promise<void>[] | undefined;
    for (const one of told) {
      const unitId = idOf(unit, one.unitAttribute);
      // Assigned by its hash only with an id; told by an override or a release also without: nothing that could be counted.
      if (unitId === undefined || unitId.length > LIMITS.unitIdLength || !isFitText(unitId)) continue;
      const pseudonym = this.pseudonyms.of(scope.project, one.unitType, unitId);
      const identity = identityOf(one, kind, pseudonym);
      const place = `${scope.project}\0${scope.environment}\0${identity}`;
      const known = this.lately.find(place);
      if (known !== undefined) {
        this.repeats.inc();
        if (known !== true) waits = [...(waits ?? []), known];
        continue;
      }
      const row = exposureRow(one, kind, { identity, unitId, atUs }, scope, this.pseudonyms);
      if (row === undefined) continue;
      identities.push(place);
      rows.push(spooledText(row, trace));
      reasons.push(one.reason);
    }
    if (rows.length > 0) waits = [...(waits ?? []), this.write(rows, identities, reasons, kind)];
    if (waits === undefined) return undefined;
    return Promise.all(waits).then(
      () => true,
      () => false,
    );
  }

  private write(
    rows: readonly string[],
    identities: readonly string[],
    reasons: readonly CountedReason[],
    kind: ExposureKind,
  ): Promise<void> {
    const droppedBefore = this.droppedRows;
    const writing = this.spool.add(rows);
    this.lately.remember(identities, writing);
    writing.then(
      () => {
        // One that was under way when others were dropped does not say that there is room again.
        if (this.droppedRows === droppedBefore) this.lastDrop = undefined;
        for (const reason of reasons) this.kept.inc({ kind, reason });
      },
      (error: unknown) => this.drop(rows.length, error),
    );
    return writing;
  }

  private drop(rows: number, error: unknown): void {
    this.droppedRows += rows;
    this.droppedTotal.inc(rows);
    this.lastDrop = error instanceof Error ? error.message : String(error);
    if (performance.now() - this.saidAtMs < SAY_EVERY_MS) return;
    this.saidAtMs = performance.now();
    this.lines.error({ err: error, dropped: this.droppedRows, spooled: this.spool.depth }, 'exposures are dropped');
  }
}
