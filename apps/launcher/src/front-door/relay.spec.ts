import { describe, expect, it } from '@jest/globals';
import { endToEnd, requestIdOf } from './relay.js';

describe('passing on headers', () => {
  it('keeps back what is for the next hop only, and what Connection names', () => {
    const headers = {
      connection: 'close, X-Secret',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      'x-secret': '1',
      authorization: 'Bearer k',
    };
    expect(endToEnd(headers)).toEqual({ authorization: 'Bearer k' });
  });

  it('keeps a sane request id and replaces any other', () => {
    expect(requestIdOf('import-7:batch.3')).toBe('import-7:batch.3');
    expect(requestIdOf('a b\r\nSet-Cookie: x')).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIdOf(undefined)).toMatch(/^[0-9a-f-]{36}$/);
  });
});
