import { describe, expect, it } from '@jest/globals';
import { sentenceWithout, withoutUnit } from './without-unit.js';

const ann = { unitType: 'user', unitId: 'ann@example.org' };

describe('a definition without a unit', () => {
  it('names it no longer among units and in conditions', () => {
    const override = {
      key: 'ann@example.org',
      unitType: 'user',
      units: ['bob', 'ann@example.org'],
      condition: { id: { $in: ['ann@example.org'] } },
    };
    expect(withoutUnit(override, ann)).toEqual({
      ...{ key: 'ann@example.org', unitType: 'user' },
      ...{ units: ['bob', '(erased)'], condition: { id: { $in: ['(erased)'] } } },
    });
  });

  it('is itself where it names nobody, or somebody of another type', () => {
    for (const same of [{ units: ['bob'] }, { unitType: 'device', units: ['ann@example.org'] }, { name: 'ann@example.org' }, null, 7])
      expect(withoutUnit(same, ann)).toBe(same);
  });
});

describe('a sentence without a unit', () => {
  it('keeps what surrounds it, and short ids, which are numbers elsewhere', () => {
    expect(sentenceWithout('asked for by ann@example.org, twice', ann)).toBe('asked for by (erased), twice');
    expect(sentenceWithout('after 7 days', { unitType: 'user', unitId: '7' })).toBe('after 7 days');
  });
});
