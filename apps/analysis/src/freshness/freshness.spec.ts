import { describe, expect, it } from '@jest/globals';
import { skewTrouble } from './freshness.service.js';

describe('the clock of the log', () => {
  it('may lie a second behind its known times, and is told with both numbers beyond', () => {
    expect(skewTrouble(1_000_000)).toBeUndefined();
    expect(skewTrouble(3_600_000_000)).toMatch(/3600\.0 s behind .* \(more than 1 s\)/);
  });
});
