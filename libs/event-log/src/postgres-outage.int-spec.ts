/** The log on PostgreSQL while its server is away, and after it came back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dyingPostgres, type OwnPostgres, ownPostgres } from '@rampart/test-engines';
import pg from 'pg';
import { appendTexts, eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import { LogUnavailableError } from './log-errors.js';
import { PostgresEventLog } from './postgres-event-log.js';

const timeoutMs = 90_000;

describe('the log on PostgreSQL, when its server goes', () => {
  let server: OwnPostgres;
  let log: PostgresEventLog;

  beforeAll(async () => {
    server = await ownPostgres();
    log = new PostgresEventLog({ url: server.url, roundMs: 50, patienceMs: 2_000 });
  }, timeoutMs);
  afterAll(async () => {
    await log?.close();
    await server?.remove();
  });

  /** Appends one message after the other, each until it is taken; counts the refusals. */
  const steadyWriter = (topic: string) => {
    const refusals: unknown[] = [];
    const acknowledged: string[] = [];
    let isDone = false;
    const writing = (async () => {
      for (let n = 0; !isDone; n += 1) {
        for (;;) {
          try {
            await appendTexts(log, topic, [`${n}`]);
            acknowledged.push(`${n}`);
            break;
          } catch (error) {
            refusals.push(error);
            await sleep(20);
          }
        }
      }
    })();
    const stop = async () => {
      isDone = true;
      await writing;
    };
    return { refusals, acknowledged, stop };
  };

  it.each(['fast', 'kill'] as const)(
    'refuses retriably while the server is away (%s), goes on by itself, and has lost nothing acknowledged',
    async (how) => {
      const topic = await freshTopic(log);
      const recorder = new Recorder();
      const follower = new Recorder();
      const consumer = log.consume(recorder.options(topic, `g-${how}`));
      const following = log.follow({ topic, onBatch: follower.options(topic, '-').onBatch });
      const writer = steadyWriter(topic);
      await eventually('some messages', () => recorder.messages.length > 50 && follower.messages.length > 50);

      await server.stop(how);
      const before = writer.refusals.length;
      await eventually('refusals', () => writer.refusals.length > before + 3);
      expect(consumer.stats()).toMatchObject({ state: 'connecting', error: expect.any(String) });
      await server.start();

      const at = writer.acknowledged.length;
      await eventually('new messages', () => writer.acknowledged.length > at + 50);
      await writer.stop();
      for (const refusal of writer.refusals) {
        expect(refusal).toBeInstanceOf(LogUnavailableError);
        expect(refusal).toMatchObject({ retriable: true, retryAfterMs: 1_000 });
      }
      const last = writer.acknowledged.at(-1) ?? '';
      await eventually('the last message', () => recorder.texts.includes(last) && follower.texts.includes(last));
      for (const reader of [recorder, follower]) {
        const told = new Set(reader.texts);
        expect(writer.acknowledged.filter((text) => !told.has(text))).toEqual([]);
      }
      const stored = await log.read({ topic, partition: 0, offset: 0, limit: 100_000 });
      expect(stored.map(({ offset }) => offset)).toEqual(stored.map((_, index) => index));
      // A retry may have repeated the one message in hand; nothing else.
      expect(stored.length - new Set(stored.map(textOf)).size).toBeLessThanOrEqual(1);
      await Promise.all([consumer.close(), following.close()]);
    },
    timeoutMs,
  );

  it(
    'has one connection for appends, also after it lost one that several were waiting for',
    async () => {
      const other = new PostgresEventLog({ url: server.url });
      const [plain, compacted] = [await freshTopic(other), await freshTopic(other, { compacted: true })];
      // Two: within a transaction the list of sessions stands still.
      const [admin, locker] = [new pg.Client({ connectionString: server.url }), new pg.Client({ connectionString: server.url })];
      await Promise.all([admin.connect(), locker.connect()]);
      for (const client of [admin, locker]) client.on('error', () => undefined);
      const appending = `from pg_stat_activity where application_name = 'rampart log: append'`;
      await appendTexts(log, await freshTopic(log), ['so that the connection of the others is there']);
      const { rows: before } = await admin.query(`select pid ${appending}`);

      await locker.query('begin');
      await locker.query('select from log.partition where topic = $1 for update', [plain]);
      const held = appendTexts(other, plain, ['waits for the lock']).catch((error: unknown) => error);
      const isHeld = async () => (await admin.query(`select ${appending} and wait_event_type = 'Lock'`)).rowCount === 1;
      await eventually('an append that waits', isHeld);
      const queuedBytes = () => other.stats().append.queuedBytes;
      const heldBytes = queuedBytes();
      const behind = other.append(compacted, [{ partition: 0, key: 'k', value: 'v' }]).catch((error: unknown) => error);
      // It reads what its topic is first: before that it waits for no connection.
      await eventually('an append behind it', () => queuedBytes() > heldBytes);
      const next = appendTexts(other, plain, ['waits for the first']);
      await admin.query(`select pg_terminate_backend(pid) ${appending} and wait_event_type = 'Lock'`);
      await locker.end();
      expect(await Promise.all([held, behind])).toEqual([expect.any(LogUnavailableError), expect.any(LogUnavailableError)]);
      await next;
      await other.append(compacted, [{ partition: 0, key: 'k', value: 'v' }]);
      await other.close();

      const count = async () => (await admin.query(`select pid ${appending}`)).rowCount;
      await eventually('no connection that is left over', async () => (await count()) === before.length);
      await admin.end();
    },
    timeoutMs,
  );

  it('refuses retriably when the server dies as it lets it in', async () => {
    const dying = await dyingPostgres();
    const other = new PostgresEventLog({ url: dying.url });
    await expect(other.createTopic({ topic: 'any', partitions: 1, compacted: false })).rejects.toBeInstanceOf(LogUnavailableError);
    await other.close();
    await dying.close();
  });

  it(
    'closes while the server is away',
    async () => {
      const other = new PostgresEventLog({ url: server.url, patienceMs: 500 });
      const topic = await freshTopic(other);
      const consumer = other.consume(new Recorder().options(topic, 'g'));
      await eventually('a running consumer', () => consumer.stats().state === 'running');
      await server.stop('kill');
      const pending = appendTexts(other, topic, ['lost?']).catch((error: unknown) => error);
      await other.close();
      expect(await pending).toBeInstanceOf(LogUnavailableError);
      await consumer.done;
      await server.start();
    },
    timeoutMs,
  );
});
