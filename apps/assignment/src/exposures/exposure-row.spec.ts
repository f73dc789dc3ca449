import { describe, expect, it } from '@jest/globals';
import { Pseudonyms } from '@rampart/feedback-rows';
import type { CountedExposure } from '../evaluation/served-ruleset.js';
import { exposureRow, identityOf } from './exposure-row.js';
import { SentLately } from './sent-lately.js';

const told: CountedExposure = { experiment: 'e', segment: 2, variant: 'control', reason: 'SPLIT', unitType: 'user', unitAttribute: 'id' };
const scope = { project: 'shop', environment: 'production', keyId: 'k1' };
const pseudonyms = new Pseudonyms('the secret of this spec');
const rowAt = (atUs: number, more: Partial<CountedExposure> = {}, kind: 'exposure' | 'assignment' = 'exposure', unitId = 'u1') => {
  const one = { ...told, ...more };
  const identity = identityOf(one, kind, pseudonyms.of('shop', one.unitType, unitId));
  return exposureRow(one, kind, { identity, unitId, atUs }, scope, pseudonyms);
};

describe('an exposure as a row', () => {
  it('says who was told what, when and why, and names the unit by its pseudonym', () => {
    expect(rowAt(1_000)).toEqual({
      kind: 'exposure',
      ...{ project: 'shop', environment: 'production', name: 'e', unitType: 'user', unit: pseudonyms.of('shop', 'user', 'u1') },
      source: 'rampart/assignment',
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      at: 1_000,
      ...{ variant: 'control', segment: 2, reason: 'SPLIT', key: 'k1' },
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it('told again later has the same id and digest: the first one counts, and no id was used for something else', () => {
    expect(rowAt(2_000)).toEqual({ ...rowAt(1_000), at: 2_000 });
  });

  it('of another kind, segment, variant, reason or unit has another id', () => {
    const ids = [
      rowAt(1),
      rowAt(1, {}, 'assignment'),
      rowAt(1, { segment: 3 }),
      rowAt(1, { variant: 'treatment' }),
      rowAt(1, { reason: 'OVERRIDE' }),
      rowAt(1, { experiment: 'f' }),
      rowAt(1, {}, 'exposure', 'u2'),
    ].map((row) => row?.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('what was told lately', () => {
  const under = () => {
    let settle: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => undefined, reject: () => undefined };
    const writing = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    return { writing, settle };
  };

  it('is waited for while it is being written, and not once it is durable', async () => {
    const lately = new SentLately(10);
    const { settle, writing } = under();
    lately.remember(['a'], writing);
    expect(lately.find('a')).toBe(writing);
    settle.resolve();
    await writing;
    expect([lately.find('a'), lately.find('b')]).toEqual([true, undefined]);
  });

  it('is told again when it could not be kept', async () => {
    const lately = new SentLately(10);
    const { settle, writing } = under();
    lately.remember(['a'], writing);
    settle.reject(new Error('the disk is full'));
    await writing.catch(() => undefined);
    expect(lately.find('a')).toBeUndefined();
  });

  it('forgets what was not asked for, within its bound', async () => {
    const lately = new SentLately(10);
    lately.remember(['kept'], Promise.resolve());
    for (let n = 0; n < 100; n += 1) {
      lately.remember([`u${n}`], Promise.resolve());
      await Promise.resolve();
      await lately.find('kept');
    }
    expect(lately.size).toBeLessThanOrEqual(10);
    expect([lately.find('kept'), lately.find('u1')]).toEqual([true, undefined]);
  });
});
