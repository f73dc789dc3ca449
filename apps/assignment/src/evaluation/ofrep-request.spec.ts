import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attributesIn, attributesOf, CONTEXT_LIMITS, isRefused } from './ofrep-request.js';

const refusalOf = (body: string | undefined) => {
  const found = attributesOf(body === undefined ? undefined : Buffer.from(body));
  return isRefused(found) ? [found.errorCode, found.errorDetails] : ['taken'];
};

describe('a context', () => {
  it('has its targeting key as id, and everything else as it came', () => {
    expect(attributesIn({ context: { targetingKey: 'u1', id: 'another', country: 'DE' } })).toEqual({
      targetingKey: 'u1',
      id: 'u1',
      country: 'DE',
    });
  });

  it.each([
    [undefined, 'PARSE_ERROR', /empty/],
    ['{"context":', 'PARSE_ERROR', /position 11/],
    ['[]', 'PARSE_ERROR', /object/],
    ['{}', 'INVALID_CONTEXT', /^\/context: must be an object, got nothing/],
    ['{"context":[]}', 'INVALID_CONTEXT', /an array/],
    ['{"context":{}}', 'TARGETING_KEY_MISSING', /^\/context\/targetingKey/],
    ['{"context":{"targetingKey":""}}', 'TARGETING_KEY_MISSING', /missing/],
    ['{"context":{"targetingKey":7}}', 'INVALID_CONTEXT', /a number/],
    [`{"context":{"targetingKey":"${'x'.repeat(501)}"}}`, 'INVALID_CONTEXT', /501 characters.*500/],
    ['{"context":{"targetingKey":"\\u0000"}}', 'INVALID_CONTEXT', /U\+0000/],
    ['{"context":{"targetingKey":"\\ud800"}}', 'INVALID_CONTEXT', /surrogate/],
  ])('%s is refused with its code and a sentence', (body, code, sentence) => {
    expect(refusalOf(body)).toEqual([code, expect.stringMatching(sentence)]);
  });

  it('is refused beyond its depth and its number of values, with the place', () => {
    const deep = `${`{"a":`.repeat(CONTEXT_LIMITS.depth + 1)}1${'}'.repeat(CONTEXT_LIMITS.depth + 1)}`;
    expect(refusalOf(`{"context":{"targetingKey":"u","deep":${deep}}}`)).toEqual([
      'INVALID_CONTEXT',
      expect.stringMatching(/^\/context\/deep\/a.*levels deep; a context has at most 8/),
    ]);
    const wide = JSON.stringify(Array(CONTEXT_LIMITS.values + 1).fill(1));
    expect(refusalOf(`{"context":{"targetingKey":"u","wide":${wide}}}`)[1]).toMatch(/more than 2000 values/);
  });

  it('is taken or refused, and never throws, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 12 }), fc.boolean(), (value, isContext) => {
        const found = attributesIn(isContext ? { context: value } : value);
        return isRefused(found) ? found.errorDetails.length > 0 : typeof found.id === 'string';
      }),
      { numRuns: 2_000 },
    );
  });

  it('that holds a field errorCode is no refusal', () => {
    expect(isRefused(attributesIn({ context: { targetingKey: 'u', errorCode: 'PARSE_ERROR', errorDetails: 'x' } }))).toBe(false);
  });
});
