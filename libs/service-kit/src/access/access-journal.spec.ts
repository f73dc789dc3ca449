import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AccessEntry, AccessJournal } from './access-journal.js';

const entry = (change: Partial<AccessEntry> = {}): AccessEntry => ({
  ...{ atUs: 1, service: 'ingestion', outcome: 'denied', actor: 'k', role: 'emit', project: 'shop', environment: 'production' },
  ...{ action: 'GET /v1/metrics', target: {}, status: 403, code: 'wrong-role', requestId: 'r', address: '10.0.0.1', count: 1 },
  ...change,
});

const sumOf = (entries: readonly AccessEntry[]): number => entries.reduce((sum, { count }) => sum + count, 0);

let journal: AccessJournal;
beforeEach(() => {
  journal = new AccessJournal();
});

describe('the journal', () => {
  it('tells each command by itself, and the same denial as one with its count', () => {
    journal.note(entry({ outcome: 'done', code: null }));
    journal.note(entry({ outcome: 'done', code: null }));
    for (const atUs of [5, 3, 9]) journal.note(entry({ atUs }));
    journal.note(entry({ actor: 'other' }));
    const { entries } = journal.take();
    expect(entries.map(({ outcome, actor, count, atUs }) => [outcome, actor, count, atUs])).toEqual([
      ['done', 'k', 1, 1],
      ['done', 'k', 1, 1],
      ['denied', 'k', 3, 3],
      ['denied', 'other', 1, 1],
    ]);
    expect(journal.take()).toEqual({ uses: [], entries: [] });
  });

  it('counts what would fill the memory, and loses the number of none', () => {
    for (let n = 0; n < 10_000; n++) journal.note(entry({ action: `GET /v1/${n}` }));
    const { entries } = journal.take();
    expect(entries.length).toBeLessThan(2_100);
    expect(sumOf(entries)).toBe(10_000);
    expect(entries.at(-1)).toMatchObject({ action: '(others)', outcome: 'denied' });
  });

  it('tells of strangers by address and code, seldom and few, and loses the number of none', () => {
    const stranger = { actor: null, role: null, code: 'key-unknown' };
    for (let n = 0; n < 100; n++) journal.note(entry({ ...stranger, action: `GET /v1/${n}` }));
    for (let n = 0; n < 10_000; n++) journal.note(entry({ ...stranger, address: `10.1.${n >> 8}.${n & 255}` }));
    for (let n = 0; n < 100; n++) journal.note(entry({ role: 'client', action: `GET /v1/${n}`, address: '10.2.0.1' }));
    for (let n = 0; n < 9; n++) expect(journal.take().entries).toEqual([]);
    const { entries } = journal.take();
    expect(entries.length).toBeLessThan(52);
    expect(sumOf(entries)).toBe(10_200);
    expect(entries[0]).toMatchObject({ action: '(several routes)', address: '10.0.0.1', count: 100 });
    expect(entries.at(-1)).toMatchObject({ action: '(others)' });
  });

  it('keeps nothing back when it is taken for the last time', () => {
    journal.note(entry({ actor: null, role: null }));
    expect(journal.take(true).entries).toHaveLength(1);
  });

  it('tells what could not be told the next time', () => {
    journal.note(entry());
    journal.used('k', 7);
    const taken = journal.take();
    journal.note(entry({ atUs: 2 }));
    journal.giveBack(taken);
    expect(journal.take()).toEqual({ uses: [{ key: 'k', atUs: 7 }], entries: [entry({ count: 2 })] });
  });

  it('tells the use of a key, and again after half a minute', () => {
    journal.used('k', 1);
    journal.used('k', 2);
    expect(journal.take().uses).toEqual([{ key: 'k', atUs: 1 }]);
    journal.used('k', 30_000_000);
    expect(journal.take().uses).toEqual([]);
    journal.used('k', 30_000_001);
    expect(journal.take().uses).toEqual([{ key: 'k', atUs: 30_000_001 }]);
  });
});
