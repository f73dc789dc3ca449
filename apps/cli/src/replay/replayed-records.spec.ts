import { describe, expect, it } from '@jest/globals';
import type { RecordedDigest, ReplayedRecord } from '@rampart/contracts';
import { counts, foundRecords, isFault, reportOf } from './replayed-records.js';

const place = { project: 'shop', environment: 'production', experiment: 'button', comparison: 1, stage: null };
const AT = '2026-01-31T12:00:00.000Z';

const replayed = (id: string, change: Partial<ReplayedRecord> = {}): ReplayedRecord => ({
  ...place,
  id,
  knownUntil: AT,
  recordedAt: AT,
  cause: 'verdict',
  status: 'same',
  sentence: 'all is the same',
  code: null,
  differences: [],
  engine: 'rampart/3',
  digest: `digest of ${id}`,
  ...change,
});
const kept = (id: string, digest = `digest of ${id}`): RecordedDigest => ({ ...place, id, recordedAt: AT, digest });
const report = (found: ReturnType<typeof foundRecords>) => reportOf({ found, unreadable: 0, engine: 'rampart/3', elapsedMs: 2_000 });

describe('records of log and history', () => {
  it('that agree are what the recount says', () => {
    const found = foundRecords([replayed('a'), replayed('b', { status: 'differs', sentence: 'sum was 1, is 2' })], [kept('a'), kept('b')]);
    expect(counts(found)).toEqual({ same: 1, differs: 1, altered: 0, 'not-recountable': 0 });
    expect(report(found)).toContain('differs: shop/production/button b of 2026-01-31T12:00:00.000Z\n  sum was 1, is 2');
  });

  it.each<readonly [string, readonly ReplayedRecord[], readonly RecordedDigest[], string]>([
    ['differ', [replayed('a')], [kept('a', 'another')], 'holds another record under its id'],
    ['are in the log alone', [replayed('a')], [], 'the control plane’s history does not'],
    ['are in the history alone', [], [kept('a')], 'the log does not'],
  ])('that %s were altered', (_, log, history, sentence) => {
    const found = foundRecords(log, history);
    expect(found).toMatchObject([{ id: 'a', status: 'altered', sentence: expect.stringContaining(sentence) }]);
    expect(found.some(isFault)).toBe(true);
  });

  it.each(['rows-expired', 'units-erased'])('that differ were altered, also where their rows are gone (%s)', (code) => {
    const found = foundRecords([replayed('a', { status: 'not-recountable', code, sentence: 'gone' })], [kept('a', 'another')]);
    expect(found).toMatchObject([{ status: 'altered', code: null }]);
    expect(found.some(isFault)).toBe(true);
  });

  it.each(['rows-expired', 'units-erased'])('whose rows are gone for a reason (%s) are told, and no fault', (code) => {
    const found = foundRecords([replayed('a', { status: 'not-recountable', code, sentence: 'gone' })], [kept('a')]);
    expect(found.some(isFault)).toBe(false);
    expect(report(found)).toContain('can’t be recounted: shop/production/button a');
    expect(foundRecords([replayed('b', { status: 'not-recountable', code: 'watermark-behind' })], [kept('b')]).some(isFault)).toBe(true);
  });

  it('that another engine judged are told apart', () => {
    const old = { engine: 'rampart/2' };
    const found = foundRecords(
      [replayed('a', old), replayed('b', { ...old, status: 'differs', sentence: 'numbers' }), replayed('c')],
      [kept('a'), kept('b'), kept('c')],
    );
    expect(report(found)).toContain('Of 2 records that engine rampart/2 judged, rampart/3 says the same of 1.');
  });
});
