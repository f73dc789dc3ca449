import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Chart, svgOf } from './chart.js';
import { pictures } from './pictures.js';

const docs = resolve(import.meta.dirname, '..', '..', '..', 'docs');
const text = readFileSync(join(docs, 'statistics.md'), 'utf8');

describe('the pictures of the methods', () => {
  it.each(Object.entries(pictures))('%s is what its functions draw, and is shown', (name, chart) => {
    expect(readFileSync(join(docs, 'pictures', `${name}.svg`), 'utf8')).toBe(svgOf(chart));
    expect(text).toContain(`](pictures/${name}.svg)`);
  });

  const line = (chart: Chart | undefined, name: string) => {
    const found = chart?.lines.find((one) => one.name.startsWith(name));
    if (found === undefined) throw new Error(`no line ${name}`);
    return found.points;
  };

  it('show what their descriptions say', () => {
    const last = (chart: string, name: string) => line(pictures[chart], name).at(-1)?.[1] ?? Number.NaN;
    expect(last('method-peeking', 'wrong')).toBeGreaterThan(0.3);
    for (const name of ['sequential', 'msprt']) expect(last('method-peeking', name)).toBeLessThan(0.05);
    expect(line(pictures['method-power'], 'one look').find(([units]) => units === 1)?.[1]).toBeCloseTo(0.8, 6);
    const fourteenth = line(pictures['method-first-errors'], 'all').find(([units]) => units === 14)?.[1] ?? 0;
    expect(10 ** fourteenth).toBeGreaterThanOrEqual(1 / 0.0045);
    expect(last('method-first-errors', 'half')).toBeLessThan(0);
    const lower = line(pictures['method-quantiles'], 'lower');
    expect(lower.find(([, value]) => value > 0)?.[0]).toBeLessThan(5_000);
    expect([last('method-quantiles', 'lower'), last('method-quantiles', 'upper')].map((value) => Math.round(value / 10) * 10)).toEqual([
      40, 80,
    ]);
  });
});
