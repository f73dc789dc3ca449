/** What Prometheus hears of a process's use of the log: what waits to be written, what failed, and how far each consumer lies behind. */
import { Counter, Gauge } from 'prom-client';
import type { Metrics } from './metrics.js';

/** What the log's `stats()` has of this: the kit knows no log. */
interface MeteredLog {
  stats(): {
    readonly append: { readonly messages: number; readonly failed: number; readonly overflowed: number; readonly queuedBytes: number };
    readonly consumers: readonly {
      readonly topic: string;
      readonly group: string | undefined;
      readonly state: string;
      readonly partitions: readonly { readonly lag: number; readonly failing: object | undefined; readonly heldBytes: number }[];
    }[];
  };
}

/** Read when it is scraped: appending and consuming cost nothing more. */
export const meterLog = ({ registry }: Metrics, log: MeteredLog): void => {
  const registers = [registry];
  meterAppends(registers, log);
  new Gauge({
    name: 'rampart_consumer_lag_messages',
    help: 'Messages of the log that this process has yet to read, of the partitions that are its own',
    labelNames: ['topic', 'group'],
    registers,
    collect() {
      this.reset();
      for (const { topic, group = '', partitions } of log.stats().consumers)
        this.inc(
          { topic, group },
          partitions.reduce((sum, one) => sum + one.lag, 0),
        );
    },
  });
  new Gauge({
    name: 'rampart_consumer_held_bytes',
    help: 'Bytes of messages that were read from the log and are not dealt with yet',
    labelNames: ['topic', 'group'],
    registers,
    collect() {
      this.reset();
      for (const { topic, group = '', partitions } of log.stats().consumers)
        this.inc(
          { topic, group },
          partitions.reduce((sum, one) => sum + one.heldBytes, 0),
        );
    },
  });
  new Gauge({
    name: 'rampart_consumer_failing_partitions',
    help: 'Partitions whose batch in hand is tried again and again; all of a consumer that has stopped',
    labelNames: ['topic', 'group'],
    registers,
    collect() {
      this.reset();
      for (const { topic, group = '', state, partitions } of log.stats().consumers) {
        const stuck = state === 'stopped' ? Math.max(1, partitions.length) : partitions.filter((one) => one.failing !== undefined).length;
        this.inc({ topic, group }, stuck);
      }
    },
  });
};

const meterAppends = (registers: Metrics['registry'][], log: MeteredLog): void => {
  new Gauge({
    ...{
      name: 'rampart_log_append_queued_bytes',
      help: 'Bytes that wait for the log; when its limit is reached, writers are refused',
      registers,
    },
    collect() {
      this.set(log.stats().append.queuedBytes);
    },
  });
  // The log counts by itself: here its totals become counters.
  const totals = [
    ['rampart_log_appended_messages_total', 'Messages that the log has taken', 'messages'],
    ['rampart_log_append_failures_total', 'Appends that failed because the log was away', 'failed'],
    ['rampart_log_append_refusals_total', 'Appends refused because too much waited', 'overflowed'],
  ] as const;
  for (const [name, help, key] of totals)
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(log.stats().append[key]);
      },
    });
};
