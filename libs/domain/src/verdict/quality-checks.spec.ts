import { describe, expect, it } from '@jest/globals';
import { multipleExposureCheck, sampleRatioCheck } from './quality-checks.js';

describe('the sample ratio', () => {
  it('passes with both numbers: cookie cats hold 44,700 and 45,489 players', () => {
    const check = sampleRatioCheck({ observed: [44_700, 45_489], weights: [1, 1], p: 0.008607987810836241 }, 0.001);
    expect(check).toMatchObject({
      outcome: 'passed',
      sentence: 'cells hold 44,700 and 45,489 units where 1:1 was designed (p 0.0086 > 0.0010)',
    });
  });

  it('fails below its level and says where to look', () => {
    const check = sampleRatioCheck({ observed: [500, 400, 900], weights: [1, 1, 2], p: 0.0004 }, 0.001);
    expect(check.outcome).toBe('failed');
    expect(check.sentence).toContain('cells hold 500, 400 and 900 units where 1:1:2 was designed (p 0.0004 < 0.0010): find out');
  });

  it('says where it holds at any look, by its E', () => {
    const check = sampleRatioCheck(
      { observed: [500, 420], weights: [1, 1], p: 0.2, anytime: { logE: Math.log(5), alarmAtE: 1000 } },
      0.001,
    );
    expect(check.sentence).toContain('(at any look E 5 < 1,000)');
  });

  it('alarms at E = 1,000, not below', () => {
    const at = (logE: number) =>
      sampleRatioCheck({ observed: [500, 320], weights: [1, 1], p: 0.001, anytime: { logE, alarmAtE: 1000 } }, 0.001).outcome;
    expect([at(Math.log(1000)), at(6.9)]).toEqual(['failed', 'passed']);
  });

  it('is not tested without a designed ratio', () => {
    expect(sampleRatioCheck(undefined, 0.001)).toMatchObject({ outcome: 'not-tested' });
  });
});

describe('units in two arms', () => {
  it('fail from 1 % and 10 units on, both needed', () => {
    expect(multipleExposureCheck(1000, 10).outcome).toBe('failed');
    expect(multipleExposureCheck(1001, 10).outcome).toBe('passed');
    expect(multipleExposureCheck(100, 9).outcome).toBe('passed');
    expect(multipleExposureCheck(0, 0).outcome).toBe('passed');
  });

  it('say both numbers', () => {
    expect(multipleExposureCheck(290_584, 1895).sentence).toBe(
      '1,895 of 290,584 units were seen in two arms (0.652 %; alarm at 1 % and 10 units)',
    );
  });
});
