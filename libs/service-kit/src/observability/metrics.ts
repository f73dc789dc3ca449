/** What Prometheus reads: the process's own figures, every request by route and status, and what a service adds. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Readiness } from './readiness.js';

/** The platform's: all packages of the repository share it. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Inject it and register counters on `registry`: `new Counter({ …, registers: [metrics.registry] })`. */
export class Metrics {
  readonly registry = new Registry();
  private readonly requests: Histogram<'method' | 'route' | 'status'>;

  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the end of its answer, by route template',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers: [this.registry],
    });
    const info = new Gauge({
      name: 'rampart_build_info',
      help: '1; its labels say what runs',
      labelNames: ['version', 'node'],
      registers: [this.registry],
    });
    info.set({ version: VERSION, node: process.versions.node }, 1);
    new Gauge({
      ...{ name: 'rampart_clock_seconds', help: 'What this process takes for the time, since the epoch', registers: [this.registry] },
      collect() {
        this.set(Date.now() / 1_000);
      },
    });
  }

  /** The same questions as `/readyz`, asked when it is scraped. */
  meterReadiness(readiness: Readiness): void {
    const registers = [this.registry];
    new Gauge({
      ...{ name: 'rampart_ready', help: '1 while this process should get requests; /readyz says why not', registers },
      async collect() {
        this.set(Object.keys(await readiness.reasons()).length === 0 ? 1 : 0);
      },
    });
    new Gauge({
      ...{
        name: 'rampart_notes',
        help: '1 for each note of /readyz: wrong, without making the process unready',
        labelNames: ['note'],
        registers,
      },
      async collect() {
        const notes = await readiness.notes();
        this.reset();
        for (const note of Object.keys(notes)) this.set({ note }, 1);
      },
    });
  }

  observe(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      // The template, never the path: paths are unbounded, and each label value is a time series.
      const route = request.routeOptions.url ?? 'unmatched';
      this.requests.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
      done();
    });
  }
}
