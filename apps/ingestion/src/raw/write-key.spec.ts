import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { withMaskedMember, withoutKey, withoutWriteKey } from './write-key.js';

const KEY = `rk_k1z_${'a-B_9'.repeat(8)}`;

describe('a write key', () => {
  it('is taken out of any event, and nothing else is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), fc.constantFrom(undefined, 2), (event, place, indent) => {
        const members = Object.entries(event).filter(([name]) => name !== 'writekey' && name !== '__proto__');
        const others = Object.fromEntries(members);
        const at = place % (members.length + 1);
        const withKey = Object.fromEntries([...members.slice(0, at), ['writekey', KEY], ...members.slice(at)]);
        const text = withoutWriteKey(JSON.stringify(withKey, undefined, indent));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(others)));
      }),
    );
  });

  it('leaves its id, wherever else it stands', () => {
    expect(withoutKey(`said ${KEY}, and "${KEY}"`, undefined)).toBe('said rk_k1z_…, and "rk_k1z_…"');
  });

  it('of a foreign form is hidden where it stands, if it is long enough to be one', () => {
    expect(withoutKey('a sixteen-letter-key it is', 'sixteen-letter-key')).toBe('a … it is');
    expect(withoutKey('a key', 'key')).toBe('a key');
  });

  it('is hidden in what is no JSON, to the end if that comes before it', () => {
    expect(withMaskedMember(`{"writekey":"any \\" thing","id":`)).toBe('{"writekey":"…","id":');
    expect(withMaskedMember('{"WriteKey" : "any')).toBe('{"WriteKey" : "…');
  });
});
