import { describe, expect, it } from '@jest/globals';
import { formsOf, sentenceWithout, withoutUnit } from './without-unit.js';

const ann = { unitType: 'user', unitId: 'ann@example.org' };
const short = { unitType: 'user', unitId: '7' };

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

  it('names it no longer in longer texts of conditions, as a regular expression writes it, as a number and as a member’s name', () => {
    const $or = [{ id: { $regex: '^ann@example.org$' } }, { id: { $regex: '^ann@example\\.org$|x' } }, { id: 'user:ann@example.org' }];
    expect(withoutUnit({ targeting: { $or, 'ann@example.org': true } }, ann)).toEqual({
      targeting: { $or: [{ id: { $regex: '^(erased)$' } }, { id: { $regex: '^(erased)$|x' } }, { id: 'user:(erased)' }], '(erased)': true },
    });
    expect(withoutUnit({ condition: { id: { $in: [12345678, 1234567] } } }, { unitType: 'user', unitId: '12345678' })).toEqual({
      condition: { id: { $in: ['(erased)', 1234567] } },
    });
  });

  it('names it no longer in names, descriptions and hypotheses, whatever its unit type, and in what a feature gives', () => {
    const experiment = { key: 'e', unitType: 'device', name: 'For ann@example.org', hypothesis: 'ann@example.orgさんの依頼', units: 3 };
    expect(withoutUnit(experiment, ann)).toEqual({ ...experiment, name: 'For (erased)', hypothesis: '(erased)さんの依頼' });
    const feature = {
      variants: [{ key: 'ann@example.org', value: { allow: ['ann@example.org', 'joann@example.org'], 'ann@example.org': 1 } }],
    };
    expect(withoutUnit(feature, ann)).toEqual({
      variants: [{ key: 'ann@example.org', value: { allow: ['(erased)', 'joann@example.org'], '(erased)': 1 } }],
    });
    expect(withoutUnit({ description: 'as ann@example.org asked' }, ann)).toEqual({ description: 'as (erased) asked' });
  });

  it('is itself where it names nobody, somebody else, or something that is only called so', () => {
    for (const same of [
      { units: ['bob'] },
      { unitType: 'device', units: ['ann@example.org'] },
      { key: 'ann@example.org', variant: 'ann@example.org', stages: [{ name: 'ann@example.org' }], stage: { name: 'ann@example.org' } },
      { numerator: { event: 'purchase', filters: [{ property: 'seller', operator: 'eq', value: 'ann@example.org' }] } },
      { kind: 'override', value: { key: 'ann@example.org', unitType: 'device', units: ['ann@example.org'] } },
      { condition: { id: { $in: ['joann@example.org', 'ann@example.organic'] } } },
      null,
      7,
    ])
      expect(withoutUnit(same, ann)).toBe(same);
  });

  it('loses a short id only where that is a whole text among units', () => {
    const definition = { name: '7 days', units: ['7', '17'], condition: { age: { $gt: 7 }, id: '7' }, variants: [{ value: '7' }] };
    expect(withoutUnit(definition, short)).toEqual({
      ...definition,
      units: ['(erased)', '17'],
      condition: { age: { $gt: 7 }, id: '(erased)' },
    });
  });

  it('is searched for by every form in which it may name the unit', () => {
    const odd = { unitType: 'user', unitId: `ann_100%"o'neill"\\ünï@example.org` };
    const documents = [{ units: [odd.unitId] }, { condition: { id: { $regex: `^ann_100%"o'neill"\\\\ünï@example\\.org$` } } }];
    for (const document of documents) {
      expect(withoutUnit(document, odd)).not.toBe(document);
      expect(formsOf(odd).some((form) => JSON.stringify(document).includes(form))).toBe(true);
    }
  });
});

describe('a sentence without a unit', () => {
  it('keeps what surrounds it, and short ids, which are numbers elsewhere', () => {
    expect(sentenceWithout('asked for by ann@example.org, twice', ann)).toBe('asked for by (erased), twice');
    expect(sentenceWithout('after 7 days', short)).toBe('after 7 days');
  });
});
