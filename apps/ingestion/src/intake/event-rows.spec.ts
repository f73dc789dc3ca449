import { describe, expect, it } from '@jest/globals';
import { parseInstant } from '@rampart/contracts';
import fc from 'fast-check';
import { completed, exposure, historicalScope, instant, justNow, nowUs, outcome, purchase, refusal, rows } from './event.examples.js';
import { instantOf } from './event-time.js';

const atOf = (event: unknown, arrival = justNow) => rows(event, undefined, arrival)[0]?.at;

describe('a believed event', () => {
  it('becomes a row with exact value, time in microseconds and a pseudonym instead of the unit’s id', () => {
    const [row, ...others] = rows(purchase({}, { properties: { country: 'NZ', items: 2, isNew: true } }));
    expect(others).toEqual([]);
    expect(row).toEqual({
      kind: 'metric',
      project: 'shop',
      environment: 'production',
      name: 'purchase',
      unitType: 'user',
      unit: expect.stringMatching(/^[0-9a-f]{32}$/),
      source: 'checkout',
      id: 'e1',
      at: instant('2026-06-01T11:59:59.123456Z'),
      value: '12500000',
      properties: { country: 'NZ', items: 2, isNew: true },
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
      key: 'k1',
    });
    expect(JSON.stringify(row)).not.toContain('u1');
  });

  it('has the pseudonym wherever else it writes the id of a unit that it names, the same each time', () => {
    const [ann, device] = [
      { type: 'user', id: 'ann@example.org' },
      { type: 'device', id: 'device-0042' },
    ];
    const properties = { mail: 'ann@example.org', link: '/u/ann@example.org/device-0042', 'of device-0042': 1, country: 'NZ' };
    const event = purchase({ id: 'order-ann@example.org-1', source: 'app/device-0042' }, { unit: ann, also: [device], properties });
    const found = rows(event);
    const [first, second] = found.map(({ unit }) => unit);
    expect(JSON.stringify(found)).not.toMatch(/ann@|0042/);
    expect(found[1]).toMatchObject({
      ...{ id: `order-${first}-1`, source: `app/${second}` },
      properties: { mail: first, link: `/u/${first}/${second}`, [`of ${second}`]: 1, country: 'NZ' },
    });
    expect(rows(event)).toEqual(found);
    // A short id is a part of nearly everything.
    expect(rows(purchase({ id: 'u1-1' }, { properties: { page: 'u1' } }))[0]).toMatchObject({ id: 'u1-1', properties: { page: 'u1' } });
  });

  it('has one row for each unit it names, and one for a unit named twice', () => {
    const also = [
      { type: 'device', id: 'd1' },
      { type: 'user', id: 'u1' },
      { type: 'account', id: 'u1' },
    ];
    const found = rows(purchase({}, { also }));
    expect(found.map(({ unitType }) => unitType)).toEqual(['user', 'device', 'account']);
    expect(new Set(found.map(({ unit }) => unit)).size).toBe(3);
    expect(new Set(found.map(({ digest }) => digest)).size).toBe(1);
  });

  it('names an exposure by its experiment, with reason unknown unless it says one', () => {
    expect(rows(exposure())[0]).toMatchObject({ kind: 'exposure', name: 'button', variant: 'control', reason: 'unknown' });
    expect(rows(exposure({ reason: 'SPLIT', segment: 3 }))[0]).toMatchObject({ reason: 'SPLIT', segment: 3 });
    expect(rows({ ...exposure(), type: 'assignment.v1' })[0]).toMatchObject({ kind: 'assignment' });
  });

  it('rounds values half to even at the seventh decimal', () => {
    const values = [1e-7, 0.0000005, 0.0000015, -12.3456785, 9.2e12].map((value) => rows(purchase({}, { value }))[0]?.value);
    expect(values).toEqual(['0', '0', '2', '-12345678', '9200000000000000000']);
  });

  it('has no value when the event has none', () => {
    expect(rows(purchase({}, { value: undefined }))[0]).not.toHaveProperty('value');
  });
});

describe('the time of an event', () => {
  it('is corrected by the time it was sent', () => {
    // The sender's clock is an hour fast; a minute passed between event and sending.
    const event = purchase({ time: '2026-06-01T12:59:00Z', sentat: '2026-06-01T13:00:00Z' });
    expect(atOf(event)).toBe(instant('2026-06-01T11:59:00Z'));
  });

  it('is the claimed one without a sending time, and the arrival without any', () => {
    expect(atOf(purchase({ time: '2026-06-01T13:00:00+02:00' }))).toBe(instant('2026-06-01T11:00:00Z'));
    expect(atOf(purchase({ time: undefined, sentat: '2020-01-01T00:00:00Z' }))).toBe(nowUs);
    expect(atOf(purchase({ time: '2026-06-01T11:00:00.12345678901Z' }))).toBe(instant('2026-06-01T11:00:00.123456Z'));
  });

  it('of a replay is corrected by its first arrival', () => {
    const event = purchase({ time: '2026-06-01T12:59:00Z', sentat: '2026-06-01T13:00:00Z' });
    expect(atOf(event, { receivedAtUs: nowUs, nowUs: nowUs + 9e9 })).toBe(instant('2026-06-01T11:59:00Z'));
  });

  it('is none when centuries lie between event and sending', () => {
    expect(refusal(purchase({ time: '1700-01-01T00:00:00Z', sentat: '2250-01-01T00:00:00Z' }))).toEqual(['not-an-instant', '/sentat']);
  });

  it('may lie 24 hours ahead and no further', () => {
    expect(atOf(purchase({ time: '2026-06-02T12:00:00Z' }))).toBe(instant('2026-06-02T12:00:00Z'));
    expect(refusal(purchase({ time: '2026-06-02T12:00:00.000001Z' }))).toEqual(['in-the-future', '/time']);
  });

  it.each([
    'yesterday',
    '2026-02-30T00:00:00Z',
    '2026-06-01T12:00:00',
    '2026-06-01T12:00Z',
    '2026-06-01t12:00:00Z',
    '2026-06-01 12:00:00Z',
    '1500-01-01T00:00:00Z',
    '',
  ])('is not %j', (time) => {
    expect(refusal(purchase({ time }))).toEqual(['not-an-instant', '/time']);
    expect(refusal(purchase({ sentat: time }))).toEqual(['not-an-instant', '/sentat']);
  });
});

describe('a historical environment', () => {
  it('takes the event’s own time as its known time, and a sending time as nothing', () => {
    const [row] = rows(purchase({ time: '2024-01-01T00:00:00Z', sentat: '2026-01-01T00:00:00Z' }), historicalScope);
    expect(row).toMatchObject({ at: instant('2024-01-01T00:00:00Z'), knownAt: instant('2024-01-01T00:00:00Z') });
  });

  it('takes knownat where it is given', () => {
    const [row] = rows(purchase({ time: '2024-01-01T00:00:00Z', knownat: '2024-01-02T00:00:00Z' }), historicalScope);
    expect(row).toMatchObject({ at: instant('2024-01-01T00:00:00Z'), knownAt: instant('2024-01-02T00:00:00Z') });
  });

  it('can be complete, a live one can not', () => {
    const [row] = rows(completed({ until: '2024-03-01T00:00:00Z' }), historicalScope);
    expect(row).toMatchObject({ kind: 'import', unit: '', name: '', at: instant('2024-03-01T00:00:00Z') });
    expect(refusal(completed())).toEqual(['import-not-allowed', '/type']);
    expect(refusal(completed({ until: 'soon' }), historicalScope)).toEqual(['not-an-instant', '/data/until']);
  });

  it('alone takes knownat', () => {
    expect(refusal(purchase({ knownat: '2024-01-02T00:00:00Z' }))).toEqual(['known-at-not-allowed', '/knownat']);
  });
});

describe('an event that is not believed', () => {
  const long = 'x'.repeat(1001);
  it.each<[string, unknown, string, string]>([
    ['is no object', 7, 'not-an-object', ''],
    ['is an array', [], 'not-an-object', ''],
    ['has no type', purchase({ type: undefined }), 'missing', '/type'],
    ['has an unknown type', purchase({ type: 'metric.v2' }), 'unknown-type', '/type'],
    ['is of an older CloudEvents', purchase({ specversion: '0.3' }), 'unsupported-specversion', '/specversion'],
    ['has an empty id', purchase({ id: '' }), 'missing', '/id'],
    ['has a long id', purchase({ id: long }), 'too-long', '/id'],
    ['has a number as source', purchase({ source: 1 }), 'wrong-type', '/source'],
    ['has no data', purchase({ data: undefined }), 'missing', '/data'],
    ['has a field too many', purchase({}, { 'val/ue': 1 }), 'unknown-field', '/data/val~1ue'],
    ['has no unit', purchase({}, { unit: undefined }), 'missing', '/data/unit'],
    ['has a numeric unit id', purchase({}, { unit: { type: 'user', id: 1 } }), 'wrong-type', '/data/unit/id'],
    ['names a unit wrongly', purchase({}, { also: [{ type: 'user', id: 'u2' }, { type: 'user' }] }), 'missing', '/data/also/1/id'],
    ['names too many units', purchase({}, { also: Array(9).fill({ type: 'a', id: 'b' }) }), 'too-many', '/data/also'],
    ['has text as value', purchase({}, { value: '12' }), 'value-not-a-number', '/data/value'],
    ['has null as value', purchase({}, { value: null }), 'value-not-a-number', '/data/value'],
    ['has NaN as value', purchase({}, { value: Number.NaN }), 'value-not-a-number', '/data/value'],
    ['has a huge value', purchase({}, { value: 1e13 }), 'value-out-of-range', '/data/value'],
    ['has an infinite value', purchase({}, { value: JSON.parse('-1e999') }), 'value-out-of-range', '/data/value'],
    ['has a nested property', purchase({}, { properties: { a: {} } }), 'wrong-type', '/data/properties/a'],
    ['has a long property', purchase({}, { properties: { a: long } }), 'too-long', '/data/properties/a'],
    [
      'has 101 properties',
      purchase({}, { properties: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [i, i])) }),
      'too-many',
      '/data/properties',
    ],
    ['has a broken segment', exposure({ segment: 1.5 }), 'wrong-type', '/data/segment'],
    ['has a segment beyond 65535', exposure({ segment: 65_536 }), 'value-out-of-range', '/data/segment'],
    ['has a reason of its own', exposure({ reason: 'BECAUSE' }), 'wrong-type', '/data/reason'],
    ['has half of a surrogate pair in its id', { ...purchase(), id: 'cut \ud83d' }, 'not-text', '/id'],
    ['has U+0000 in its unit', purchase({}, { unit: { type: 'user', id: 'a\0b' } }), 'not-text', '/data/unit/id'],
    ['has half of a pair in a property', purchase({}, { properties: { city: '\udfff' } }), 'not-text', '/data/properties/city'],
    ['names a foreign project', { ...purchase(), project: 'other' }, 'wrong-scope', '/project'],
    ['names a foreign environment', { ...purchase(), environment: 'staging' }, 'wrong-scope', '/environment'],
  ])('%s', (_, event, code, path) => {
    expect(refusal(event)).toEqual([code, path]);
  });

  it('is told both numbers', () => {
    expect(outcome(purchase({ id: long }))).toMatchObject({ message: 'id has 1001 characters; at most 200' });
  });

  it('may name its own project', () => {
    expect(rows({ ...purchase(), project: 'shop', environment: 'production' })).toHaveLength(1);
  });
});

describe('an instant in milliseconds, which is read by digits', () => {
  it('is what the contract’s reader makes of it', () => {
    const days = ['2024-02-29', '2023-02-29', '2026-13-01', '1970-01-01', '1500-01-01', '20a6-01-01'];
    const times = [
      '00:00:00.000',
      '23:59:59.999',
      '24:00:00.000',
      '12:60:00.000',
      '12:00:60.000',
      '1a:00:00.000',
      '12:00:00.0 0',
      '12:00:00.00x',
    ];
    for (const day of days)
      for (const time of times) {
        const text = `${day}T${time}Z`;
        const at = parseInstant(text);
        expect([text, instantOf(text)]).toEqual([text, at !== undefined && Number.isSafeInteger(at) ? at : undefined]);
      }
  });

  it('is any millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1700, 0), max: Date.UTC(2250, 0) }), (millis) => {
        expect(instantOf(new Date(millis).toISOString())).toBe(millis * 1_000);
      }),
    );
  });
});

describe('the digest', () => {
  const digest = (event: unknown) => rows(event)[0]?.digest;
  const base = digest(purchase({}, { properties: { a: 1, b: '2' } }));

  it('is the same for a retry: sent later, properties in another order', () => {
    expect(digest(purchase({ sentat: '2026-06-01T12:00:00Z' }, { properties: { b: '2', a: 1 } }))).toBe(base);
  });

  it.each([
    ['value', purchase({}, { value: 12.6, properties: { a: 1, b: '2' } })],
    ['no value', purchase({}, { value: undefined, properties: { a: 1, b: '2' } })],
    ['time', purchase({ time: '2026-06-01T11:59:59.123457Z' }, { properties: { a: 1, b: '2' } })],
    ['unit', purchase({}, { unit: { type: 'user', id: 'u2' }, properties: { a: 1, b: '2' } })],
    ['property of another type', purchase({}, { properties: { a: '1', b: '2' } })],
  ])('tells another %s apart', (_, event) => {
    expect(digest(event)).not.toBe(base);
  });
});
