import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type IHeaders, Kafka, logLevel, type Producer } from 'kafkajs';
import { completed, defineExperiment, exposure, finalResults, history, purchase, type Setting } from './experiment.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';

/** A service team's own producer: it knows the topic, the CloudEvents binding and its write key, and nothing else of the platform. */
const RAW = 'feedback.raw.v1';
const UNITS = 1_500;
const PER_SEND = 150;

type Event = ReturnType<typeof exposure> | ReturnType<typeof purchase>;

let platform: Platform;
let producer: Producer;
let past: Setting;
let posted: Setting;

beforeAll(async () => {
  platform = await startPlatform();
  past = await defineExperiment(platform, 'past', 'historical');
  posted = await defineExperiment(platform, 'posted', 'historical');
  const brokers = platform.servers?.brokers.split(',') ?? [];
  producer = new Kafka({
    clientId: 'checkout',
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 50, maxRetryTime: 2_000 },
  }).producer();
  await producer.connect();
}, 180_000);

afterAll(async () => {
  await producer?.disconnect();
  await platform?.stop();
  platform?.remove();
}, 60_000);

const send = (messages: readonly { readonly value: string | null; readonly headers?: IHeaders }[]) =>
  producer.send({ topic: RAW, acks: -1, messages: [...messages] });

const structured = (event: object, writekey: string | undefined = past.key) => ({
  value: JSON.stringify({ ...event, writekey }),
  headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
});

const binary = ({ data, ...attributes }: Event) => ({
  value: JSON.stringify(data),
  headers: {
    'content-type': 'application/json',
    ce_writekey: past.key,
    ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value])),
  },
});

const array = (events: readonly object[]) => ({
  value: JSON.stringify(events),
  headers: { 'content-type': 'application/cloudevents-batch+json', ce_writekey: past.key },
});

interface Letter {
  readonly id: string;
  readonly code: string;
  readonly path: string;
  readonly eventId: string | null;
  readonly raw: string | null;
  readonly topic: string;
  readonly position: string;
}

const letters = (query: string, count: number): Promise<readonly Letter[]> =>
  eventually(`${count} dead letters of ${query}`, async () => {
    const { body } = await platform.call('GET', `/v1/ingest/dead-letters?${query}`);
    return body.letters?.length >= count ? body.letters : undefined;
  });
const ofPast = () => `project=${past.project}&environment=past&limit=1000`;

describe('events that a service writes into Kafka itself', () => {
  it('count as those that are posted do, each once, in whatever mode and however often, over kill -9 of ingestion and of the broker', async () => {
    const events = history(UNITS) as readonly Event[];
    for (const [index, start] of Array.from({ length: Math.ceil(events.length / PER_SEND) }, (_, n) => n * PER_SEND).entries()) {
      const some = events.slice(start, start + PER_SEND);
      const mode = index % 3;
      await send(mode === 2 ? [array(some)] : some.map((event) => (mode === 0 ? structured(event) : binary(event))));
      // Sent again, in the other mode: still the same events.
      if (index % 4 === 0) await send(some.map((event) => (mode === 0 ? binary(event) : structured(event))));
      if (index === 3 || index === 9) await killPart(platform, 'ingestion');
      if (index === 6) await killPart(platform, 'kafka');
      const answer = await eventually(
        'the same events are posted',
        async () => {
          const { status, body } = await platform.call('POST', '/v1/events', some, { key: posted.key });
          return status === 202 ? body : undefined;
        },
        60_000,
      );
      expect(answer).toMatchObject({ accepted: some.length });
    }
    // A completion overtakes what waits in other partitions, and what comes after it does not count: it is sent when all are stored.
    await eventually(
      'all are stored',
      async () => {
        const { body } = await platform.call('GET', `/v1/experiments/button/results?project=${past.project}&environment=past`);
        return body.population?.duplicates.stored === events.length ? true : undefined;
      },
      60_000,
    );
    await send([structured(completed)]);
    await platform.call('POST', '/v1/events', [completed], { key: posted.key });
    const seen = await finalResults(platform, past);
    const { evidenceDigest, sufficientStatistics } = await finalResults(platform, posted);
    expect(seen).toMatchObject({ evidenceDigest, sufficientStatistics, population: { units: UNITS } });
    expect(seen.population.duplicates.duplicates).toBeGreaterThan(0);
  }, 180_000);

  it('that are broken are dead letters with reason, path and place, in the project of their key, and without the key', async () => {
    await send([
      structured({ ...purchase('w1', 1, 1, 'w1'), data: { ...purchase('w1', 1, 1).data, value: '12' } }),
      { ...binary(purchase('w2', 1, 1, 'w2')), value: '{"unit":' },
      binary({ ...purchase('w3', 1, 1, 'w3'), type: 'unheard-of.v1' }),
      array([purchase('fine', 1, 1, 'fine'), { ...purchase('w4', 1, 1, 'w4'), time: 'yesterday' }]),
    ]);
    const found = await letters(ofPast(), 4);
    const byCode = (code: string) => found.find((letter) => letter.code === code);
    expect(byCode('value-not-a-number')).toMatchObject({ eventId: 'w1', path: '/data/value', topic: RAW });
    expect(byCode('not-json')).toMatchObject({ path: '/data', raw: '{"unit":', topic: RAW });
    expect(byCode('unknown-type')).toMatchObject({ eventId: 'w3', path: '/type' });
    expect(byCode('not-an-instant')).toMatchObject({ eventId: 'w4', path: '/1/time', position: expect.stringMatching(/^\d-\d+$/) });
    expect(JSON.stringify(found)).not.toContain(past.key);
  }, 60_000);

  it('of nobody are shown to the admin, who gives them a place', async () => {
    const stranger = `rk_strangers00_${'s'.repeat(43)}`;
    await send([structured(purchase('n1', 1, 1, 'n1'), stranger), { value: JSON.stringify(purchase('n2', 1, 1, 'n2')) }, { value: null }]);
    const found = await letters('limit=1000', 3);
    expect(found.map(({ code }) => code).sort()).toEqual(['key-missing', 'key-unknown', 'not-json']);
    expect(JSON.stringify(found)).not.toContain(stranger);
    const id = found.find(({ code }) => code === 'key-missing')?.id;
    const replayed = await platform.call('POST', `/v1/ingest/dead-letters/${id}/replay?project=${past.project}&environment=past`, {});
    expect(replayed).toMatchObject({ status: 200, body: { accepted: 1 } });
  }, 60_000);

  it('are judged anew on replay, as any others', async () => {
    const [letter] = (await letters(ofPast(), 4)).filter(({ code }) => code === 'unknown-type');
    const replayed = await platform.call('POST', `/v1/ingest/dead-letters/${letter?.id}/replay?project=${past.project}`, {});
    expect(replayed).toMatchObject({ status: 200, body: { rejected: 1, items: [{ code: 'unknown-type' }] } });
    const all = await platform.call('POST', `/v1/ingest/dead-letters/replay?project=${past.project}`, { all: true });
    expect(all).toMatchObject({ status: 200, body: { accepted: 0, rejected: 3, notKept: 1 } });
  }, 60_000);

  it('wait until their key is known', async () => {
    const made = platform.call('POST', `/v1/keys?project=${past.project}`, { name: 'late', role: 'import', environment: 'past' });
    const key = String((await made).body.key);
    await send([structured(purchase('late', 7, 1, 'late'), key)]);
    await eventually('the event is there', async () => {
      const { body } = await platform.call('GET', `/v1/ingest/tail?project=${past.project}&environment=past&unit=late`);
      return body.rows?.length === 1 ? true : undefined;
    });
  }, 60_000);
});
