import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Random } from '../simulation/random.js';
import { DescribedAnswers } from './answers.js';
import { completed, defineExperiment, exposure, finalResults, purchase, type Setting } from './experiment.js';
import { filesWith, secretOf } from './files-with.js';
import { type Answer, eventually, type Platform, startPlatform } from './platform.js';
import { routesOf } from './routes.js';

const SEED = Number(process.env.RAMPART_FUZZ_SEED ?? 1);
const REQUESTS = Number(process.env.RAMPART_FUZZ_REQUESTS ?? 1_200);
/** At once: enough to keep two cores busy. */
const SENDERS = 8;
/** A long run says how far it is. */
const TOLD_EACH = 10_000;
/** Of one request on a busy machine, all senders together. */
const PATIENCE_MS = 50;

let platform: Platform;
let past: Setting;
let client: string;
let accepted = 0;
/** Before all that is sent: a long run takes longer than the hour that is counted unless told. */
const begunAt = new Date(Date.now() - 60_000).toISOString();

beforeAll(async () => {
  platform = await startPlatform();
  past = await defineExperiment(platform, 'past', 'historical');
  const { project } = await defineExperiment(platform, 'production', 'live');
  const made = await platform.call('POST', `/v1/keys?project=${project}`, { name: 'page', role: 'client', environment: 'production' });
  client = made.body.key;
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
});

/** Each request has a stream of its own, so that it is the same whichever sender sends it, and when. */
let chance = new Random(SEED, 'fuzz', 0);
const random = (): number => chance.uniform();
const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

/** Values that break what only expects good ones. */
// biome-ignore format: one a line reads worse
const odd: readonly unknown[] = [
  null, true, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63), '', 'A b', '\0', '\ud800', 'x'.repeat(201), 'x'.repeat(70_000), [], {}, [null], ['a', ['b']],
  '__proto__', 'constructor', '../../etc/passwd', '2026-13-45T00:00:00Z', '0001-01-01T00:00:00Z', 'NaN', "'; drop table x; --", '{x:String}', '\r\nX: y', '😀',
  nested(40), nested(500), Array(1_001).fill('a'), JSON.parse('{"__proto__": 1}'), Object.fromEntries(Array.from({ length: 150 }, (_, n) => [n, n])),
];
// biome-ignore format: one a line reads worse
const oddParts = [
  'button', 'converted', 'none', '%2F', '..%2F..', '%00', '%ED%A0%80', 'a'.repeat(81), 'a'.repeat(3_000), 'E', '__proto__', 'toString', '%F0%9F%98%80',
  '0-0', '0-99999999999999999999', '-1--1', 'preview',
];
const brokenBodies: readonly (string | Uint8Array)[] = [
  '',
  '{"a":',
  'NaN',
  '\ufeff{}',
  '"\\ud800"',
  '['.repeat(100_000),
  ' '.repeat(1_200_000),
  `[${'{},'.repeat(10_000)}{}]`,
  new Uint8Array([0xff, 0xfe]),
  new Uint8Array([0]),
];

const metric = { key: 'fuzzed', name: 'F', type: 'mean', unitType: 'user', numerator: { event: 'e', filters: [] }, windowUs: 60_000_000 };
const variants = [{ key: 'a', weight: 1 }, { key: 'b' }];
const definition = {
  key: 'fuzzed',
  name: 'F',
  variants,
  control: 'a',
  metrics: [{ metric: 'converted', role: 'success' }],
  plan: { alpha: 0.05 },
};
const feature = { key: 'fuzzed', name: 'F', valueType: 'json', variants: [{ key: 'a', value: { b: [1] } }], defaultVariant: 'a' };
const rollout = { key: 'fuzzed', name: 'F', experiment: 'button', environment: 'production', stages: [{ coverage: 0.1, bakeSeconds: 60 }] };
const asked = { context: { targetingKey: 'f', country: 'AT', age: 40 } };
const bodies: readonly (readonly [part: string, body: unknown])[] = [
  ['/events', [exposure('f', 'control', 1), purchase('f', 1, 2)]],
  ['/ingest/validate', exposure('f', 'control', 1)],
  ['/ofrep/', asked],
  ['/evaluate/', { ...asked, flag: 'fuzzed' }],
  ['/preview', { definition: metric }],
  ['/plans/power', { metric: { rate: 0.1 }, minimumEffect: { relative: 0.1 }, unitsPerDay: 100 }],
  ['/rollouts/', { reason: 'r', force: true }],
  ['/rollouts', rollout],
  ['/layers', { key: 'fuzzed', name: 'F' }],
  ['/holdouts/', { reason: 'r' }],
  ['/holdouts', { key: 'fuzzed', name: 'F', share: 0.05 }],
  ['/overrides', { key: 'fuzzed', feature: 'fuzzed', variant: 'a', units: ['u'] }],
  ['/webhooks', { key: 'fuzzed', url: 'http://127.0.0.1:9/hook' }],
  ['/metrics', metric],
  ['/features', feature],
  ['/decide', { outcome: 'stop', reason: 'r' }],
  ['/experiments', definition],
  ['/keys', { name: 'n', role: 'analyst' }],
  ['/environments', { key: 'fuzzed', kind: 'live' }],
  ['/projects', { key: 'fuzzed', name: 'n' }],
];

/** 30 MB in 30 kB; packed once, since packing is dearer than a hundred requests. */
const bomb = gzipSync(' '.repeat(30_000_000));

/** Replaces, drops or adds something at a random place. */
const mutated = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || random() < 0.1) return oneOf(odd);
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  const key = oneOf([...Object.keys(copy), 'extra']);
  if (random() < 0.15) delete copy[key];
  else copy[key] = mutated(copy[key]);
  return copy;
};

const bodyFor = (path: string): string | Uint8Array => {
  if (random() < 0.2) return oneOf(brokenBodies);
  const body = bodies.find(([part]) => path.includes(part))?.[1] ?? { reason: 'r' };
  return JSON.stringify(random() < 0.1 ? body : mutated(body)) ?? 'null';
};

const queryFor = (queries: readonly string[]): string => {
  const given = queries
    .filter(() => random() < 0.25)
    .map((name) => [name + oneOf(['', '', '[]', '[a]']), String(random() < 0.2 ? true : oneOf(odd)).slice(0, 300)]);
  const scope = random() < 0.9 ? [['project', past.project]] : [];
  return [...scope, ...given].map(([name = '', value = '']) => `${name}=${encodeURIComponent(Buffer.from(value).toString())}`).join('&');
};

const headersFor = (body: string | Uint8Array): { headers: Record<string, string>; raw: string | Uint8Array } => {
  const type =
    random() < 0.1 ? oneOf(['text/plain', 'application/x-www-form-urlencoded', 'application/cloudevents-batch+json', 'json']) : undefined;
  const headers = {
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(random() < 0.1 ? { 'if-match': oneOf(['"1"', 'W/"2"', '"x"', '"99999999999"']) } : {}),
    ...(random() < 0.1 ? { 'idempotency-key': oneOf(['k', 'x'.repeat(300)]) } : {}),
  };
  if (random() > 0.06) return { headers, raw: body };
  const packed = oneOf([gzipSync(body), bomb, Buffer.from('no gzip')]);
  return { headers: { ...headers, 'content-encoding': oneOf(['gzip', 'gzip', 'br']) }, raw: packed };
};

/** @returns undefined where a body beyond every limit was refused while it was still being sent: the connection ends, and some clients see that first; the reason where no answer came otherwise */
const called = async (method: string, address: string, options: Parameters<Platform['call']>[3]): Promise<Answer | string | undefined> => {
  try {
    return await platform.call(method, address, undefined, options);
  } catch (error) {
    const { code, message } = ((error as { cause?: unknown }).cause ?? {}) as { readonly code?: string; readonly message?: string };
    const isCutOff = code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
    if (isCutOff && (options?.raw?.length ?? 0) > 1_000_000) return undefined;
    return `no answer: ${error}: ${message}`;
  }
};

/** What is wrong with an answer, if anything. */
const offence = (answer: Answer | string): string | undefined => {
  if (typeof answer === 'string') return answer;
  const { status, headers, body } = answer;
  if (status >= 500 && status !== 503) return `${status}`;
  if (status < 400) return undefined;
  // The answers of OFREP's own specification.
  if (typeof body.errorCode === 'string' && body.errorDetails) return undefined;
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return `${status} is no problem+json`;
  if (body.status !== status || typeof body.code !== 'string' || !body.detail) return `${status} says too little: ${JSON.stringify(body)}`;
  return undefined;
};

describe(`${REQUESTS} random requests to every route (seed ${SEED})`, () => {
  it(
    'are answered or refused, each refusal as a problem, and no process dies of them',
    async () => {
      // A rebuild or a backup takes everybody's time, and a stream has no end to wait for.
      const all = (await routesOf(platform)).filter(({ path }) => !/\/(rebuild|backup)$/.test(path) && path !== '/v1/stream');
      expect(all.length).toBeGreaterThan(40);
      const processes = platform.processes();
      const described = await DescribedAnswers.of(platform);
      expect(described.size).toBeGreaterThan(80);
      const offences: string[] = [];
      const statuses = new Map<number, number>();
      let sent = 0;
      const sendOne = async (number: number): Promise<void> => {
        // No await until all is drawn: the senders share the stream.
        chance = new Random(SEED, 'fuzz', number);
        const { method, path, queries } = oneOf(all);
        const place = path.replace(/\{\w+\}/g, () => (random() < 0.6 ? 'button' : oneOf(oddParts)));
        const address = `${place}?${queryFor(queries)}`;
        const isIntake = path === '/v1/events' || path === '/v1/ingest/validate';
        const isEvaluation = path.startsWith('/ofrep/') || path.startsWith('/v1/evaluate');
        const { headers, raw } = headersFor(method === 'GET' ? '' : bodyFor(path));
        const own = isIntake ? { key: past.key } : isEvaluation ? { key: client } : {};
        const options = { headers, ...own, ...(method === 'GET' ? {} : { raw }) };
        const answer = await called(method, address, options);
        if (answer === undefined) return;
        const wrong = offence(answer) ?? (typeof answer === 'string' ? undefined : described.difference(method, path, answer));
        if (typeof answer !== 'string') {
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          if (path === '/v1/events' && answer.status === 202) accepted += answer.body.accepted;
        }
        if (wrong === undefined) return;
        offences.push(`request ${number}: ${method} ${address.slice(0, 200)} ${raw.length} bytes, ${String(raw).slice(0, 300)}: ${wrong}`);
        process.stderr.write(`${offences.at(-1)}\n`);
      };
      const sender = async (): Promise<void> => {
        for (let number = sent++; number < REQUESTS; number = sent++) {
          if (number > 0 && number % TOLD_EACH === 0) process.stderr.write(`${number} requests, ${offences.length} offences\n`);
          await sendOne(number);
        }
      };
      await Promise.all(Array.from({ length: SENDERS }, sender));
      expect(offences).toEqual([]);
      // Otherwise it tried nothing: most is refused, some is taken.
      for (const status of [400, 404, 413, 415]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
      expect((statuses.get(200) ?? 0) + (statuses.get(202) ?? 0)).toBeGreaterThan(REQUESTS / 20);
      expect(platform.processes()).toEqual(processes);
    },
    300_000 + PATIENCE_MS * REQUESTS,
  );

  it('leave as many events in the store as were accepted', async () => {
    const { project, environment } = past;
    await eventually('every accepted event is counted', async () => {
      const { body } = await platform.call('GET', `/v1/ingest/stats?project=${project}&environment=${environment}&since=${begunAt}`);
      if (body.accepted !== accepted) throw new Error(`${body.accepted} are counted, ${accepted} were accepted`);
      return true;
    });
    expect(accepted).toBeGreaterThan(0);
  }, 60_000);

  it('leave no key in a log', () => {
    const secrets = [platform.adminKey, past.key, client].map(secretOf);
    expect(secrets.filter((secret) => secret.length < 20)).toEqual([]);
    expect(filesWith(join(platform.data, 'logs'), secrets)).toEqual([]);
  });

  it('do not keep the log from moving on', async () => {
    const { key } = past;
    await eventually('an event is taken', async () =>
      (await platform.call('POST', '/v1/events', [exposure('last', 'control', 9), completed], { key })).status === 202 ? true : undefined,
    );
    expect((await finalResults(platform, past)).population.units).toBeGreaterThanOrEqual(1);
  }, 90_000);
});
