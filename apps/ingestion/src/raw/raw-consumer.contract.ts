/** What the raw door does on every log: which events it believes, where the others go, and that none is lost or kept with its key. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DEAD_LETTERS,
  DEFINITIONS,
  type DeadLetter,
  FEEDBACK,
  type FeedbackRow,
  INGEST_STATS,
  type IngestStats,
  RAW_FEEDBACK,
  rawTopicSpec,
  topicSpecs,
} from '@rampart/contracts';
import type { EventLog, OutgoingMessage } from '@rampart/event-log';
import { Pseudonyms } from '@rampart/feedback-rows';
import { AccessJournal, createLog, Metrics, Readiness } from '@rampart/service-kit';
import { IntakeScopes } from '../doors/intake-scopes.js';
import { purchase } from '../intake/event.examples.js';
import { IngestCounters } from '../running/ingest-counters.js';
import { Intake } from '../running/intake.service.js';
import { LogLink } from '../running/log-link.js';
import { definitions, key, newKey } from '../running/started-ingestion.examples.js';
import { RawConsumer } from './raw.consumer.js';
import { RawKeys } from './raw-keys.js';

export interface RawLog {
  /** As another process would. */
  open(): Promise<EventLog>;
  dispose(): Promise<void>;
}

const PARTITIONS = 2;
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };

/** One ingestion process without its HTTP door. */
const started = async (log: EventLog) => {
  const metrics = new Metrics('ingestion');
  const lines = createLog('ingestion', 'silent');
  const counters = new IngestCounters(log, metrics, lines);
  const link = new LogLink(log, counters, new AccessJournal(), new Readiness(), PARTITIONS, lines);
  const scopes = new IntakeScopes(link);
  const intake = new Intake(log, link, counters, new Pseudonyms('the secret of this spec'));
  const consumer = new RawConsumer(log, link, new RawKeys(log, link, scopes), intake, counters, metrics, lines);
  consumer.onModuleInit();
  link.onModuleInit();
  return {
    metrics,
    stop: async () => {
      await consumer.beforeApplicationShutdown();
      await link.onApplicationShutdown();
    },
  };
};

export const rawConsumerContract = (name: string, openLog: () => Promise<RawLog>): void => {
  describe(`raw events on ${name}`, () => {
    let rawLog: RawLog;
    let log: EventLog;
    const processes: Awaited<ReturnType<typeof started>>[] = [];

    beforeAll(async () => {
      rawLog = await openLog();
      log = await rawLog.open();
      for (const spec of [...topicSpecs(PARTITIONS), rawTopicSpec(PARTITIONS)]) await log.createTopic(spec);
      await log.append(DEFINITIONS, definitions());
      for (let count = 0; count < 2; count += 1) processes.push(await started(await rawLog.open()));
    }, 60_000);

    afterAll(async () => {
      for (const process of processes) await process.stop();
      await log?.close();
      await rawLog?.dispose();
    });

    const write = (...messages: readonly Omit<OutgoingMessage, 'partition'>[]) =>
      log.append(
        RAW_FEEDBACK,
        messages.map((message, index) => ({ partition: index % PARTITIONS, ...message })),
      );
    const structured = (event: object) => ({ value: JSON.stringify(event), headers: STRUCTURED });
    const contents = async <Content>(topic: string): Promise<readonly Content[]> => {
      const all: Content[] = [];
      for await (const { value } of log.readAll(topic)) if (value !== null) all.push(JSON.parse(Buffer.from(value).toString('utf8')));
      return all;
    };
    const eventually = async <Found>(what: string, ask: () => Promise<Found | undefined>): Promise<Found> => {
      const deadline = Date.now() + 15_000;
      for (;;) {
        const found = await ask();
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`not within 15 s: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const rowsOf = (source: string, count: number): Promise<readonly FeedbackRow[]> =>
      eventually(`${count} rows of ${source}`, async () => {
        const rows = (await contents<readonly FeedbackRow[]>(FEEDBACK)).flat().filter((row) => row.source === source);
        return rows.length >= count ? rows : undefined;
      });
    const lettersWith = (isMeant: (letter: DeadLetter) => boolean, count = 1): Promise<readonly DeadLetter[]> =>
      eventually(`${count} letters`, async () => {
        const letters = (await contents<DeadLetter>(DEAD_LETTERS)).filter(isMeant);
        return letters.length >= count ? letters : undefined;
      });
    const letterOf = async (id: string): Promise<DeadLetter | undefined> => (await lettersWith(({ eventId }) => eventId === id))[0];

    it('are believed in each mode, and belong where their key does', async () => {
      const { data, ...attributes } = purchase({ source: 'modes', id: 'binary' });
      const headers = Object.fromEntries(Object.entries(attributes).map(([attribute, value]) => [`ce_${attribute}`, value]));
      await write(
        structured(purchase({ source: 'modes', id: 'structured', writekey: key('emits') })),
        { value: JSON.stringify(data), headers: { ...headers, ce_writekey: key('emits'), 'content-type': 'application/json' } },
        {
          value: JSON.stringify([purchase({ source: 'modes', id: 'b0' }), purchase({ source: 'modes', id: 'b1' })]),
          headers: { 'content-type': 'application/cloudevents-batch+json', ce_writekey: key('imports') },
        },
      );
      const rows = await rowsOf('modes', 4);
      const [binary, structuredRow] = ['binary', 'structured'].map((id) => rows.find((row) => row.id === id));
      expect(structuredRow).toMatchObject({
        project: 'shop',
        environment: 'production',
        key: 'emits',
        value: '12500000',
        at: expect.any(Number),
      });
      expect(binary).toEqual({ ...structuredRow, id: 'binary' });
      expect(rows.filter(({ id }) => id.startsWith('b') && id !== 'binary').map(({ environment }) => environment)).toEqual([
        'past',
        'past',
      ]);
      expect(JSON.stringify(rows)).not.toContain(key('emits'));
    });

    it('without a time happened when the log got them', async () => {
      const { time: _, ...timeless } = purchase({ source: 'timeless', writekey: key('emits') });
      const [appended] = await write(structured(timeless));
      const [row] = await rowsOf('timeless', 1);
      const [message] = await log.read({ topic: RAW_FEEDBACK, partition: 0, offset: appended?.offset ?? -1, limit: 1 });
      expect(row?.at).toBe(message?.appendedAtUs);
    });

    it('that are wrong are letters with reason, path and place, and their neighbours count', async () => {
      const bad = (id: string, more: object) => structured({ ...purchase({ source: 'neighbours', id, writekey: key('emits') }), ...more });
      await write(bad('w0', { data: { ...purchase().data, value: '12' } }), bad('good', {}), bad('w1', { specversion: '0.3' }));
      const [appended] = await write(bad('w2', { padding: 'x'.repeat(70_000) }));
      await rowsOf('neighbours', 1);
      const common = { project: 'shop', environment: 'production', key: 'emits', topic: RAW_FEEDBACK, source: 'neighbours' };
      expect(await letterOf('w0')).toMatchObject({ ...common, code: 'value-not-a-number', path: '/data/value' });
      expect(await letterOf('w1')).toMatchObject({ ...common, code: 'unsupported-specversion', path: '/specversion' });
      expect(await letterOf('w2')).toMatchObject({ ...common, code: 'too-large', raw: null, position: `0-${appended?.offset}` });
      const raw = JSON.parse((await letterOf('w0'))?.raw ?? '');
      expect(raw).toEqual({ ...purchase({ source: 'neighbours', id: 'w0' }), data: { ...purchase().data, value: '12' } });
    });

    it('of an array are told apart by their path', async () => {
      const events = [purchase({ source: 'array', id: 'a0' }), purchase({ source: 'array', id: 'a1' }, { name: '' }), 7];
      await write({ value: JSON.stringify(events), headers: { ce_writekey: key('emits') } });
      await rowsOf('array', 1);
      expect(await letterOf('a1')).toMatchObject({ code: 'missing', path: '/1/data/name' });
      expect((await lettersWith(({ path }) => path === '/2'))[0]).toMatchObject({ code: 'not-an-object', raw: '7' });
    });

    it('whose key is missing, unknown, revoked or of the wrong kind say so, as far as they belong to somebody', async () => {
      const keyed = (id: string, writekey: unknown) => structured(purchase({ source: 'keys', id, writekey }));
      const stranger = `rk_stranger_${'s'.repeat(43)}`;
      await write(keyed('k0', undefined), keyed('k1', 12), keyed('k2', stranger), keyed('k3', key('gone')), keyed('k4', key('manages')));
      await write(keyed('k5', key('emitspast')), keyed('k6', 'x'.repeat(600)));
      const nobody = { project: null, environment: null };
      const shop = { project: 'shop', environment: 'production' };
      expect(await letterOf('k0')).toMatchObject({ ...nobody, key: null, code: 'key-missing', path: '/writekey' });
      expect(await letterOf('k1')).toMatchObject({ ...nobody, code: 'key-missing', message: 'writekey must be text, got a number' });
      expect(await letterOf('k2')).toMatchObject({ ...nobody, code: 'key-unknown', key: 'stranger' });
      expect(await letterOf('k3')).toMatchObject({ ...shop, code: 'key-revoked', key: 'gone' });
      expect(await letterOf('k4')).toMatchObject({ ...shop, code: 'wrong-role', key: 'manages' });
      expect(await letterOf('k5')).toMatchObject({ project: 'shop', environment: 'past', code: 'environment-kind', key: 'emitspast' });
      expect(await letterOf('k6')).toMatchObject({ ...nobody, code: 'key-unknown' });
      const letters = JSON.stringify(await contents<DeadLetter>(DEAD_LETTERS));
      for (const secret of [stranger, key('gone'), key('manages'), key('emits'), 'x'.repeat(100)])
        expect(letters.includes(secret)).toBe(false);
    });

    it('that no program can read are kept for people', async () => {
      await write(
        // What a transaction or a new generation leaves in the topic says nothing, and is no letter.
        { value: null, headers: { tick: '1' } },
        { value: `{"id":"x1","writekey":"${key('emits')}`, headers: STRUCTURED },
        { value: Buffer.from([0x7b, 0xff, 0xfe]), headers: { ...STRUCTURED, ce_writekey: key('emits') } },
        { value: null },
      );
      const letters = await lettersWith(({ code }) => code === 'not-json' || code === 'not-utf8', 3);
      expect(letters.map(({ project, code, raw }) => [project, code, raw]).sort()).toEqual([
        [null, 'not-json', null],
        [null, 'not-json', '{"id":"x1","writekey":"…'],
        ['shop', 'not-utf8', expect.stringContaining('{')],
      ]);
    });

    it('wait for a key that was not published when they came', async () => {
      await write(structured(purchase({ source: 'early', writekey: key('fresh') })));
      await new Promise((resolve) => setTimeout(resolve, 300));
      await log.append(DEFINITIONS, [newKey('fresh')]);
      expect(await rowsOf('early', 1)).toMatchObject([{ key: 'fresh', environment: 'production' }]);
    });

    it('become few messages, each with many rows', async () => {
      const countOf = async () => (await log.offsets(FEEDBACK)).reduce((sum, { end }) => sum + end, 0);
      const [before, startedAtMs] = [await countOf(), Date.now()];
      const events = Array.from({ length: 2_000 }, (_, index) =>
        structured(
          purchase({ source: 'many', id: `m${index}`, writekey: key('emits') }, { unit: { type: 'user', id: `u${index % 300}` } }),
        ),
      );
      await write(...events);
      expect(new Set((await rowsOf('many', 2_000)).map(({ id }) => id)).size).toBe(2_000);
      // Each process ticks once a second in each partition.
      const ticks = Math.ceil((Date.now() - startedAtMs) / 1_000 + 1) * PARTITIONS * processes.length;
      expect((await countOf()) - before - ticks).toBeLessThan(200);
    });

    it('are shared by the processes of the group, and counted', async () => {
      const texts = await Promise.all(processes.map(({ metrics }) => metrics.registry.metrics()));
      expect(texts.join('\n')).toMatch(/rampart_ingest_events_accepted_total\{[^}]*door="raw"[^}]*\} \d/);
      const counts = await eventually('the counts of the raw door', async () => {
        const all = (await contents<IngestStats>(INGEST_STATS)).flatMap(({ counts: some }) => some).filter(({ key: id }) => id === 'gone');
        return all.length > 0 ? all : undefined;
      });
      expect(counts[0]).toMatchObject({ project: 'shop', environment: 'production', kind: 'metric', rejected: { 'key-revoked': 1 } });
    });
  });
};
