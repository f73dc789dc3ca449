/** Events in batches over kept-alive HTTP connections: the same bytes for every server that is measured. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Prepared bodies, used in turn; each holds `eventsPerBody` events. */
  readonly bodies: readonly Buffer[];
  readonly eventsPerBody: number;
  readonly connections: number;
  readonly durationMs: number;
  /** Requests that are due each second, however long answers take; none = a connection's next request follows its answer. */
  readonly perSecond?: number;
}

export interface LoadResult {
  readonly events: number;
  readonly elapsedMs: number;
  /** ms, of a paced load from when the request was due: waiting for a connection counts. */
  readonly latencies: readonly number[];
  /** ms after the beginning, of each of `latencies`. */
  readonly dueAt: readonly number[];
  readonly refused: number;
}

const post = (agent: Agent, load: Load, body: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(load.url, { agent, method: 'POST', headers: { ...load.headers, 'content-length': body.length } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** Keeps every connection busy for the time given, or as busy as the pace asks; ids must differ between bodies where the server cares. */
export const run = async (load: Load): Promise<LoadResult> => {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const latencies: number[] = [];
  const dueAt: number[] = [];
  let next = 0;
  let events = 0;
  let refused = 0;
  const begun = performance.now();
  const worker = async () => {
    while (performance.now() - begun < load.durationMs) {
      const place = next++;
      const body = load.bodies[place % load.bodies.length];
      if (body === undefined) return;
      const sentAt = load.perSecond === undefined ? performance.now() : begun + (place * 1_000) / load.perSecond;
      if (sentAt > performance.now()) await sleep(sentAt - performance.now());
      const status = await post(agent, load, body);
      latencies.push(performance.now() - sentAt);
      dueAt.push(sentAt - begun);
      if (status >= 200 && status < 300) events += load.eventsPerBody;
      else refused++;
    }
  };
  await Promise.all(Array.from({ length: load.connections }, worker));
  agent.destroy();
  return { events, elapsedMs: performance.now() - begun, latencies, dueAt, refused };
};

/** Metric events of about 310 bytes, `perBody` a body. Unit ids repeat over `units`; event ids never do. */
export const metricBodies = (options: { bodies: number; perBody: number; units: number; run: string }): readonly Buffer[] =>
  Array.from({ length: options.bodies }, (_, body) => {
    const events = Array.from({ length: options.perBody }, (_, index) => {
      const number = body * options.perBody + index;
      return {
        specversion: '1.0',
        id: `${options.run}-${number.toString(36).padStart(10, '0')}`,
        source: 'bench/checkout-service',
        type: 'metric.v1',
        time: new Date(1_700_000_000_000 + number).toISOString(),
        data: {
          unit: { type: 'user', id: `user-${(number * 7919) % options.units}` },
          name: 'purchase',
          value: (number % 10_000) / 100,
          properties: { country: 'NZ', plan: 'pro', items: number % 7, returning: number % 2 === 0 },
        },
      };
    });
    return Buffer.from(JSON.stringify(events));
  });
