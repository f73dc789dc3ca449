import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { FeedbackRow } from '@rampart/contracts';
import {
  eventually,
  isReady,
  key,
  keyOf,
  pseudonym,
  type StartedAssignment,
  startAssignment,
} from '../running/started-assignment.examples.js';
import { ofrepErrors, publishedKill, shop, shopFlags } from './shop.examples.js';

jest.setTimeout(60_000);

let assignment: StartedAssignment;
const errorsOf = ofrepErrors();

beforeAll(async () => {
  assignment = await startAssignment(shop());
  await isReady(assignment);
});
afterAll(() => assignment.stop());

const rowsOf = async (experiment: string, count: number): Promise<readonly FeedbackRow[]> => {
  const rows = async () => (await assignment.rows()).filter(({ name }) => name === experiment);
  await eventually(`${count} rows of ${experiment}`, async () => ((await rows()).length >= count ? true : undefined));
  return rows();
};
/** What nobody waits for: long enough to have been forwarded if it had been spooled. */
const settled = () =>
  eventually('nothing is spooled', async () => {
    const { body } = await assignment.call('GET', '/v1/evaluate/freshness', { key: key('reads') });
    return body.spool.rows === 0 ? true : undefined;
  });

/** The first of some units whose answer fits. */
const unitWith = async (flag: string, fits: (body: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
  for (let n = 0; n < 200; n += 1) {
    const { body } = await assignment.flag(flag, { targetingKey: `search${n}` }, key('client'), { 'x-rampart-exposure': 'none' });
    if (fits(body)) return body;
  }
  throw new Error(`no unit of ${flag} fits`);
};

describe('one flag', () => {
  it.each(shopFlags)('%s is answered as the protocol says, or refused as it says', async (flag) => {
    for (const targetingKey of ['u1', 'u2', 'tester']) {
      const { body, headers, status } = await assignment.flag(flag, { targetingKey, country: 'DE', account: 'a1' });
      expect(errorsOf(status === 200 ? 'serverEvaluationSuccess' : 'evaluationFailure', body)).toEqual([]);
      expect(status).toBe(flag === 'list' ? 400 : 200);
      expect(headers.get('content-type')).toMatch('application/json');
    }
  });

  it('says why on the wire, and more precisely beside it', async () => {
    const why = async (flag: string, context: object) => {
      const { body } = await assignment.flag(flag, { targetingKey: 'u1', ...context });
      return [body.reason, body.metadata.reason, body.value];
    };
    expect(await why('banner', {})).toEqual(['STATIC', undefined, true]);
    expect(await why('shipped', {})).toEqual(['STATIC', undefined, 'new']);
    expect(await why('dead', {})).toEqual(['DISABLED', undefined, 'old']);
    expect(await why('checkout', { targetingKey: 'tester' })).toEqual(['TARGETING_MATCH', 'OVERRIDE', 'new']);
    expect(await why('germans', { country: 'FR' })).toEqual(['UNKNOWN', 'DEFAULT', undefined]);
    expect(await why('germans', { country: 'DE' })).toEqual(['SPLIT', undefined, expect.stringMatching(/old|new/)]);
    expect(await unitWith('held', ({ metadata }) => (metadata as { reason?: string }).reason === 'HOLDOUT')).toMatchObject({
      reason: 'SPLIT',
      value: 'old',
      metadata: { holdout: 'baseline', variant: 'control', bucket: expect.any(Number) },
    });
  });

  it('names experiment, variant, segment, bucket and the version of the rules, in flat metadata', async () => {
    const { body, headers } = await assignment.flag('checkout', { targetingKey: 'u1' });
    expect(body).toMatchObject({
      variant: body.metadata.variant,
      metadata: {
        experiment: 'faster-checkout',
        segment: 1,
        bucket: expect.any(Number),
        version: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    });
    expect(headers.get('x-rampart-ruleset')).toBe(body.metadata.version);
    expect(Number(headers.get('x-rampart-ruleset-age'))).toBeGreaterThanOrEqual(0);
  });

  it('has no value for a unit outside of the coverage: the caller uses the default of its code', async () => {
    const outside = await unitWith('half', ({ reason }) => reason === 'UNKNOWN');
    expect(outside).not.toHaveProperty('value');
    expect(outside).not.toHaveProperty('variant');
  });

  it('that nobody defined is not found', async () => {
    const { body, status } = await assignment.flag('nothing', { targetingKey: 'u1' });
    expect([status, body.errorCode, body.key]).toEqual([404, 'FLAG_NOT_FOUND', 'nothing']);
    expect(errorsOf('flagNotFound', body)).toEqual([]);
  });

  it.each([
    ['', 'PARSE_ERROR'],
    ['{"context":{"targetingKey":NaN}}', 'PARSE_ERROR'],
    ['null', 'PARSE_ERROR'],
    ['{"context":7}', 'INVALID_CONTEXT'],
    ['{"context":{}}', 'TARGETING_KEY_MISSING'],
    ['{"context":{"targetingKey":{}}}', 'INVALID_CONTEXT'],
  ])('asked for with %s is refused with the protocol’s code and a place', async (body, code) => {
    const answer = await assignment.call('POST', '/ofrep/v1/evaluate/flags/checkout', { key: key('client'), body });
    expect([answer.status, answer.body.errorCode]).toEqual([400, code]);
    expect(errorsOf('evaluationFailure', answer.body)).toEqual([]);
    const all = await assignment.call('POST', '/ofrep/v1/evaluate/flags', { key: key('client'), body });
    expect([all.status, all.body.errorCode]).toEqual([400, code]);
    expect(errorsOf('bulkEvaluationFailure', all.body)).toEqual([]);
  });

  it('asked for with more than 64 KB is refused', async () => {
    const { body, status } = await assignment.flag('checkout', { targetingKey: 'u1', much: 'x'.repeat(70_000) });
    expect([status, body.code]).toEqual([413, 'too-large']);
  });
});

describe('all flags', () => {
  it('are answered in one body that the protocol’s schema takes, each as when asked alone', async () => {
    const context = { targetingKey: 'u7', country: 'DE', account: 'a3' };
    const { body, status } = await assignment.flags(context);
    expect(status).toBe(200);
    expect(errorsOf('bulkEvaluationSuccess', body)).toEqual([]);
    expect(body.flags.map((one: { key: string }) => one.key).toSorted()).toEqual(shopFlags);
    for (const one of body.flags) expect((await assignment.flag(one.key, context)).body).toEqual(one);
  });

  it('are not sent again to whoever has them: the tag changes with the context and with the rules', async () => {
    const first = await assignment.flags({ targetingKey: 'etag' });
    const etag = first.headers.get('etag') ?? '';
    for (const tag of [etag, etag.replaceAll('"', ''), `W/${etag}`, `"other", ${etag}`]) {
      const again = await assignment.flags({ targetingKey: 'etag' }, key('client'), { 'if-none-match': tag });
      expect([again.status, again.text]).toEqual([304, '']);
    }
    expect((await assignment.flags({ targetingKey: 'other' }, key('client'), { 'if-none-match': etag })).status).toBe(200);
    await assignment.publish(publishedKill('theme', true));
    await eventually('another tag', async () => {
      const { headers, status } = await assignment.flags({ targetingKey: 'etag' }, key('client'), { 'if-none-match': etag });
      return status === 200 && headers.get('etag') !== etag ? true : undefined;
    });
  });
});

describe('what is counted', () => {
  it('is one exposure per unit and flag that was asked for, however often', async () => {
    for (let n = 0; n < 3; n += 1) await assignment.flag('seats', { targetingKey: 'counted', account: 'a-counted' });
    const rows = (await rowsOf('by-account', 1)).filter(({ kind }) => kind === 'exposure');
    expect(rows).toContainEqual(
      expect.objectContaining({ unitType: 'account', segment: 1, reason: 'SPLIT', source: 'rampart/assignment' }),
    );
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  it('is one assignment per flag that an experiment decided, when all were asked for', async () => {
    await assignment.flags({ targetingKey: 'bulk-unit' });
    await settled();
    const mine = (await assignment.rows()).filter(({ unit }) => unit === pseudonym('bulk-unit'));
    expect(mine.every(({ kind }) => kind === 'assignment')).toBe(true);
    expect(mine.map(({ name }) => name)).toEqual(expect.arrayContaining(['faster-checkout', 'was-shipped']));
    expect(mine.map(({ name }) => name)).not.toContain('by-account');
  });

  it('has its reason: of an override, a holdout and a release, too', async () => {
    await assignment.flag('checkout', { targetingKey: 'tester' });
    for (let n = 0; n < 10; n += 1) await assignment.flag('held', { targetingKey: `holdout${n}` });
    await assignment.flag('shipped', { targetingKey: 'late' });
    await settled();
    const reasons = async (experiment: string) => new Set((await rowsOf(experiment, 1)).map(({ reason }) => reason));
    expect(await reasons('faster-checkout')).toContain('OVERRIDE');
    expect(await reasons('with-holdout')).toEqual(new Set(['HOLDOUT', 'SPLIT']));
    expect(await reasons('was-shipped')).toEqual(new Set(['STATIC']));
  });

  it('is nothing for who takes no part, when the feature is off, or when it was asked not to be', async () => {
    await assignment.flag('dead', { targetingKey: 'nobody' });
    await assignment.flag('germans', { targetingKey: 'nobody', country: 'FR' });
    await assignment.flag('layered', { targetingKey: 'uncounted' }, key('client'), { 'x-rampart-exposure': 'none' });
    await assignment.call('POST', '/ofrep/v1/evaluate/flags/layered?x-rampart-exposure=none', {
      key: key('client'),
      body: { context: { targetingKey: 'uncounted' } },
    });
    await settled();
    const units = ['nobody', 'uncounted'].map((id) => pseudonym(id));
    expect((await assignment.rows()).filter(({ unit }) => units.includes(unit))).toEqual([]);
  });
});

describe('a key with a quota', () => {
  it('is told when to come back once it is used up, by every door that evaluates, and nothing is counted', async () => {
    const first = await assignment.flags({ targetingKey: 'quota-all' }, key('limited'));
    expect([first.status, first.body.flags.length]).toEqual([200, shopFlags.length]);
    await settled();
    // What all flags told of is owed: more than the three that it may take at once.
    expect((await assignment.rows()).filter(({ unit }) => unit === pseudonym('quota-all')).length).toBeGreaterThan(3);
    const refused = [
      await assignment.flag('checkout', { targetingKey: 'quota-one' }, key('limited')),
      await assignment.flags({ targetingKey: 'quota-one' }, key('limited'), { 'if-none-match': first.headers.get('etag') ?? '' }),
      await assignment.flag('checkout', { targetingKey: 'quota-one' }, key('limited'), { 'x-rampart-exposure': 'none' }),
      await assignment.call('POST', '/v1/evaluate/explain', {
        key: key('limited'),
        body: { feature: 'checkout', context: { targetingKey: 'quota-one' } },
      }),
    ];
    for (const { body, headers, status } of refused) {
      expect([status, body.code, body.details]).toEqual([429, 'quota-exceeded', { eventsPerSecond: 0.01, burst: 3 }]);
      // OFREP: a date, or a number of seconds.
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    await settled();
    expect((await assignment.rows()).filter(({ unit }) => unit === pseudonym('quota-one'))).toEqual([]);
    expect((await assignment.flag('checkout', { targetingKey: 'quota-one' })).status).toBe(200);
  });

  it('that is lifted counts at once', async () => {
    await assignment.publish(keyOf('limited', 'client', { environment: 'production' }));
    await eventually('the quota is gone', async () =>
      (await assignment.flag('checkout', { targetingKey: 'u1' }, key('limited'))).status === 200 ? true : undefined,
    );
    for (let n = 0; n < 10; n += 1) expect((await assignment.flag('checkout', { targetingKey: 'u1' }, key('limited'))).status).toBe(200);
  });
});

describe('a change', () => {
  it('is in force within a second, and everybody gets the default variant of a killed feature', async () => {
    const isDead = async () => (await assignment.flag('half', { targetingKey: 'u1' })).body.reason === 'DISABLED';
    for (const isKilled of [true, false]) {
      await assignment.publish(publishedKill('half', isKilled));
      await eventually('the kill switch counts', async () => ((await isDead()) === isKilled ? true : undefined), 1_000);
    }
  });
});
