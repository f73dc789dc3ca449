import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { elementsOf, itemsOf } from './request-items.js';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const json = { 'content-type': 'application/json' };

describe('the items of a request', () => {
  it('are one for an object and many for an array', () => {
    expect(itemsOf(bytes({ id: 'a' }), json)).toMatchObject({ isBatch: false, values: [{ id: 'a' }] });
    expect(itemsOf(bytes([1, {}]), json)).toMatchObject({ isBatch: true, values: [1, {}] });
    expect(itemsOf(bytes([]), { 'content-type': 'application/cloudevents-batch+json' }).values).toEqual([]);
  });

  it('must fit the content type', () => {
    expect(() => itemsOf(bytes([]), { 'content-type': 'application/cloudevents+json; charset=utf-8' })).toThrow(/must be one event/);
    expect(() => itemsOf(bytes({}), { 'content-type': 'application/cloudevents-batch+json' })).toThrow(/must be an array/);
    expect(() => itemsOf(undefined, json)).toThrow(/empty/);
  });

  it('come from headers in binary mode, percent-decoded', () => {
    const headers = { ...json, 'ce-specversion': '1.0', 'ce-id': 'a%20b', 'ce-source': '100%', 'ce-type': 'metric.v1' };
    const items = itemsOf(bytes([1, 2]), headers);
    expect(items.values).toEqual([
      { specversion: '1.0', id: 'a b', source: '100%', type: 'metric.v1', datacontenttype: 'application/json', data: [1, 2] },
    ]);
    expect(JSON.parse(items.rawOf(0))).toEqual(items.values[0]);
  });

  it('are at most 10,000', () => {
    expect(() => itemsOf(bytes(Array(10_001).fill(0)), json)).toThrow('10001 events; at most 10000');
  });

  it('know which of them is larger than 64 KB, in bytes', () => {
    const items = itemsOf(bytes([{ a: 'x'.repeat(65_000) }, { a: 'é'.repeat(33_000) }, { a: 'x'.repeat(66_000) }]), json);
    expect([0, 1, 2].map((index) => items.isTooLarge(index))).toEqual([false, true, true]);
    expect(itemsOf(bytes({ a: 'x'.repeat(66_000) }), json).isTooLarge(0)).toBe(true);
  });

  it('keep the text of each element as it arrived', () => {
    expect(elementsOf(' [ {"a": "]\\\\\\"[,"} ,\n[1,[2]] , "x" ]')).toEqual(['{"a": "]\\\\\\"[,"}', '[1,[2]]', '"x"']);
  });

  it('are cut where JSON has them, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), (values, space) => {
        const elements = elementsOf(JSON.stringify(values, undefined, space));
        expect(elements.map((element) => JSON.parse(element))).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });
});
