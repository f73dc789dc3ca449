/** The log on Kafka between processes of their own: what happens when a consumer is killed or stands still. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kafkaAddress } from '@rampart/test-engines';
import { eventually, freshTopic, Recorder } from './contract/harness.js';
import { KafkaEventLog } from './kafka-event-log.js';

const settings = { brokers: kafkaAddress().split(','), roundMs: 100, sessionMs: 2_000 };
const timeoutMs = 60_000;

/** Takes batches of at most ten, slowly, and says which offsets it was given. */
const consumer = (topic: string) => `
  import { KafkaEventLog } from '${new URL('./kafka-event-log.js', import.meta.url).href}';
  const log = new KafkaEventLog(${JSON.stringify(settings)});
  const consumer = log.consume({
    topic: '${topic}', group: 'g', maxMessages: 10,
    onBatch: async ({ partition, messages }) => {
      for (const { offset, knownAtUs } of messages) process.stdout.write('got ' + partition + '/' + offset + ' ' + knownAtUs + '\\n');
      await new Promise((resolve) => setTimeout(resolve, 30));
    },
    onPoison: async () => {},
  });
  setInterval(() => { const { error } = consumer.stats(); if (error) process.stdout.write('error ' + error + '\\n'); }, 20);
`;

describe('a group on Kafka, between processes', () => {
  let log: KafkaEventLog;
  const children: ChildProcess[] = [];
  const child = (topic: string) => {
    const started = spawn(process.execPath, ['--input-type=module', '--eval', consumer(topic)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {},
    });
    children.push(started);
    const lines: string[] = [];
    createInterface({ input: started.stdout }).on('line', (line) => lines.push(line));
    const got = () => lines.filter((line) => line.startsWith('got ')).map((line) => line.slice(4));
    return { process: started, lines, got };
  };
  const fill = (topic: string, count: number) =>
    log.append(
      topic,
      Array.from({ length: count }, (_, n) => ({ partition: n % 2, value: `${n}` })),
    );
  const told = (recorder: Recorder) => recorder.messages.map(({ partition, offset, knownAtUs }) => `${partition}/${offset} ${knownAtUs}`);

  beforeAll(() => {
    log = new KafkaEventLog(settings);
  });
  afterAll(async () => {
    for (const one of children) one.kill('SIGKILL');
    await log?.close();
  });

  it(
    'hands a killed consumer’s partitions over within the session, with the same known times, and repeats at most the batches in its hands',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      await fill(topic, 400);
      const victim = child(topic);
      await eventually('some batches', () => victim.got().length >= 80);
      victim.process.kill('SIGKILL');
      const killedAt = performance.now();
      const recorder = new Recorder();
      log.consume(recorder.options(topic, 'g'));
      await recorder.until(1);
      expect(performance.now() - killedAt).toBeLessThan(settings.sessionMs + 1_500);
      await eventually('everything', () => new Set([...victim.got(), ...told(recorder)]).size >= 400);
      const all = [...victim.got(), ...told(recorder)];
      expect(new Set(all).size).toBe(400);
      expect(all.length - 400).toBeLessThanOrEqual(20);
    },
    timeoutMs,
  );

  it(
    'takes the partitions from a consumer that stands still for longer than the session; what it finishes later is not committed',
    async () => {
      const topic = await freshTopic(log, { partitions: 2 });
      await fill(topic, 100);
      const zombie = child(topic);
      await eventually('some batches', () => zombie.got().length >= 20);
      zombie.process.kill('SIGSTOP');
      const recorder = new Recorder();
      const heir = log.consume(recorder.options(topic, 'g'));
      await eventually('both partitions', () => heir.stats().partitions.length === 2);
      await eventually('the end', () => heir.stats().partitions.every(({ next }) => next === 50));
      const known = zombie.lines.length;
      zombie.process.kill('SIGCONT');
      await eventually('a fair share again', () => heir.stats().partitions.length === 1);
      // It was told that it had lost them, and its commit would have set the group back.
      expect(zombie.lines.slice(known).some((line) => line.startsWith('error '))).toBe(true);
      await fill(topic, 20);
      await eventually('everything', () => new Set([...zombie.got(), ...told(recorder)]).size === 120);
      const [first, second] = [recorder.messages.length, zombie.got().length];
      expect(first + second - 120).toBeLessThanOrEqual(40);
    },
    timeoutMs,
  );
});
