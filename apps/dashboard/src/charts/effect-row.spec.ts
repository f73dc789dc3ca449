import { describe, expect, it } from '@jest/globals';
import type { Comparison, MetricResult, MetricUse } from '@rampart/contracts';
import { capsCut, effectRow, uncappedRow } from './effect-row.js';

const effect = (estimate: number) => ({
  ...{ estimate, se: 1, statistic: 1, df: null, p: 0.3, logP: Math.log(0.3) },
  ci: { lower: estimate - 2, upper: estimate + 2 },
});
const comparison = {
  treatment: 'B',
  control: 'A',
  absolute: effect(3),
  relative: effect(0.3),
  anytime: null,
  adjustedP: null,
} as unknown as Comparison;
const arms = (lowered: number) => ['A', 'B'].map((arm) => ({ arm, units: 200, lowered, raised: 0, mean: 1 }));
const metric = (withoutCaps?: MetricResult['withoutCaps']): MetricResult =>
  ({
    metric: 'spent',
    direction: 'increase',
    comparisons: [comparison],
    ...(withoutCaps === undefined ? {} : { withoutCaps }),
  }) as unknown as MetricResult;

describe('the scale of a row', () => {
  const bounds = { lower: -4, upper: 6, p: 1, logP: 0, logE: 0, multiplier: 3 };
  const refused = { refused: 'BASELINE_NEAR_ZERO' };
  const watched = (anytime: object) => ({ ...comparison, anytime: { level: 0.95, firstError: null, ...anytime } }) as unknown as Comparison;
  const guardrail = { metric: 'spent', role: 'guardrail', margin: { relative: 0.1 } } as unknown as MetricUse;

  it('is the share of the control’s, or the difference where only that has bounds', () => {
    expect(effectRow(metric(), watched({ absolute: bounds, relative: bounds }), undefined)).toMatchObject({ scale: 'relative', lower: -4 });
    const row = effectRow(metric(), watched({ absolute: bounds, relative: refused }), undefined);
    expect(row).toMatchObject({ scale: 'absolute', estimate: 3, lower: -4, upper: 6, p: 1 });
    expect(effectRow(metric(), watched({ absolute: refused, relative: refused }), undefined)).toMatchObject({
      scale: 'relative',
      lower: null,
    });
  });

  it('stays that of a margin', () => {
    const row = effectRow(metric(), watched({ absolute: bounds, relative: refused }), guardrail);
    expect(row).toMatchObject({ scale: 'relative', lower: null, margin: expect.any(Number) });
  });
});

describe('what a row says of caps', () => {
  const uncapped = { treatment: 'B', control: 'A', absolute: effect(5), relative: effect(0.5), anytime: null };

  it('is nothing of a metric without caps', () => {
    expect([capsCut(metric()), uncappedRow(metric(), comparison, undefined)]).toEqual([[], undefined]);
  });

  it('is the effect without them, where they cut anybody', () => {
    const cut = metric({ arms: arms(3), comparisons: [uncapped] });
    expect(capsCut(cut).map(({ share }) => share)).toEqual([0.015, 0.015]);
    expect(uncappedRow(cut, comparison, undefined)).toMatchObject({
      scale: 'relative',
      estimate: 0.5,
      lower: -1.5,
      upper: 2.5,
      adjustedP: null,
    });
    expect(uncappedRow(metric({ arms: arms(0), comparisons: [uncapped] }), comparison, undefined)).toBeUndefined();
  });

  it('is the interval that holds at every look, where the plan has one', () => {
    const anytime = {
      level: 0.95,
      absolute: { refused: 'NOT_ENOUGH_DATA' },
      relative: { lower: -4, upper: 6, p: 1, logP: 0, logE: 0, multiplier: 3 },
    };
    const cut = metric({ arms: arms(3), comparisons: [{ ...uncapped, anytime }] });
    expect(uncappedRow(cut, comparison, undefined)).toMatchObject({ estimate: 0.5, lower: -4, upper: 6 });
  });
});
