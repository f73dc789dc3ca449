/** What Prometheus hears of the way from the log into the store. */
import { Injectable } from '@nestjs/common';
import { Metrics } from '@rampart/service-kit';
import { Counter, Gauge, Histogram } from 'prom-client';

@Injectable()
export class IntakeFigures {
  private readonly rows: Counter;
  private readonly skippedRows: Counter;
  private readonly unreadableMessages: Counter;
  private readonly insertSeconds: Histogram;
  private readonly lag: Gauge<'partition'>;
  private readonly skew: Gauge;

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
    this.skew = new Gauge({
      name: 'rampart_log_clock_skew_seconds',
      help: 'How far the clock of the log lies behind its own known times; alarm above 1',
      registers,
    });
    this.lag = new Gauge({
      name: 'rampart_feedback_lag_messages',
      help: 'Messages in the log behind which the store is',
      labelNames: ['partition'],
      registers,
    });
  }

  skewed(us: number): void {
    this.skew.set(us / 1e6);
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

  lagging(partition: number, messages: number): void {
    this.lag.set({ partition }, messages);
  }
}
