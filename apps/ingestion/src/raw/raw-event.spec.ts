import { describe, expect, it } from '@jest/globals';
import { purchase } from '../intake/event.examples.js';
import { rawEventsOf } from './raw-event.js';

const KEY = 'rk_emits_0123456789abcdef';
const message = (value: unknown, headers: Record<string, string> = {}) => ({
  value: value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  headers,
});
const only = (value: unknown, headers?: Record<string, string>) => {
  const [event, ...others] = rawEventsOf(message(value, headers));
  if (event === undefined || others.length > 0) throw new Error(`${others.length} events more than one`);
  return event;
};
const asStructured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const { data, ...attributes } = purchase();
const asBinary = (more: Record<string, string> = {}) => ({
  'content-type': 'application/json',
  ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value])),
  ...more,
});

describe('a structured event', () => {
  it('has its key among its attributes, and its text is without it as it arrived', () => {
    const text = `{ "writekey" : "${KEY}", "id":"e1","data":{"value":1.0, "writekey":"of the data, kept"} }`;
    const event = only(text, asStructured);
    expect(event).toMatchObject({ writeKey: KEY, path: '', value: { id: 'e1' } });
    expect(event.text()).toBe('{"id":"e1","data":{"value":1.0, "writekey":"of the data, kept"}}');
  });

  it('loses its key however its name is written, and twice if it is there twice', () => {
    const event = only(`{"write\\u006bey":"${KEY}","writekey":"${KEY}","id":"e1"}`, asStructured);
    expect(event.writeKey).toBe(KEY);
    expect(event.text()).toBe('{"id":"e1"}');
  });

  it('may have its key in a header, which wins', () => {
    expect(only(purchase({ writekey: 'other' }), { ...asStructured, ce_writekey: KEY }).writeKey).toBe(KEY);
    expect(only(purchase(), { ce_writekey: KEY })).toMatchObject({ writeKey: KEY, value: purchase() });
  });

  it('is recognised without a content type', () => {
    expect(only(purchase())).toMatchObject({ value: purchase() });
  });

  it('that is cut off is refused with its place, and nothing of its key is kept', () => {
    const event = only(`{"id":"e1", "writekey": "${KEY.slice(0, 15)}`, asStructured);
    expect(event.refusal).toMatchObject({ code: 'not-json', message: expect.stringMatching(/^the value is not JSON.*position/) });
    expect(event.text()).toBe('{"id":"e1", "writekey": "…');
  });

  it('that is an array is refused where one event was announced, and taken where nothing was', () => {
    expect(only([purchase()], asStructured).value).toEqual([purchase()]);
    expect(rawEventsOf(message([purchase(), purchase()])).map(({ path }) => path)).toEqual(['/0', '/1']);
  });

  it('of another format is refused as such', () => {
    expect(only('…', { 'content-type': 'application/cloudevents+avro' }).refusal?.code).toBe('unsupported-media-type');
  });

  it('with nothing in it is refused', () => {
    expect(only(null, asStructured).refusal?.code).toBe('not-json');
    expect(only('', asStructured).refusal?.code).toBe('not-json');
  });
});

describe('a binary event', () => {
  it('has its attributes in headers, whatever their case, and its data as value', () => {
    const event = only(data, asBinary({ ce_writekey: KEY, CE_Subject: 'u1' }));
    expect(event).toMatchObject({ writeKey: KEY, value: { ...purchase(), subject: 'u1' } });
    expect(JSON.parse(event.text() ?? '')).toEqual({ ...purchase(), subject: 'u1', datacontenttype: 'application/json' });
  });

  it('keeps its data as they were written', () => {
    expect(only('{"value":1e400}', asBinary()).text()).toMatch(/"data":\{"value":1e400\}\}$/);
  });

  it('lacks what its headers lack', () => {
    expect(only(data, { ce_id: 'e1' }).value).toEqual({ id: 'e1', data });
    expect(only(null, asBinary()).value).not.toHaveProperty('data');
  });

  it('with data that are no JSON is refused at its data', () => {
    expect(only('{', asBinary()).refusal).toMatchObject({ code: 'not-json', path: '/data' });
    expect(only('<a/>', asBinary({ 'content-type': 'text/xml' })).refusal?.code).toBe('unsupported-media-type');
  });
});

describe('an array of events', () => {
  const asBatch = { 'content-type': 'application/cloudevents-batch+json' };

  it('has a key for each, or one in the header for all', () => {
    const keys = (headers: Record<string, string>) =>
      rawEventsOf(message([purchase({ writekey: 'a' }), purchase()], { ...asBatch, ...headers })).map(({ writeKey }) => writeKey);
    expect(keys({})).toEqual(['a', undefined]);
    expect(keys({ ce_writekey: KEY })).toEqual([KEY, KEY]);
  });

  it('refuses alone what is too large, and keeps no copy of it', () => {
    const events = rawEventsOf(message([purchase(), purchase({ padding: 'x'.repeat(70_000) }), null], asBatch));
    expect(events.map(({ refusal }) => refusal?.code)).toEqual([undefined, 'too-large', undefined]);
    expect(events.map((event) => event.text()?.slice(0, 4))).toEqual(['{"sp', undefined, 'null']);
  });

  it('is refused as a whole when it is no array, too long or too large', () => {
    expect(only(purchase(), asBatch).refusal?.code).toBe('not-json');
    expect(only(Array(10_001).fill(0), asBatch).refusal?.code).toBe('too-many-events');
    const huge = only(`["${'x'.repeat(2 ** 20)}"]`, asBatch);
    expect([huge.refusal?.code, huge.text()]).toEqual(['too-large', null]);
  });
});
