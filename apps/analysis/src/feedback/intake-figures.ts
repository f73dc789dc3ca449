/** What Prometheus hears of the way from the log into the store. */
import { Injectable } from '@nestjs/common';
import type { ConsumerStats } from '@rampart/event-log';
import { Metrics } from '@rampart/service-kit';
import { Counter, Gauge, Histogram } from 'prom-client';

type Reading = Pick<ConsumerStats, 'partitions'>;

@Injectable()
export class IntakeFigures {
  private readonly rows: Counter;
  private readonly skippedRows: Counter;
  private readonly unreadableMessages: Counter;
  private readonly insertSeconds: Histogram;
  private reading: () => Reading | undefined = () => undefined;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.rows = new Counter({ name: 'rampart_feedback_rows_total', help: 'Rows that the feedback store has taken', registers });
    this.skippedRows = new Counter({ name: 'rampart_feedback_skipped_rows_total', help: 'Rows left out for good, by place', registers });
    this.unreadableMessages = new Counter({
      name: 'rampart_feedback_unreadable_total',
      help: 'Messages sent to the dead letters',
      registers,
    });
    this.insertSeconds = new Histogram({
      name: 'rampart_feedback_insert_seconds',
      help: 'Until rows and progress are durable',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    const partitions = () => this.reading()?.partitions ?? [];
    new Gauge({
      name: 'rampart_log_clock_skew_seconds',
      help: 'How far the clock of the log lies behind its own known times; alarm above 1',
      registers,
      collect() {
        this.set(worstSkewUs(partitions()) / 1e6);
      },
    });
    new Gauge({
      name: 'rampart_feedback_lag_messages',
      help: 'Messages in the log behind which the store is, of the partitions that this process reads',
      labelNames: ['partition'],
      registers,
      collect() {
        this.reset();
        for (const { partition, lag } of partitions()) this.set({ partition }, lag);
      },
    });
  }

  /** Asked when somebody wants to know: what another process has taken over is not told any more. */
  follow(reading: () => Reading | undefined): void {
    this.reading = reading;
  }

  inserted({ rows, seconds }: { readonly rows: number; readonly seconds: number }): void {
    this.rows.inc(rows);
    this.insertSeconds.observe(seconds);
  }

  skipped(rows: number): void {
    this.skippedRows.inc(rows);
  }

  unreadable(): void {
    this.unreadableMessages.inc();
  }
}

/** @param partitions  that are read here */
export const worstSkewUs = (partitions: Reading['partitions']): number => Math.max(0, ...partitions.map(({ skewUs = 0 }) => skewUs));
