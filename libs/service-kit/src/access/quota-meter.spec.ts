import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QuotaMeter } from './quota-meter.js';

const quota = { eventsPerSecond: 10, burst: 50 };

describe('a key with a quota', () => {
  it('sends its burst at once, then its rate', () => {
    const meter = new QuotaMeter();
    expect(meter.take('k', quota, 50, 0)).toBeUndefined();
    expect(meter.take('k', quota, 1, 0)).toBe(100);
    expect(meter.take('k', quota, 1, 99)).toBe(1);
    expect(meter.take('k', quota, 1, 100)).toBeUndefined();
  });

  it('may send a batch larger than its burst, and waits for what it owes', () => {
    const meter = new QuotaMeter();
    expect(meter.take('k', quota, 150, 0)).toBeUndefined();
    expect(meter.take('k', quota, 1, 0)).toBe(10_100);
    expect(meter.take('k', quota, 1, 10_100)).toBeUndefined();
  });

  it('is not charged for what was refused, and comes through after the time that it was told', () => {
    const meter = new QuotaMeter();
    meter.take('k', quota, 50, 0);
    const waitMs = meter.take('k', quota, 10, 0) ?? Number.NaN;
    for (let tries = 0; tries < 100; tries++) expect(meter.take('k', quota, 10, 0)).toBe(waitMs);
    expect(meter.take('k', quota, 10, waitMs)).toBeUndefined();
  });

  it('has back what came to nothing, and never more than its burst', () => {
    const meter = new QuotaMeter();
    meter.take('k', quota, 50, 0);
    meter.giveBack('k', quota, 50, 0);
    expect(meter.take('k', quota, 50, 0)).toBeUndefined();
    meter.giveBack('k', quota, 1_000, 0);
    expect(meter.take('k', quota, 50, 0)).toBeUndefined();
    expect(meter.take('k', quota, 1, 0)).toBe(100);
  });

  it('waits for what it owes beyond what was taken', () => {
    const meter = new QuotaMeter();
    expect(meter.take('k', quota, 1, 0)).toBeUndefined();
    meter.owe('k', quota, 59, 0);
    expect(meter.take('k', quota, 1, 0)).toBe(1_100);
  });

  it('takes nothing from another', () => {
    const meter = new QuotaMeter();
    meter.take('k', quota, 500, 0);
    expect(meter.take('other', quota, 1, 0)).toBeUndefined();
  });

  it('that is changed counts at once', () => {
    const meter = new QuotaMeter();
    meter.take('k', quota, 50, 0);
    expect(meter.take('k', { eventsPerSecond: 1_000, burst: 1_000 }, 1, 0)).toBe(1);
    expect(meter.take('k', { eventsPerSecond: 1_000, burst: 1_000 }, 1, 1)).toBeUndefined();
  });

  it('never gets through more than burst, rate and one batch, whatever it tries', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 100 })), { maxLength: 200 }), (tries) => {
        const meter = new QuotaMeter();
        let [nowMs, taken] = [0, 0];
        for (const [pauseMs, events] of tries) {
          nowMs += pauseMs;
          if (meter.take('k', quota, events, nowMs) === undefined) taken += events;
        }
        expect(taken).toBeLessThanOrEqual(quota.burst + (nowMs * quota.eventsPerSecond) / 1_000 + 100);
      }),
    );
  });

  it('is remembered among more keys than fit', () => {
    const meter = new QuotaMeter();
    meter.take('debtor', quota, 5_000, 0);
    for (let n = 0; n < 20_000; n++) meter.take(`k${n}`, quota, 1, n);
    expect(meter.take('debtor', quota, 1, 20_000)).toBeGreaterThan(0);
  });
});
