/** The log on PostgreSQL between processes of their own: writers side by side, and what happens when one is killed or hangs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import { PostgresEventLog } from './postgres-event-log.js';

/** Appends "name:0", "name:1" … to two partitions, twenty calls in flight, and says which are acknowledged. */
const writer = `
  let next = 0;
  const write = async () => {
    while (next < count) {
      const n = next++;
      await log.append(topic, [{ partition: n % 2, value: name + ':' + n }]);
      process.stdout.write(n + '\\n');
    }
  };
  await Promise.all(Array.from({ length: 20 }, write));
  await log.close();
`;
/** Takes batches of at most ten, slowly, and says which offsets it was given. */
const consumer = `
  log.consume({
    topic, group: 'g', maxMessages: 10,
    onBatch: async ({ partition, messages }) => {
      for (const { offset } of messages) process.stdout.write(partition + '/' + offset + '\\n');
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    onPoison: async () => {},
  });
`;

/** Stops itself when the first message has come and the many megabytes of the other partition are on their way. */
const glutton = `
  log.consume({
    topic, group: 'g', maxBytes: 2 ** 27,
    onBatch: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      process.kill(process.pid, 'SIGSTOP');
    },
    onPoison: async () => {},
  });
`;

interface Child {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  readonly ended: Promise<number | null>;
}

const timeoutMs = 60_000;

describe('the log on PostgreSQL, between processes', () => {
  let database: FreshDatabase;
  let log: PostgresEventLog;
  const children: ChildProcess[] = [];

  const child = (body: string, topic: string, { name = '', count = 0 } = {}): Child => {
    const door = new URL('./postgres-event-log.js', import.meta.url).href;
    const settings = JSON.stringify({ url: database.url, roundMs: 50, patienceMs: 1_000 });
    const source = `import { PostgresEventLog } from '${door}';
      const [topic, name, count] = ${JSON.stringify([topic, name, count])};
      const log = new PostgresEventLog(${settings});
      ${body}`;
    const started = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
    children.push(started);
    const lines: string[] = [];
    createInterface({ input: started.stdout }).on('line', (line) => lines.push(line));
    return { process: started, lines, ended: new Promise((resolve) => started.once('close', resolve)) };
  };
  const stored = async (topic: string, partition: number) => {
    const [offsets] = (await log.offsets(topic)).slice(partition);
    return log.read({ topic, partition, offset: 0, limit: offsets?.end ?? 0 });
  };

  beforeAll(async () => {
    database = await freshDatabase();
    log = new PostgresEventLog({ url: database.url, roundMs: 50, patienceMs: 1_000 });
  });
  afterAll(async () => {
    for (const one of children) one.kill('SIGKILL');
    await log?.close();
    await database?.drop();
  });

  it(
    'has no gap and nothing out of order while three processes write and one reads',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      const recorder = new Recorder();
      log.consume(recorder.options(topic, 'g'));
      const writers = ['a', 'b', 'c'].map((name) => child(writer, topic, { name, count: 1_500 }));
      expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0, 0]);
      await recorder.until(4_500);
      for (const partition of [0, 1]) {
        const messages = recorder.messages.filter((message) => message.partition === partition);
        expect(messages.map(({ offset }) => offset)).toEqual(messages.map((_, index) => index));
        const times = messages.map(({ knownAtUs }) => knownAtUs);
        expect(times.findIndex((at, index) => index > 0 && at <= (times[index - 1] ?? Number.NaN))).toBe(-1);
        for (const name of ['a', 'b', 'c']) {
          const own = messages.map((message) => (textOf(message) ?? '').split(':')).filter(([who]) => who === name);
          const numbers = own.map(([, number]) => Number(number));
          expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
          expect(numbers).toHaveLength(750);
        }
      }
    },
    timeoutMs,
  );

  it('wakes consumers and followers at once, long before they would look around by themselves', async () => {
    const sleepy = new PostgresEventLog({ url: database.url, roundMs: 600_000 });
    const topic = await freshTopic(log, { partitions: 2 });
    const [consumer, follower] = [new Recorder(), new Recorder()];
    const running = sleepy.consume(consumer.options(topic, 'g'));
    await sleepy.follow({ topic, onBatch: follower.options(topic, '-').onBatch }).caughtUp;
    await eventually('two partitions', () => running.stats().partitions.length === 2);
    await sleep(100);
    for (const count of [1, 2, 3]) {
      await log.append(topic, [{ partition: count % 2, value: `${count}` }]);
      await Promise.all([consumer.until(count), follower.until(count)]);
    }
    await sleepy.close();
  });

  it(
    'keeps everything that a writer was told is durable before it was killed',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      const victim = child(writer, topic, { name: 'v', count: 1_000_000 });
      await eventually('some acknowledged messages', () => victim.lines.length > 300);
      victim.process.kill('SIGKILL');
      await victim.ended;
      const numbers = (await Promise.all([0, 1].map((partition) => stored(topic, partition))))
        .flat()
        .map((message) => (textOf(message) ?? '').slice(2));
      const kept = new Set(numbers);
      expect(victim.lines.filter((line) => line !== '' && !kept.has(line))).toEqual([]);
      // The partitions are free at once for everybody else.
      expect(await log.append(topic, [{ partition: 0, value: 'next' }])).toHaveLength(1);
    },
    timeoutMs,
  );

  it(
    'hands a killed consumer’s partitions over within a second, and gives at most the batches in its hands again',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      await log.append(
        topic,
        Array.from({ length: 400 }, (_, n) => ({ partition: n % 2, value: `${n}` })),
      );
      const victim = child(consumer, topic);
      await eventually('some batches', () => victim.lines.length >= 80);
      const recorder = new Recorder();
      log.consume(recorder.options(topic, 'g'));
      victim.process.kill('SIGKILL');
      await victim.ended;
      const killedAt = performance.now();
      await recorder.until(1);
      await eventually('the end of both partitions', () => lastOffsets(recorder).join() === '199,199');
      expect(performance.now() - killedAt).toBeLessThan(3_000);
      const heirs = recorder.messages.map(({ partition, offset }) => `${partition}/${offset}`);
      const all = new Set([...victim.lines, ...heirs]);
      expect(all.size).toBe(400);
      expect(victim.lines.length + heirs.length - 400).toBeLessThanOrEqual(20);
    },
    timeoutMs,
  );

  it(
    'takes the partitions from a consumer that hangs, and lets it commit nothing when it wakes up',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      const append = () =>
        log.append(
          topic,
          [0, 1].map((partition) => ({ partition, value: 'x' })),
        );
      await append();
      const hung = child(consumer, topic);
      await eventually('both messages', () => hung.lines.length === 2);
      const recorder = new Recorder();
      hung.process.kill('SIGSTOP');
      await append();
      const heir = log.consume(recorder.options(topic, 'g'));
      await eventually('both partitions taken', () => heir.stats().partitions.length === 2);
      await eventually('both ends', () => lastOffsets(recorder).join() === '1,1');
      hung.process.kill('SIGCONT');
      await eventually('a fair share again', () => heir.stats().partitions.length === 1);
      await append();
      await eventually(
        'everything told',
        () => new Set([...hung.lines, ...recorder.messages.map((m) => `${m.partition}/${m.offset}`)]).size === 6,
      );
      await heir.close();
    },
    timeoutMs,
  );

  it(
    'takes them also from one that hangs while the server sends it a batch',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      await log.append(topic, [{ partition: 0, value: 'small' }]);
      for (let n = 0; n < 60; n += 1) await log.append(topic, [{ partition: 1, value: 'x'.repeat(2 ** 20) }]);
      const hung = child(glutton, topic);
      await eventually('a consumer that has stopped', () => isStopped(hung.process.pid));
      const recorder = new Recorder();
      log.consume(recorder.options(topic, 'g'));
      await recorder.until(61);
      hung.process.kill('SIGKILL');
    },
    timeoutMs,
  );
});

/** As the kernel says, on Linux; elsewhere a while has to do. */
const isStopped = async (pid: number | undefined): Promise<boolean> => {
  if (process.platform !== 'linux') return sleep(1_000, true);
  return (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') T ');
};

const lastOffsets = (recorder: Recorder): readonly number[] =>
  [0, 1].map((partition) => recorder.messages.findLast((message) => message.partition === partition)?.offset ?? -1);
