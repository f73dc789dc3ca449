/** What Prometheus hears of webhooks. */
import type { Metrics } from '@rampart/service-kit';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { WebhookDeliveries } from './webhook-deliveries.store.js';

const OUTCOMES = ['delivered', 'tried-again', 'given-up'] as const;

export class WebhookFigures {
  private readonly tries: Counter<'outcome'>;
  private readonly seconds: Histogram;

  constructor(deliveries: Pick<WebhookDeliveries, 'waiting'>, { registry }: Metrics) {
    const registers = [registry];
    this.tries = new Counter({
      name: 'rampart_webhook_tries_total',
      help: 'Webhook deliveries tried: delivered, to be tried again, or given up',
      labelNames: ['outcome'],
      registers,
    });
    // From the start: what begins with its first one has not increased.
    for (const outcome of OUTCOMES) this.tries.inc({ outcome }, 0);
    this.seconds = new Histogram({
      name: 'rampart_webhook_try_seconds',
      help: 'Until a receiver has answered, or has not',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10],
      registers,
    });
    new Gauge({
      name: 'rampart_webhook_waiting',
      help: 'Webhook deliveries that wait for their turn or their next try; every process tells the same number',
      registers,
      async collect() {
        // A database that is away must not take the other figures with it.
        const waiting = await deliveries.waiting().catch(() => undefined);
        if (waiting === undefined) this.remove();
        else this.set(waiting);
      },
    });
  }

  tried(outcome: (typeof OUTCOMES)[number], seconds: number): void {
    this.tries.inc({ outcome });
    this.seconds.observe(seconds);
  }
}
