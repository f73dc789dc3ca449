import { describe, expect, it } from '@jest/globals';
import { SignInCodes } from './sign-in-codes.js';

describe('sign-in codes', () => {
  it('work once, and the next one is told at once', () => {
    const told: string[] = [];
    const codes = new SignInCodes((code) => told.push(code));
    const first = codes.current();
    expect(codes.redeem(first, 0)).toEqual({ kind: 'accepted' });
    expect(told).toEqual([codes.current()]);
    expect(codes.redeem(first, 0)).toEqual({ kind: 'wrong' });
    expect(codes.redeem(codes.current(), 0)).toEqual({ kind: 'accepted' });
  });

  it('have 128 bits', () => {
    expect(Buffer.from(new SignInCodes().current(), 'base64url').length).toBe(16);
  });

  it('are not taken after five wrong ones within a minute, and are again when it is over', () => {
    const codes = new SignInCodes();
    for (let second = 0; second < 5; second++) expect(codes.redeem('guess', second * 1_000)).toEqual({ kind: 'wrong' });
    expect(codes.redeem(codes.current(), 10_000)).toEqual({ kind: 'too-many', retryAfterSeconds: 50 });
    expect(codes.redeem(codes.current(), 60_001)).toEqual({ kind: 'accepted' });
  });
});
