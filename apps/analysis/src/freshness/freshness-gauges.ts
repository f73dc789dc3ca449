/** The age of every hop and the lag of every consumer for Prometheus: asked for when it scrapes. */
import { Injectable } from '@nestjs/common';
import type { Hop } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { Metrics, meterLog } from '@rampart/service-kit';
import { Gauge } from 'prom-client';
import { FreshnessService } from './freshness.service.js';
import { KnownAges } from './known-ages.js';

/** A store that hangs must not take the other figures with it: Prometheus waits ten seconds for all of them. */
const LONGEST_MS = 3_000;

@Injectable()
export class FreshnessGauges {
  constructor(freshness: FreshnessService, log: EventLog, metrics: Metrics) {
    meterLog(metrics, log);
    const ages = new KnownAges();
    new Gauge({
      name: 'rampart_freshness_age_seconds',
      help: 'How old what is known is, by hop; goes on growing while log or store are away; absent where it was never known, or another process knows it',
      labelNames: ['hop'],
      registers: [metrics.registry],
      async collect() {
        const hops = await withinReason(freshness.freshness(Date.now() * 1000).then(({ hops }) => hops));
        for (const hop of freshness.elsewhere()) {
          ages.forget(hop);
          this.remove({ hop });
        }
        for (const [hop, seconds] of ages.seconds(hops, Date.now() * 1000)) this.set({ hop }, seconds);
      },
    });
  }
}

/** Nothing is known of what fails, or takes too long. */
const withinReason = async (asked: Promise<readonly Hop[]>): Promise<readonly Hop[]> => {
  let limit: NodeJS.Timeout | undefined;
  const unknown = new Promise<readonly Hop[]>((resolve) => {
    limit = setTimeout(resolve, LONGEST_MS, []);
  });
  try {
    return await Promise.race([asked, unknown]);
  } catch {
    return [];
  } finally {
    clearTimeout(limit);
  }
};
