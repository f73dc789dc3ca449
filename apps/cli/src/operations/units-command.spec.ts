import { describe, expect, it } from '@jest/globals';
import { unitsRequest } from './units-command.js';

const typed = (...words: readonly string[]) => ({ words, texts: {}, flags: {} });

describe('an erasure on the command line', () => {
  it('is of one unit, in production of the default project unless told otherwise', () => {
    expect(unitsRequest(typed('erase', 'user', 'ann 1'))).toEqual({
      ...{ action: 'erase', unitType: 'user', unitId: 'ann 1', project: 'default', environmentKey: 'production' },
      ...{ waits: true, json: false, address: undefined },
    });
    const texts = { project: 'shop', environment: 'staging' };
    expect(unitsRequest({ words: ['erasures'], texts, flags: { json: true, 'no-wait': true } })).toMatchObject({
      ...{ action: 'erasures', project: 'shop', environmentKey: 'staging', json: true, waits: false },
    });
  });

  it.each([
    [[], 'needs erase TYPE ID'],
    [['delete', 'user', 'ann'], 'knows no "delete"'],
    [['erase'], 'Whom?'],
    [['erase', 'user'], 'Whom?'],
    [['erase', 'user', 'ann', 'bob'], 'What is "bob"?'],
  ])('%j is answered with what is missing', (words, sentence) => {
    expect(() => unitsRequest(typed(...words))).toThrow(sentence);
  });
});
