/** The age of every hop and the lag of every consumer for Prometheus: asked for when it scrapes. */
import { Injectable } from '@nestjs/common';
import { EventLog } from '@rampart/event-log';
import { Metrics, meterLog } from '@rampart/service-kit';
import { Gauge } from 'prom-client';
import { FreshnessService } from './freshness.service.js';

@Injectable()
export class FreshnessGauges {
  constructor(freshness: FreshnessService, log: EventLog, metrics: Metrics) {
    meterLog(metrics, log);
    new Gauge({
      name: 'rampart_freshness_age_seconds',
      help: 'How old what is known is, by hop; absent where it is not known',
      labelNames: ['hop'],
      registers: [metrics.registry],
      async collect() {
        this.reset();
        // A log or store that is away must not take the other figures with it.
        const known = await freshness.freshness(Date.now() * 1000).catch(() => undefined);
        for (const { hop, ageMs } of known?.hops ?? []) if (ageMs !== null) this.set({ hop }, ageMs / 1000);
      },
    });
  }
}
