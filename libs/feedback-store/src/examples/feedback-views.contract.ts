/** What the views on ClickHouse must say, on one server and on a cluster. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DeadLetter, metricDefinition } from '@rampart/contracts';
import { ClickhouseFeedbackStore } from '../clickhouse-feedback-store.js';
import { ClickhouseFeedbackViews } from '../clickhouse-feedback-views.js';
import type { ClickhouseOptions } from '../clickhouse-servers.js';
import type { PlacedRow } from '../feedback-store.js';
import { comparison, erasure, event, exposure, importCompleted } from './rows.examples.js';

export interface ViewsServer extends ClickhouseOptions {
  drop(): Promise<void>;
}

export const feedbackViewsContract = (name: string, open: () => Promise<ViewsServer>): void => {
  describe(`the views on a feedback store, by ${name}`, () => {
    let clickhouse: ViewsServer;
    let store: ClickhouseFeedbackStore;
    let views: ClickhouseFeedbackViews;

    beforeAll(async () => {
      clickhouse = await open();
      store = new ClickhouseFeedbackStore(clickhouse);
      views = new ClickhouseFeedbackViews(clickhouse);
      await store.prepare();
    }, 60_000);

    afterAll(async () => {
      await Promise.all([store?.close(), views?.close()]);
      await clickhouse?.drop();
    });

    const inside = (environment: string, rows: readonly PlacedRow[]): readonly PlacedRow[] =>
      rows.map((placed) => ({ ...placed, row: { ...placed.row, environment } }));

    describe('duplicates', () => {
      const of = { project: 'shop', environment: 'doubled' };
      const first = event(1, { id: 'a', at: 1000 });
      const retry = { ...first, position: 2n << 12n };
      const reused = { ...event(3, { id: 'b', at: 1000 }), row: { ...event(3, { id: 'b', at: 1000 }).row, name: 'visit' } };
      const rows = inside('doubled', [first, retry, event(4, { id: 'b', at: 1000 }), reused, exposure(5, { at: 1000 })]);

      it('are what arrived over what is kept, however often a message is delivered', async () => {
        const expected = { accepted: 5, stored: 4, duplicates: 1, idsReused: 1 };
        for (let delivery = 0; delivery < 3; delivery++) {
          await store.insert(rows, []);
          expect(await views.duplicates(of)).toEqual(expected);
        }
        await store.merge();
        expect(await views.duplicates(of)).toEqual(expected);
      });

      it('of a comparison are those of its own rows', async () => {
        expect(await views.duplicates(comparison([{}], { environment: 'doubled' }))).toEqual({
          accepted: 4,
          stored: 3,
          duplicates: 1,
          idsReused: 1,
        });
      });

      it('are as many when one of the units is erased, however often that is done', async () => {
        const twice = event(2, { id: 'a', unit: 2, at: 1000 });
        const all = [
          exposure(1, { at: 1000 }),
          twice,
          { ...twice, position: 3n << 12n },
          event(4, { at: 1000 }),
          event(5, { unit: 2, at: 1000 }),
        ];
        const erased = inside('erased', [...all, erasure(6, { unit: 2, at: 2000 }), event(7, { id: 'a', unit: 2, at: 3000 })]);
        for (let delivery = 0; delivery < 3; delivery++) {
          await store.insert(erased, []);
          expect(await views.duplicates({ project: 'shop', environment: 'erased' })).toMatchObject({ stored: 3, duplicates: 1 });
        }
      });

      it('of a message stored in parts are those of the whole', async () => {
        const message = Array.from({ length: 4 }, (_, row) => ({
          ...event(1, { id: `p${row}`, at: 1 }),
          position: (9n << 12n) + BigInt(row),
        }));
        const parts = inside('parts', message);
        await store.insert(parts.slice(0, 1), []);
        await store.insert(parts.slice(1), []);
        await store.insert(parts, []);
        await store.insert(parts.slice(2), []);
        expect(await views.duplicates({ project: 'shop', environment: 'parts' })).toEqual({
          accepted: 4,
          stored: 4,
          duplicates: 0,
          idsReused: 0,
        });
      });
    });

    describe('a preview', () => {
      it('says what a definition would count', async () => {
        const sized = (number: number, unit: number, size: number, value = '3000000') =>
          event(number, { unit, at: number, value, properties: { size } });
        const { row: bare, ...place } = event(4, { unit: 1, at: 4, properties: { size: 2 } });
        const { value: _, ...valueless } = bare;
        await store.insert(
          inside('preview', [sized(1, 1, 1), sized(2, 1, 2), sized(3, 2, 2, '9000000'), { ...place, row: valueless }]),
          [],
        );
        const definition = metricDefinition.parse({
          key: 'm',
          name: 'M',
          type: 'mean',
          unitType: 'user',
          numerator: { event: 'buy', filters: [{ property: 'size', operator: 'gt', value: 1 }] },
          capUpper: '5',
        });
        const of = { project: 'shop', environment: 'preview', definition };
        expect(await views.preview({ ...of, sinceUs: null })).toEqual({
          events: 4,
          matching: 3,
          unconverted: 1,
          units: 2,
          sum: 8_000_000n,
          firstAtUs: 1,
          lastAtUs: 4,
        });
        expect(await views.preview({ ...of, sinceUs: 3 })).toMatchObject({ events: 2, matching: 2, units: 2, sum: 5_000_000n });
        const last = { ...definition, aggregate: 'last' as const };
        expect(await views.preview({ ...of, definition: last, sinceUs: null })).toMatchObject({ sum: 8_000_000n });
        expect(await views.preview({ ...of, environment: 'nowhere', sinceUs: null })).toEqual({
          events: 0,
          matching: 0,
          unconverted: 0,
          units: 0,
          sum: null,
          firstAtUs: null,
          lastAtUs: null,
        });
      });
    });

    describe('what is there', () => {
      const of = { project: 'shop', environment: 'seen' };

      beforeAll(() =>
        store.insert(
          inside('seen', [
            exposure(1, { at: 10, unit: 255 }),
            event(2, { at: 20, properties: { country: 'de', size: 1.5, isNew: true } }),
            event(3, { at: 5, known: 30 }),
            event(4, { at: 40, name: 'visit', unitType: 'device' }),
          ]),
          [],
        ),
      );

      it('is listed by name and unit type', async () => {
        expect(await views.names(of)).toEqual([
          { kind: 'event', name: 'buy', unitType: 'user', rows: 2, firstAtUs: 5, lastAtUs: 20 },
          { kind: 'event', name: 'visit', unitType: 'device', rows: 1, firstAtUs: 40, lastAtUs: 40 },
          { kind: 'exposure', name: 'button', unitType: 'user', rows: 1, firstAtUs: 10, lastAtUs: 10 },
        ]);
      });

      it('says when each event was seen last', async () => {
        expect(await views.lastSeen(of)).toEqual([
          { name: 'buy', lastAtUs: 20 },
          { name: 'visit', lastAtUs: 40 },
        ]);
      });

      it('says which events were known in a stretch of time, whenever it is asked', async () => {
        const hour = 3_600_000_000;
        const at = (hours: number, name: string, number: number) => event(number, { at: 0, known: hours * hour, name });
        const rows = inside('heard', [at(10, 'first', 1), at(12, 'second', 2), at(34, 'second', 3), at(36.5, 'third', 4)]);
        await store.insert(rows, []);
        const heard = (afterUs: number, untilUs: number) => views.knownEvents({ project: 'shop', environment: 'heard' }, afterUs, untilUs);
        expect(await heard(10 * hour - 1, 34 * hour - 1)).toEqual(['first', 'second']);
        expect(await heard(10 * hour, 34 * hour)).toEqual(['second']);
        expect(await heard(12 * hour, 34 * hour - 1)).toEqual([]);
        expect(await heard(12.5 * hour, 36.5 * hour - 1)).toEqual(['second']);
        expect(await heard(12.5 * hour, 36.5 * hour)).toEqual(['second', 'third']);
        await store.merge();
        expect(await heard(12.5 * hour, 36.5 * hour)).toEqual(['second', 'third']);
        await expect(heard(hour, hour + 1)).rejects.toThrow(RangeError);
      });

      it('is shown newest first, with everything a row says', async () => {
        const rows = await views.tail({ ...of, limit: 10 });
        expect(rows.map(({ knownAtUs }) => knownAtUs)).toEqual([40, 30, 20, 10]);
        expect(rows[2]).toMatchObject({
          kind: 'metric',
          name: 'buy',
          value: '1000000',
          properties: { country: 'de', size: 1.5, isNew: true },
        });
        expect(rows[3]).toMatchObject({
          kind: 'exposure',
          name: 'button',
          variant: 'a',
          segment: 1,
          reason: 'SPLIT',
          unit: `${'0'.repeat(30)}ff`,
        });
        expect(await views.tail({ ...of, limit: 1 })).toHaveLength(1);
        expect(await views.tail({ ...of, name: 'button', limit: 10 })).toHaveLength(1);
        expect(await views.tail({ ...of, unit: `${'0'.repeat(30)}ff`, limit: 10 })).toHaveLength(1);
      });

      it('says when its history was completed', async () => {
        expect(await views.completedImport(of)).toBeNull();
        await store.insert(inside('seen', [importCompleted(7, { at: 900, known: 1_000, knownAt: 900 })]), []);
        expect(await views.completedImport(of)).toEqual({ untilUs: 900, loggedAtUs: 1_000 });
        await store.insert(inside('seen', [importCompleted(8, { at: 950, known: 2_000, knownAt: 950 })]), []);
        expect(await views.completedImport(of)).toEqual({ untilUs: 950, loggedAtUs: 2_000 });
        expect(await views.completedImport({ ...of, loggedUntilUs: 1_999 })).toEqual({ untilUs: 900, loggedAtUs: 1_000 });
        expect(await views.completedImport({ ...of, loggedUntilUs: 999 })).toBeNull();
      });

      it('says which names and how many rows of a history came by a completion, and how many later', async () => {
        const history = { project: 'shop', environment: 'added-to' };
        const rows = [
          exposure(1, { at: 100, known: 1_000, knownAt: 100 }),
          event(2, { at: 110, known: 1_000, knownAt: 110 }),
          event(3, { at: 120, known: 1_001, knownAt: 120, name: 'refund' }),
          event(4, { at: 130, known: 1_002, knownAt: 130 }),
          event(4, { at: 130, known: 1_003, knownAt: 130 }),
        ];
        await store.insert(inside('added-to', rows), []);
        expect((await views.lastSeen(history)).map(({ name }) => name)).toEqual(['buy', 'refund']);
        expect(await views.lastSeen({ ...history, loggedUntilUs: 1_000 })).toEqual([{ name: 'buy', lastAtUs: 110 }]);
        const query = comparison([{}], { environment: 'added-to', historical: true });
        expect(await views.laterRows(query)).toBe(0);
        expect(await views.laterRows({ ...query, loggedUntilUs: 1_000 })).toBe(1);
        expect(await views.laterRows({ ...query, loggedUntilUs: 999 })).toBe(3);
      });
    });

    describe('what ingestion answered', () => {
      it('is added up by key and name, once for each message', async () => {
        const count = { project: 'shop', environment: 'stats', key: 'k1', kind: 'metric', name: 'buy' } as const;
        const message = (offset: bigint, atUs: number) => ({
          partition: 0,
          position: offset << 12n,
          value: { instance: 'i', atUs, counts: [{ ...count, accepted: 5, rejected: { missing: 2 } }] },
        });
        await views.insertStats([message(1n, 100), message(2n, 200)]);
        await views.insertStats([message(2n, 200)]);
        const of = { project: 'shop', environment: 'stats' };
        const { project: _p, environment: _e, ...shown } = count;
        expect(await views.stats({ ...of, sinceUs: 0 })).toEqual([{ ...shown, accepted: 10, rejected: { missing: 4 }, lastAtUs: 200 }]);
        expect(await views.stats({ ...of, sinceUs: 150, key: 'k1' })).toMatchObject([{ accepted: 5 }]);
        expect(await views.stats({ ...of, sinceUs: 0, name: 'other' })).toEqual([]);
      });

      it('and did not believe is listed page by page, newest first', async () => {
        const letter = (offset: number, code: string) => ({
          partition: 0,
          position: BigInt(offset) << 12n,
          value: {
            project: 'shop',
            environment: 'letters',
            key: 'k1',
            code,
            path: '/0',
            message: 'm',
            receivedAtUs: offset,
            eventId: null,
            source: 's',
            raw: '{}',
          } satisfies DeadLetter,
        });
        await views.insertDeadLetters([letter(1, 'missing'), letter(2, 'too-long'), letter(3, 'missing')]);
        const of = { project: 'shop', environment: 'letters' };
        const page = await views.deadLetters({ ...of, limit: 2 });
        expect(page.letters.map(({ id, code }) => [id, code])).toEqual([
          ['0-3', 'missing'],
          ['0-2', 'too-long'],
        ]);
        expect(page.byCode).toEqual({ missing: 2, 'too-long': 1 });
        const rest = await views.deadLetters({ ...of, limit: 2, before: page.next ?? '' });
        expect(rest.letters.map(({ id }) => id)).toEqual(['0-1']);
        expect(rest.next).toBeNull();
        expect((await views.deadLetters({ ...of, code: 'too-long', limit: 10 })).letters).toHaveLength(1);
        await views.dropDeadLetters(0, 3n << 12n);
        expect((await views.deadLetters({ ...of, limit: 10 })).letters.map(({ id }) => id)).toEqual(['0-3']);
      });
    });

    describe('counts and letters that are refused', () => {
      const counts = [
        { project: 'shop', environment: 'halves', key: 'k1', kind: 'metric', name: 'half a pair: \ud800', accepted: 1, rejected: {} },
      ] as const;
      const message = { partition: 0, position: 1n << 12n, value: { instance: 'i', atUs: 1, counts } };

      it('may be tried again while their table is not there: no message is to blame', async () => {
        const unprepared = new ClickhouseFeedbackViews({ ...clickhouse, database: `${clickhouse.database}_none` });
        await expect(unprepared.insertStats([message])).rejects.toMatchObject({ name: 'StoreError', retriable: true });
        await unprepared.close();
      });

      it('are none for half of a surrogate pair', async () => {
        await views.insertStats([message]);
        const [kept] = await views.stats({ project: 'shop', environment: 'halves', sinceUs: 0 });
        expect(kept).toMatchObject({ name: 'half a pair: \ufffd', accepted: 1 });
      });
    });
  });
};
