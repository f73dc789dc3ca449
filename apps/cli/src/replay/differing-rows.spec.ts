import { describe, expect, it } from '@jest/globals';
import type { DifferingRow } from '@rampart/contracts';
import { leftOutReport, rowsReport, toCheck } from './differing-rows.js';
import type { FoundRecord } from './replayed-records.js';

const found = (id: string, change: Partial<FoundRecord> = {}): FoundRecord => ({
  ...{ project: 'shop', environment: 'production', experiment: 'button', comparison: 1, stage: null, id },
  ...{
    recordedAt: '2026-01-31T12:00:00Z',
    status: 'differs',
    sentence: 'sum was 1, is 2',
    code: null,
    differences: [],
    engine: 'rampart/3',
  },
  ...change,
});
const row = (change: Partial<DifferingRow> = {}): DifferingRow => ({
  ...{ kind: 'altered', unit: 'u'.repeat(32), idHash: 'h'.repeat(32) },
  event: { source: 'web', id: 'e1', name: 'buy', place: 'feedback.v1/2 at 7, row 3' },
  columns: [{ column: 'value', store: '2', log: '1' }],
  ...change,
});
const ids = (records: readonly FoundRecord[]) => records.map(({ id }) => id);
const report = (rows: readonly DifferingRow[], more: object = {}) =>
  rowsReport({
    ...{ project: 'shop', environment: 'production', experiment: 'button', record: 'r' },
    result: { rows, hasMore: false, judgedSince: null, ...more },
  });

describe('rows behind sums that differ', () => {
  it('are asked for once a comparison, of its newest record', () => {
    const all = [
      found('a'),
      found('b'),
      found('c', { status: 'same' }),
      found('d', { comparison: 2 }),
      found('e', { status: 'altered', experiment: 'other' }),
      found('f', { status: 'not-recountable', code: 'units-erased', experiment: 'third' }),
      found('g', { status: 'not-recountable', code: 'rows-expired', experiment: 'fourth' }),
    ];
    expect(ids(toCheck(all).checked)).toEqual(['b', 'd', 'f']);
    expect(leftOutReport(toCheck(all).leftOut)).toBeUndefined();
  });

  it('are asked for first where no erasure explains them, and what there is no room for is told', () => {
    const erased = Array.from({ length: 6 }, (_, index) =>
      found(`e${index}`, { status: 'not-recountable', code: 'units-erased', experiment: `erased-${index}` }),
    );
    // Of one comparison an older record differs without an erasure's help.
    const all = [found('older', { experiment: 'erased-5' }), ...erased, found('d', { experiment: 'altered' })];
    const { checked, leftOut } = toCheck(all);
    expect(ids(checked)).toEqual(['e5', 'd', 'e0', 'e1', 'e2']);
    expect(ids(leftOut)).toEqual(['e3', 'e4']);
    expect(leftOutReport(leftOut)?.split('\n')).toEqual([
      'The rows of 2 comparisons were not held against the log, at most 5 are at once; ask for them alone:',
      '  --project shop --environment production --experiment erased-3',
      '  --project shop --environment production --experiment erased-4',
    ]);
  });

  it('are named by their event, with what store and log say', () => {
    const rows = [row(), row({ kind: 'missing', columns: [] }), row({ kind: 'too-many', event: null, columns: [] })];
    expect(report(rows, { hasMore: true }).split('\n')).toEqual([
      'Rows of shop/production/button that are not as the log has them:',
      `  altered: buy: event e1 of web (feedback.v1/2 at 7, row 3) of unit ${'u'.repeat(32)}: value is 2, was 1`,
      `  missing: buy: event e1 of web (feedback.v1/2 at 7, row 3) of unit ${'u'.repeat(32)}`,
      `  too many: a row with the id hash ${'h'.repeat(32)} of unit ${'u'.repeat(32)}; the log has none`,
      '  … and more.',
    ]);
  });

  it('that are as the log has them are said to be, and what was cut is told', () => {
    expect(report([])).toContain('is as the log has it.');
    expect(report([], { judgedSince: '2026-01-01T00:00:00Z' })).toContain('known since 2026-01-01T00:00:00Z');
  });
});
