/** More than is drained, with limits so small that they are reached at once; the long form is a benchmark. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { clickhouse } from '../bench/engines.js';
import { keptOf, NumberedLoad, storedBodies } from '../bench/overload-load.js';
import { type OverloadWorld, startWorld, writeKey } from '../bench/overload-world.js';
import { eventually } from './platform.js';
import { isOnKafka } from './servers.js';

const QUEUED_BYTES = 65_536;
const HELD_BYTES = 65_536;
const PARTITIONS = 4;
/** More than the rows of a body, which may all be in one partition, take in the log. */
const MOST_OF_A_MESSAGE = 65_536;
const OVERLOAD_MS = 3_000;
/** On Kafka as much is read ahead. */
const MOST_HELD = (isOnKafka ? 2 : 1) * (HELD_BYTES + PARTITIONS * MOST_OF_A_MESSAGE);

let world: OverloadWorld;

beforeAll(async () => {
  world = await startWorld(isOnKafka ? 'kafka' : 'embedded', {
    ingestion: { RAMPART_QUEUED_BYTES: String(QUEUED_BYTES) },
    analysis: { RAMPART_FEEDBACK_HELD_BYTES: String(HELD_BYTES) },
  });
}, 120_000);

afterAll(() => world?.stop());

/** @param start  of the lines that are added up */
const figure = async (service: 'ingestion' | 'analysis', start: string): Promise<number> => {
  const text = await (await fetch(`${world.processes[service]?.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(start));
  if (lines.length === 0) throw new Error(`${service} tells no ${start}`);
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};
const queued = () => figure('ingestion', 'rampart_log_append_queued_bytes');
const held = () => figure('analysis', 'rampart_consumer_held_bytes{topic="feedback.v1"');
const lag = () => figure('analysis', 'rampart_consumer_lag_messages{topic="feedback.v1"');

it('is refused at the door, waits in bounded memory while the store is away, and is all there when it is back', async () => {
  const load = await NumberedLoad.at(world.door.url, await writeKey(world.door.url));
  world.toLog.slowMs = 20;
  await world.toLog.become('slow');
  await world.toStore.become('refused');

  const seen = { queued: [] as number[], held: [] as number[] };
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await sleep(50)) {
      seen.queued.push(await queued());
      seen.held.push(await held());
    }
  })();
  const sent = await load.send({ connections: 24, durationMs: OVERLOAD_MS, repeats: true });
  expect([...sent.statuses.keys()].sort()).toEqual([202, 503]);
  expect(sent.withoutRetryAfter).toBe(0);
  expect(await figure('ingestion', 'rampart_log_append_refusals_total')).toBeGreaterThan(0);
  expect(await lag()).toBeGreaterThan(0);

  await world.toLog.become('clear');
  await world.toStore.become('clear');
  const kept = await eventually(
    'everything accepted is stored',
    async () => {
      const stored = await storedBodies((sql) => clickhouse(world.store.url, sql));
      const found = keptOf(sent.accepted, stored, load.made);
      return found.missing === 0 ? found : undefined;
    },
    60_000,
  );
  expect(kept).toMatchObject({ invented: 0, storedThoughRefused: 0 });
  // Nothing of it was given up on the way.
  expect(sent.accepted.size).toBe(load.made);
  isOver = true;
  await watching;
  expect(Math.max(...seen.queued)).toBeLessThanOrEqual(QUEUED_BYTES);
  expect(Math.max(...seen.held)).toBeLessThanOrEqual(MOST_HELD);
  await eventually('nothing is held any more', async () => ((await held()) === 0 ? true : undefined));
  expect((await fetch(`${world.door.url}/readyz`)).status).toBe(200);
}, 120_000);
