/** What Prometheus hears of looks, and what the freshness of the platform is made of. */
import { Injectable } from '@nestjs/common';
import type { InstantUs } from '@rampart/contracts';
import { Metrics } from '@rampart/service-kit';
import { Counter, Gauge, Histogram } from 'prom-client';

export interface TakenLook {
  readonly knownUntilUs: InstantUs;
  readonly comparisons: number;
  readonly seconds: number;
  readonly atUs: InstantUs;
}

@Injectable()
export class LookFigures {
  private readonly seconds: Histogram;
  private readonly recounts: Counter<'same'>;
  private readonly failures: Counter;
  private newest: TakenLook | undefined;
  private areElsewhere = () => false;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.seconds = new Histogram({
      name: 'rampart_look_seconds',
      help: 'One look at all watched comparisons',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.recounts = new Counter({
      name: 'rampart_look_recounts_total',
      help: 'Kept sums held against a count of all rows',
      labelNames: ['same'],
      registers,
    });
    // From the start: an alert on what begins with its first one, which has not increased, would not see it.
    for (const same of ['true', 'false']) this.recounts.inc({ same }, 0);
    this.failures = new Counter({ name: 'rampart_look_failures_total', help: 'Looks that failed and are taken again', registers });
    const newest = () => this.last;
    new Gauge({
      name: 'rampart_look_age_seconds',
      help: 'Since the moment up to which the newest look knew everything; absent where another process looks',
      registers,
      collect() {
        const look = newest();
        // Not reset(): that is zero seconds, the best of ages.
        if (look === undefined) this.remove();
        else this.set(Math.max(0, Date.now() / 1000 - look.knownUntilUs / 1e6));
      },
    });
  }

  looked(look: TakenLook): void {
    this.newest = look;
    this.seconds.observe(look.seconds);
  }

  failed(): void {
    this.failures.inc();
  }

  recounted(isSame: boolean): void {
    this.recounts.inc({ same: String(isSame) });
  }

  /** @param areElsewhere  whether another process takes the looks: then the age of the newest one here says nothing */
  takenUnless(areElsewhere: () => boolean): void {
    this.areElsewhere = areElsewhere;
  }

  /** Undefined until this process has taken a look, and where another takes them. */
  get last(): TakenLook | undefined {
    return this.areElsewhere() ? undefined : this.newest;
  }
}
