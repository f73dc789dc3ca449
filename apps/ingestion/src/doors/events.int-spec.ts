import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, type DeadLetter, FEEDBACK, type FeedbackRow, INGEST_STATS, type IngestStats } from '@rampart/contracts';
import { isTick } from '@rampart/event-log';
import { completed, exposure, purchase } from '../intake/event.examples.js';
import { ADMIN_KEY, isReady, key, PARTITIONS, type StartedIngestion, startIngestion } from '../running/started-ingestion.examples.js';

let ingestion: StartedIngestion;

beforeAll(async () => {
  ingestion = await startIngestion();
  await isReady(ingestion);
}, 60_000);

afterAll(async () => {
  await ingestion?.stop();
  await ingestion?.drop();
});

const storedRows = async (id: string): Promise<readonly FeedbackRow[]> => {
  const messages = await ingestion.contents<readonly FeedbackRow[]>(FEEDBACK);
  return messages.flat().filter((row) => row.id === id);
};
const letters = async (id: string) => (await ingestion.contents<DeadLetter>(DEAD_LETTERS)).filter(({ eventId }) => eventId === id);
const outcomes = (body: { items: { status: string; code?: string; path?: string }[] }) =>
  body.items.map(({ status, code, path }) => [status, code, path]);
const recent = () => new Date(Date.now() - 1_000).toISOString();

describe('a key with a quota', () => {
  const send = (events: readonly object[]) => ingestion.call('POST', '/v1/events', { key: key('limited'), body: events });

  it('that is used up is answered for each item, and nothing of it is taken or kept as a dead letter', async () => {
    expect((await send([purchase({ id: 'q1' }), purchase({ id: 'q2' }), purchase({ id: 'q3' })])).status).toBe(202);
    const { status, headers, body } = await send([purchase({ id: 'q4' }), purchase({ id: 'q5' })]);
    expect([status, body.code]).toEqual([429, 'quota-exceeded']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(body.errors.map(({ code, path }: { code: string; path: string }) => [code, path])).toEqual([
      ['quota-exceeded', '/0'],
      ['quota-exceeded', '/1'],
    ]);
    expect([body.details.accepted, body.details.rejected]).toEqual([0, 2]);
    expect([await storedRows('q3'), await storedRows('q4')]).toEqual([[expect.objectContaining({ key: 'limited' })], []]);
    expect(await letters('q4')).toEqual([]);
  });

  it('goes on after Retry-After, and what was refused is counted', async () => {
    const answer = await send([purchase({ id: 'q4' })]);
    await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after') ?? 0) * 1_000));
    expect((await send([purchase({ id: 'q4' })])).status).toBe(202);
    expect((await ingestion.send([purchase({ id: 'other' })])).status).toBe(202);
    const { body } = await ingestion.call('GET', '/metrics');
    expect(body).toMatch(/rampart_ingest_events_rejected_total\{[^}]*code="quota-exceeded"[^}]*\} [23]\b/);
  });

  it('pays for events that are only checked, too', async () => {
    const check = (events: number) =>
      ingestion.call('POST', '/v1/ingest/validate', { key: key('checks'), body: Array.from({ length: events }, () => purchase()) });
    expect((await check(100)).status).toBe(200);
    const { body, headers, status } = await check(1);
    expect([status, body.code]).toEqual([429, 'quota-exceeded']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await ingestion.send([purchase()], key('checks'))).status).toBe(429);
  });
});

describe('a batch', () => {
  it('is answered item by item, and the log has what was accepted', async () => {
    const events = [
      purchase({ id: 'b1' }),
      purchase({ id: 'b2' }, { value: '12' }),
      { ...exposure(), id: 'b3' },
      purchase({ id: 'b4', knownat: '2026-01-01T00:00:00Z' }),
      { ...purchase({ id: 'b5' }), project: 'other' },
    ];
    const { status, body } = await ingestion.send(events);
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 2, rejected: 3 });
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(['b1', 'b2', 'b3', 'b4', 'b5']);
    expect(outcomes(body)).toEqual([
      ['accepted', undefined, undefined],
      ['rejected', 'value-not-a-number', '/1/data/value'],
      ['accepted', undefined, undefined],
      ['rejected', 'known-at-not-allowed', '/3/knownat'],
      ['rejected', 'wrong-scope', '/4/project'],
    ]);
    expect(await storedRows('b1')).toEqual([
      expect.objectContaining({ kind: 'metric', value: '12500000', key: 'emits', environment: 'production' }),
    ]);
    expect(await storedRows('b3')).toEqual([expect.objectContaining({ kind: 'exposure', name: 'button' })]);
    expect(await storedRows('b2')).toEqual([]);
  });

  it('leaves what it refused in the dead letters, as it arrived', async () => {
    const text =
      '[ {"specversion":"1.0", "id":"dead1" , "source":"s","type":"metric.v1","data":{"unit":{"type":"user","id":"u"},"name":"n","value":1e13}} ]';
    expect((await ingestion.send(text)).body).toMatchObject({ rejected: 1 });
    const [letter] = await letters('dead1');
    expect(letter).toMatchObject({
      project: 'shop',
      environment: 'production',
      key: 'emits',
      code: 'value-out-of-range',
      path: '/data/value',
      source: 's',
    });
    expect(letter?.raw).toBe(text.slice(1, -1).trim());
  });

  it('of rubbish has one answer for each piece', async () => {
    const { body } = await ingestion.send([null, 1, 'x', [], {}, { __proto__: null, type: 'metric.v1' }]);
    expect(outcomes(body).map(([, code]) => code)).toEqual([
      'not-an-object',
      'not-an-object',
      'not-an-object',
      'not-an-object',
      'missing',
      'missing',
    ]);
  });

  it('with nothing in it is answered with nothing', async () => {
    expect(await ingestion.send([])).toMatchObject({ status: 202, body: { accepted: 0, rejected: 0, items: [] } });
  });

  it('rejects an event of 70 KB alone, and keeps no copy of it', async () => {
    const { body } = await ingestion.send([purchase({ id: 'big', padding: 'x'.repeat(70_000) }), purchase({ id: 'small' })]);
    expect(outcomes(body)).toEqual([
      ['rejected', 'too-large', '/0'],
      ['accepted', undefined, undefined],
    ]);
    expect(await letters('big')).toEqual([expect.objectContaining({ code: 'too-large', raw: null })]);
  });

  it('puts all rows of a unit into one partition', async () => {
    await ingestion.send(
      Array.from({ length: 40 }, (_, i) => purchase({ id: `p${i}` }, { unit: { type: 'user', id: `spread${i % 10}` } })),
    );
    const partitionsOf = new Map<string, Set<number>>();
    for (const { partition, value } of await ingestion.messages(FEEDBACK)) {
      const rows = JSON.parse(Buffer.from(value ?? []).toString()) as FeedbackRow[];
      for (const row of rows) partitionsOf.set(row.unit, (partitionsOf.get(row.unit) ?? new Set()).add(partition));
    }
    expect([...partitionsOf.values()].every((partitions) => partitions.size === 1)).toBe(true);
    expect(new Set([...partitionsOf.values()].flatMap((partitions) => [...partitions])).size).toBe(PARTITIONS);
  });
});

describe('one event', () => {
  it('is addressed without an index', async () => {
    const { status, body } = await ingestion.send(purchase({ id: 's1' }, { value: null }), key('emits'), {
      'content-type': 'application/cloudevents+json',
    });
    expect([status, outcomes(body)]).toEqual([202, [['rejected', 'value-not-a-number', '/data/value']]]);
  });

  it('may come in binary mode and gzipped', async () => {
    const { data, ...attributes } = purchase({ id: 'binary 1', time: recent() });
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeURIComponent(String(value))]),
    );
    const answer = await ingestion.send(gzipSync(JSON.stringify(data)), key('emits'), { ...headers, 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await storedRows('binary 1')).toHaveLength(1);
  });
});

describe('a request that is refused as a whole', () => {
  it.each([
    ['without a key', undefined, 401],
    ['with an unknown key', key('nobody'), 401],
    ['with a revoked key', key('gone'), 401],
    ['with a key that reads', key('reads'), 403],
    ['with a key that manages', key('manages'), 403],
    ['with the admin key, which belongs to no environment', ADMIN_KEY, 403],
    ['with an emit key of a historical environment', key('emitspast'), 403],
  ])('comes %s', async (_, by, status) => {
    const answer = await ingestion.call('POST', '/v1/events', {
      ...(by === undefined ? {} : { key: by }),
      body: [purchase({ id: 'refused' })],
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(await storedRows('refused')).toEqual([]);
  });

  it('is no JSON, and told where', async () => {
    const { status, body } = await ingestion.send('[{"value": NaN}]');
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'not-json', detail: expect.stringMatching(/position 11/) });
  });

  it('is too large, plain or unpacked, or holds too many events', async () => {
    const large = `[${' '.repeat(2 * 1024 * 1024)}]`;
    expect(await ingestion.send(large)).toMatchObject({ status: 413, body: { detail: expect.stringMatching('1,048,576') } });
    expect((await ingestion.send(gzipSync(large), key('emits'), { 'content-encoding': 'gzip' })).status).toBe(413);
    expect(await ingestion.send(Array(10_001).fill(1))).toMatchObject({ status: 413, body: { code: 'too-many-events' } });
  });

  it('is of another media type', async () => {
    expect((await ingestion.send('a,b', key('emits'), { 'content-type': 'text/csv' })).status).toBe(415);
  });
});

describe('history', () => {
  it('brings its known time and can be complete', async () => {
    const events = [
      purchase({ id: 'h1', time: '2024-01-01T00:00:00Z' }),
      purchase({ id: 'h2', time: '2024-01-01T00:00:00Z', knownat: '2024-01-03T00:00:00Z' }),
      { ...completed({ until: '2024-02-01T00:00:00Z' }), id: 'h3' },
    ];
    expect((await ingestion.send(events, key('imports'))).body).toMatchObject({ accepted: 3 });
    const [first, second, third] = await Promise.all(['h1', 'h2', 'h3'].map(storedRows));
    expect(first?.[0]).toMatchObject({ environment: 'past', knownAt: first?.[0]?.at });
    expect(second?.[0]).toMatchObject({ knownAt: Date.UTC(2024, 0, 3) * 1000 });
    expect(third?.[0]).toMatchObject({ kind: 'import', at: Date.UTC(2024, 1, 1) * 1000 });
  });
});

describe('a validation', () => {
  it('shows the rows that would be stored, or why not, and stores nothing', async () => {
    const events = [purchase({ id: 'dry' }, { value: 0.1 }), purchase({ id: 'dry' }, { name: '' })];
    const { status, body } = await ingestion.call('POST', '/v1/ingest/validate', { key: key('emits'), body: events });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      accepted: 1,
      rejected: 1,
      items: [
        { status: 'accepted', rows: [{ value: '0.1', at: '2026-06-01T11:59:59.123456Z', unit: expect.stringMatching(/^[0-9a-f]{32}$/) }] },
        { status: 'rejected', code: 'missing', path: '/1/data/name' },
      ],
    });
    expect(await storedRows('dry')).toEqual([]);
    expect(await letters('dry')).toEqual([]);
  });
});

describe('dead letters', () => {
  const idOf = async (eventId: string) => {
    const messages = await ingestion.messages(DEAD_LETTERS);
    const found = messages.find(({ value }) =>
      Buffer.from(value ?? [])
        .toString()
        .includes(`"eventId":"${eventId}"`),
    );
    return `${found?.partition}-${found?.offset}`;
  };
  const replay = (id: string, by = key('manages')) => ingestion.call('POST', `/v1/ingest/dead-letters/${id}/replay`, { key: by });

  it('are judged again, and answered without a second letter', async () => {
    await ingestion.send([purchase({ id: 'again' }, { value: 1e13 })]);
    expect(await replay(await idOf('again'))).toMatchObject({
      status: 200,
      body: { rejected: 1, items: [{ code: 'value-out-of-range' }] },
    });
    expect(await letters('again')).toHaveLength(1);
  });

  it('are stored with their id once nothing speaks against them', async () => {
    const letter: DeadLetter = {
      project: 'shop',
      environment: 'production',
      key: 'emits',
      code: 'unknown-type',
      path: '/type',
      message: 'an older version did not know it',
      receivedAtUs: Date.UTC(2026, 5, 1, 12) * 1_000,
      eventId: 'mended',
      source: 'checkout',
      raw: JSON.stringify(purchase({ id: 'mended', time: '2026-06-01T12:59:00Z', sentat: '2026-06-01T13:00:00Z' })),
    };
    await ingestion.log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify(letter) }]);
    expect(await replay(await idOf('mended'))).toMatchObject({ status: 200, body: { accepted: 1 } });
    // Corrected by the moment it first came in.
    expect(await storedRows('mended')).toEqual([expect.objectContaining({ at: Date.UTC(2026, 5, 1, 11, 59) * 1_000, key: 'emits' })]);
    const all = await ingestion.call('POST', '/v1/ingest/dead-letters/replay', {
      key: key('manages'),
      body: { all: true, code: 'unknown-type' },
    });
    expect(all).toMatchObject({ status: 200, body: { accepted: 1, rejected: 0, notKept: 0 } });
  });

  it('that do not exist, were not kept or are asked for by others are refused', async () => {
    await ingestion.send([purchase({ id: 'unkept', padding: 'x'.repeat(70_000) })]);
    expect(await replay('0-99999999')).toMatchObject({ status: 404, body: { code: 'dead-letter-not-found' } });
    expect(await replay('x')).toMatchObject({ status: 404 });
    expect(await replay(await idOf('unkept'))).toMatchObject({ status: 409, body: { code: 'dead-letter-not-kept' } });
    expect((await replay(await idOf('unkept'), key('reads'))).status).toBe(403);
    const unreadable = { project: 'shop', environment: 'production', code: 'not-json', eventId: 'broken', raw: '{"id":' };
    await ingestion.log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify(unreadable) }]);
    expect(await replay(await idOf('broken'))).toMatchObject({ status: 409, body: { detail: expect.stringContaining('is no JSON') } });
    const wrong = await ingestion.call('POST', '/v1/ingest/dead-letters/replay', { key: key('manages'), body: { all: 'yes' } });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  it('that belong to no project are given a place by an admin, and by nobody else', async () => {
    const orphan = {
      project: null,
      environment: null,
      key: 'stranger',
      code: 'key-unknown',
      eventId: 'orphan',
      receivedAtUs: Date.now() * 1_000,
    };
    await ingestion.log.append(DEAD_LETTERS, [
      { partition: 0, value: JSON.stringify({ ...orphan, raw: JSON.stringify(purchase({ id: 'orphan' })) }) },
    ]);
    const id = await idOf('orphan');
    expect(await replay(id)).toMatchObject({ status: 404 });
    const adopt = await ingestion.call('POST', `/v1/ingest/dead-letters/${id}/replay?project=shop&environment=past`, { key: ADMIN_KEY });
    expect(adopt).toMatchObject({ status: 200, body: { accepted: 1 } });
    expect(await storedRows('orphan')).toEqual([expect.objectContaining({ project: 'shop', environment: 'past', key: 'stranger' })]);
  });
});

describe('what it tells', () => {
  it('counts by environment, key, kind and name, within two seconds', async () => {
    await ingestion.send([
      purchase({ id: 'c1' }, { name: 'counted' }),
      purchase({ id: 'c2' }, { name: 'counted', value: '1' }),
      { type: 'x' },
    ]);
    const deadline = Date.now() + 5_000;
    let counts: readonly unknown[] = [];
    while (Date.now() < deadline && counts.length === 0) {
      const stats = await ingestion.contents<IngestStats>(INGEST_STATS);
      counts = stats.flatMap((one) => one.counts).filter(({ name }) => name === 'counted');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(counts).toEqual([
      {
        project: 'shop',
        environment: 'production',
        key: 'emits',
        kind: 'metric',
        name: 'counted',
        accepted: 1,
        rejected: { 'value-not-a-number': 1 },
      },
    ]);
  });

  it('ticks in every partition', async () => {
    const ticks = new Set<number>();
    for await (const message of ingestion.log.readAll(FEEDBACK)) if (isTick(message)) ticks.add(message.partition);
    expect(ticks.size).toBe(PARTITIONS);
  });

  it('shows Prometheus what came in, and documents the event', async () => {
    const metrics = await ingestion.call('GET', '/metrics');
    expect(metrics.body).toMatch(/rampart_ingest_events_accepted_total\{kind="metric"[^}]*\} \d+/);
    expect(metrics.body).toMatch(/rampart_ingest_events_rejected_total\{code="wrong-scope"[^}]*\} \d+/);
    const docs = await ingestion.call('GET', '/docs-json');
    expect(JSON.stringify(docs.body.paths['/v1/events'].post.requestBody)).toContain('specversion');
  });
});
