import { describe, expect, it } from '@jest/globals';
import type { KeyRecord } from './api-keys.js';
import { endOf, refusalOf } from './key-standing.js';

const hash = 'a'.repeat(64);
const old = 'b'.repeat(64);
const key: KeyRecord = { id: 'k', hash, role: 'emit', project: 'shop', environment: 'production', revoked: false };
const codeOf = (record: KeyRecord | undefined, presented: string, nowUs: number) => refusalOf(record, presented, nowUs)?.code;

describe('a key', () => {
  it('works by its hash, and nothing else does', () => {
    expect(codeOf(key, hash, 0)).toBeUndefined();
    for (const other of [old, '', hash.slice(1)]) expect(codeOf(key, other, 0)).toBe('key-unknown');
    expect(codeOf(undefined, hash, 0)).toBe('key-unknown');
  });

  it('that expires works until that moment, and not in it', () => {
    const expiring = { ...key, expiresAtUs: 10 };
    expect([codeOf(expiring, hash, 9), codeOf(expiring, hash, 10)]).toEqual([undefined, 'key-expired']);
  });

  it('that was rotated works with both secrets for a while, then with the new one', () => {
    const rotated = { ...key, previous: { hash: old, untilUs: 10 } };
    expect([codeOf(rotated, old, 9), codeOf(rotated, old, 10)]).toEqual([undefined, 'key-rotated']);
    expect(codeOf(rotated, hash, 10)).toBeUndefined();
  });

  it('that was revoked or expired does not work with the secret before either', () => {
    const previous = { hash: old, untilUs: 100 };
    expect(codeOf({ ...key, previous, revoked: true }, old, 9)).toBe('key-revoked');
    expect(codeOf({ ...key, previous, expiresAtUs: 5 }, old, 9)).toBe('key-expired');
  });

  it('says when it will stop by itself: the secret before earlier than the new one', () => {
    const rotated = { ...key, previous: { hash: old, untilUs: 10 }, expiresAtUs: 100 };
    expect([endOf(key, hash), endOf(rotated, hash), endOf(rotated, old)]).toEqual([null, 100, 10]);
  });
});
