import { describe, expect, it } from '@jest/globals';
import type { TimeseriesPoint } from '@rampart/contracts';
import { courseOf, frameOf, marginLine, marksOf, scaleOf, stagesWithin } from './course.js';

const point = (second: number, estimate: number | null, half: number | null, record: string | null = null): TimeseriesPoint => ({
  asOf: new Date(second * 1000).toISOString(),
  units: 10,
  record,
  verdict: record === null ? null : 'go',
  sentence: null,
  metrics: [
    {
      metric: 'bought',
      arms: [],
      comparisons: [
        {
          ...{ treatment: 'on', control: 'off', estimate: 7, lower: 6, upper: 8, p: null },
          relative: {
            estimate,
            lower: estimate === null || half === null ? null : estimate - half,
            upper: estimate === null || half === null ? null : estimate + half,
          },
        },
      ],
    },
  ],
});

describe('the course of an effect', () => {
  const points = [point(1, null, null), point(2, 0.5, 40), point(3, 0.2, 1, 'r1'), point(4, 0.1, 0.2, 'r1'), point(5, 0.1, 0.1, 'r2')];

  it('is that of one metric and treatment, on the scale that is asked for', () => {
    expect(courseOf({ points }, 'bought', 'on', 'relative').map(({ estimate }) => estimate)).toEqual([null, 0.5, 0.2, 0.1, 0.1]);
    expect(courseOf({ points }, 'bought', 'on', 'absolute')[0]).toEqual({ atMs: 1000, estimate: 7, lower: 6, upper: 8 });
    expect(courseOf({ points }, 'bought', 'other', 'relative').every(({ estimate }) => estimate === null)).toBe(true);
  });

  it('marks a record where it is new, once', () => {
    expect(marksOf({ points }).map(({ record, atMs }) => [record, atMs])).toEqual([
      ['r1', 3000],
      ['r2', 5000],
    ]);
  });

  it('is framed by what is known now: a first interval 200 times as wide is cut off, zero and margin are not', () => {
    const [lower, upper] = frameOf(courseOf({ points }, 'bought', 'on', 'relative'), [-0.3]);
    expect(lower).toBeLessThan(-0.3);
    expect(upper).toBeGreaterThan(0.5);
    expect(upper).toBeLessThan(3);
  });

  it('has a frame also without any number', () => {
    expect(frameOf([], [null]).every(Number.isFinite)).toBe(true);
  });

  it('draws a margin on the side that is bad, on its own scale', () => {
    const use = { metric: 'm', role: 'guardrail', margin: { relative: 0.05 } } as const;
    expect([marginLine(use, 'increase'), marginLine(use, 'decrease'), scaleOf(use)]).toEqual([-0.05, 0.05, 'relative']);
    expect(scaleOf({ metric: 'm', role: 'guardrail', margin: { absolute: 0.01 } })).toBe('absolute');
    expect([marginLine(undefined, 'increase'), scaleOf(undefined)]).toEqual([null, 'relative']);
  });

  it('begins with the stage in force then, and leaves out those before it', () => {
    const stages = [1, 2, 5, 9].map((atMs) => ({ atMs, name: `s${atMs}` }));
    expect(stagesWithin(stages, 3, 8)).toEqual([
      { atMs: 3, name: 's2' },
      { atMs: 5, name: 's5' },
    ]);
  });
});
