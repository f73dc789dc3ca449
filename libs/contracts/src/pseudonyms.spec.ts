import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partitionOf, projectSecret, pseudonymOf, pseudonymsWith, textSeal, unitSeal } from './pseudonyms.js';

describe('a pseudonym', () => {
  const secret = projectSecret('platform secret', 'shop');

  it('is fixed for ever: a change would part new events from old units', () => {
    expect(pseudonymOf(secret, 'user', '42')).toBe('7a20e151db4e88518b4029442f5426e2'); // openssl: the first 128 bits of HMAC-SHA256;
  });

  it('differs by project, unit type and id, and cannot be glued together', () => {
    const others = [
      pseudonymOf(projectSecret('platform secret', 'blog'), 'user', '42'),
      pseudonymOf(projectSecret('other secret', 'shop'), 'user', '42'),
      pseudonymOf(secret, 'device', '42'),
      pseudonymOf(secret, 'user4', '2'),
    ];
    expect(new Set([...others, pseudonymOf(secret, 'user', '42')]).size).toBe(5);
  });

  it('spreads units evenly over partitions', () => {
    const counts = [0, 0, 0, 0];
    for (let id = 0; id < 8_000; id++) {
      const partition = partitionOf(pseudonymOf(secret, 'user', String(id)), 4);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    const chi2 = counts.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0);
    expect(chi2).toBeLessThan(16.27); // df 3, p = .001
  });

  it('is the same from the fast way, for any text and of any length', () => {
    const fast = pseudonymsWith(secret);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 900 }), fc.string({ unit: 'grapheme', maxLength: 20 }), (unitId, unitType) => {
        expect(fast(unitType, unitId)).toBe(pseudonymOf(secret, unitType, unitId));
      }),
    );
    for (const length of [0, 1, 681, 682, 683, 5_000])
      expect(fast('', '€'.repeat(length))).toBe(pseudonymOf(secret, '', '€'.repeat(length)));
  });
});

describe('a sealed text', () => {
  it('is read again with the same secret for the same purpose, and by nobody else', () => {
    const seal = unitSeal('platform secret');
    const sealed = seal.sealed('ann@example.org, ünï');
    expect(Buffer.from(sealed, 'base64').includes('ann')).toBe(false);
    expect(seal.sealed('ann@example.org, ünï')).not.toBe(sealed);
    expect(unitSeal('platform secret').opened(sealed)).toBe('ann@example.org, ünï');
    expect(() => unitSeal('another secret').opened(sealed)).toThrow();
    expect(() => textSeal('platform secret', 'another purpose').opened(sealed)).toThrow();
    expect(() => seal.opened(`A${sealed.slice(1)}A`)).toThrow();
  });
});
