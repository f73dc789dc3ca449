import { describe, expect, it } from '@jest/globals';
import { Readiness } from './readiness.js';

describe('readiness', () => {
  it('is there when every check agrees, and lists the reasons of those that do not', async () => {
    const readiness = new Readiness();
    readiness.add('fine', () => undefined);
    expect(await readiness.reasons()).toEqual({});
    readiness.add('log', async () => 'the log is away');
    readiness.add('broken', () => {
      throw new Error('out of order');
    });
    expect(await readiness.reasons()).toEqual({ log: 'the log is away', broken: 'out of order' });
  });

  it('refuses two checks of one name', () => {
    const readiness = new Readiness();
    readiness.add('log', () => undefined);
    expect(() => readiness.add('log', () => undefined)).toThrow(RangeError);
  });
});
