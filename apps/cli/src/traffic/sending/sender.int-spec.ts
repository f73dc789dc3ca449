import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type TimedEvent, trafficOf } from '../generation/traffic.js';
import { exampleScenario } from '../scenario/scenario.examples.js';
import { type SendingOptions, sendTraffic } from './sender.js';

type Sent = { id: string; time: string; sentat?: string };
type Answer = (events: readonly Sent[], response: ServerResponse, request: number) => void;

const accept: Answer = (events, response) =>
  response
    .writeHead(202, { 'content-type': 'application/json' })
    .end(JSON.stringify({ accepted: events.length, rejected: 0, items: events.map(({ id }) => ({ status: 'accepted', id })) }));
const refuse = (status: number, headers: Record<string, string> = {}): Answer => {
  const body = JSON.stringify({ code: 'refused', detail: `status ${status}` });
  return (_events, response) => response.writeHead(status, headers).end(body);
};

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A door that misbehaves as it is told; what it accepted is what it was last sent. */
const door = async (answer: Answer, port = 0): Promise<{ address: string; seen: Sent[][]; port: number }> => {
  const seen: Sent[][] = [];
  const created = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    for await (const part of request) text += String(part);
    const events = JSON.parse(text) as Sent[];
    seen.push(events);
    answer(events, response, seen.length);
  });
  server = created;
  await new Promise<void>((resolve) => created.listen(port, '127.0.0.1', resolve));
  const at = (created.address() as AddressInfo).port;
  return { address: `http://127.0.0.1:${at}`, seen, port: at };
};

const traffic = (parts: object = {}, startUs = Date.now() * 1000) => trafficOf(exampleScenario({ units: 300, ...parts }), 1, startUs);
const sendTo = (address: string, options: Partial<SendingOptions> = {}, events: Iterable<TimedEvent> = traffic()) =>
  sendTraffic(events, { address, key: 'k', pace: 'fast', batchEvents: 50, experiments: ['button'], ...options });
const idsOf = (batches: readonly Sent[][]) => batches.flat().map(({ id }) => id);

describe('a sender', () => {
  it('counts what was acknowledged, by name and arm', async () => {
    const { address, seen } = await door(accept);
    const events = [...traffic()];
    const acknowledged: string[] = [];
    const outcome = await sendTo(address, { onAcknowledged: (done) => acknowledged.push(...done.map(({ event }) => event.id)) }, events);
    expect(outcome).toMatchObject({ sent: events.length, acknowledged: events.length, unacknowledged: 0, rejected: [], retries: 0 });
    const byArm = (kind: string, variant: string) =>
      events.filter((one) => one.kind === kind && one.unit.assignments[0]?.variant === variant).length;
    expect(outcome.counts.exposures).toEqual({
      button: { control: byArm('exposure', 'control'), treatment: byArm('exposure', 'treatment') },
    });
    expect(outcome.counts.events.purchase?.byArm).toEqual({
      button: { control: byArm('event', 'control'), treatment: byArm('event', 'treatment') },
    });
    expect(idsOf(seen).sort()).toEqual(events.map(({ event }) => event.id).sort());
    expect(acknowledged.sort()).toEqual(idsOf(seen).sort());
    expect(Math.max(...seen.map((batch) => batch.length))).toBe(50);
  });

  it.each([
    [503, { 'retry-after': '1' }, 950],
    [429, { 'retry-after': '1' }, 950],
    [502, {}, 50],
  ])('sends the same again after %d, not before it may', async (status, headers, leastMs) => {
    const { address, seen } = await door((events, response, request) =>
      (request === 1 ? refuse(status, headers) : accept)(events, response, request),
    );
    const startedMs = performance.now();
    const outcome = await sendTo(address, { inFlight: 1 });
    expect(outcome).toMatchObject({ retries: 1, unacknowledged: 0, failure: undefined });
    expect(seen[1]).toEqual(seen[0]);
    expect(performance.now() - startedMs).toBeGreaterThan(leastMs);
  });

  it('outlives a door that is closed for a while', async () => {
    const first = await door((_events, response) => response.destroy());
    const sending = sendTo(first.address);
    await new Promise((resolve) => setTimeout(resolve, 300));
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = await door(accept, first.port);
    const outcome = await sending;
    expect(outcome.retries).toBeGreaterThan(0);
    expect(outcome).toMatchObject({ unacknowledged: 0, acknowledged: [...traffic()].length });
    expect(idsOf(second.seen)).toEqual(expect.arrayContaining(idsOf(first.seen)));
  }, 30_000);

  it('holds no more than the requests in flight and one batch while nobody takes anything', async () => {
    const { address } = await door(() => undefined);
    let taken = 0;
    const counted = function* (events: Iterable<TimedEvent>) {
      for (const timed of events) {
        taken++;
        yield timed;
      }
    };
    const sending = sendTo(address, { inFlight: 2, batchEvents: 10, patienceMs: 0 }, counted(traffic()));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(taken).toBe(30);
    server?.closeAllConnections();
    const outcome = await sending;
    expect(outcome.unacknowledged).toBe(outcome.sent);
    expect(outcome.failure).toContain('has not answered POST /v1/events');
  });

  it('gives up with the platform’s own words where asking again is of no use', async () => {
    const { address } = await door(refuse(403));
    const outcome = await sendTo(address);
    expect(outcome.unacknowledged).toBeGreaterThan(0);
    expect(outcome.failure).toContain('status 403');
  });

  it('halves what is too large', async () => {
    const { address, seen } = await door((events, response, request) =>
      (events.length > 20 ? refuse(413) : accept)(events, response, request),
    );
    expect(await sendTo(address)).toMatchObject({ unacknowledged: 0, failure: undefined });
    expect(seen.some(({ length }) => length > 20)).toBe(true);
  });

  it('tells rejections by code, with the first of each', async () => {
    const { address } = await door((events, response) => {
      const items = events.map(({ id }, index) =>
        index === 3 ? { status: 'rejected', id, code: 'missing', path: '/3/data', message: 'no data' } : { status: 'accepted', id },
      );
      response.writeHead(202).end(JSON.stringify({ items }));
    });
    const { rejected, requests, acknowledged, sent } = await sendTo(address);
    expect(rejected).toEqual([
      { code: 'missing', count: requests, first: { id: expect.any(String), path: '/3/data', message: 'no data' } },
    ]);
    expect(acknowledged + requests).toBe(sent);
  });

  it('sends what is due, when it is due', async () => {
    const { address, seen } = await door(accept);
    const startUs = Date.now() * 1000;
    const parts = { units: 60, arrival: { perSecond: 40, pattern: 'even' }, events: [] };
    const outcome = await sendTo(address, { pace: 'due' }, traffic(parts, startUs));
    // The last of 60 units arrives 59.5 fortieths of a second after the start.
    expect(outcome.seconds).toBeGreaterThan(1.45);
    expect(seen.length).toBeGreaterThan(10);
    expect(outcome.acknowledged).toBe(60);
  });

  it('stops when asked: what is in hand is sent, what is not due is not', async () => {
    const { address, seen } = await door(accept);
    const stop = new AbortController();
    const parts = { units: 10_000, arrival: { perSecond: 100 }, events: [] };
    setTimeout(() => stop.abort(), 500);
    const outcome = await sendTo(address, { pace: 'due', stop: stop.signal }, traffic(parts));
    expect(outcome).toMatchObject({ unacknowledged: 0, failure: undefined });
    expect(outcome.sent).toBe(idsOf(seen).length);
    expect(outcome.sent).toBeLessThan(500);
  });

  it('says anew at every try when a client with a wrong clock sent', async () => {
    const { address, seen } = await door((events, response, request) =>
      (request === 1 ? refuse(503, { 'retry-after': '1' }) : accept)(events, response, request),
    );
    const parts = { units: 10, events: [], sending: { clock: { share: 1, offset: 3_600 } } };
    await sendTo(address, {}, traffic(parts));
    const [first, second] = seen.map(([event]) => Date.parse(event?.sentat ?? ''));
    expect(second).toBeGreaterThanOrEqual((first ?? Number.NaN) + 950);
    expect(Math.abs((second ?? Number.NaN) - Date.now() - 3_600_000)).toBeLessThan(5_000);
  });
});
