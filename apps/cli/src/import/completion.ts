/** Says that a history is whole, and waits until its results are. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Freshness, formatInstant, type InstantUs, type Results } from '@rampart/contracts';
import { sourceOf } from '../derivation/derived-events.js';
import { type ApiClient, refusedBy } from '../platform/api-client.js';
import { Refusal } from '../refusal.js';
import { count } from './progress.js';
import type { SetUp } from './set-up.js';

const POLL_MS = 300;
const STUCK_MS = 300_000;

export interface ImportedHistory {
  readonly untilUs: InstantUs;
  /** Of its events. */
  readonly fingerprint: string;
}

export const complete = async (
  client: ApiClient,
  { environment, key, keyIsNewUntilMs }: SetUp,
  { untilUs, fingerprint }: ImportedHistory,
): Promise<void> => {
  const until = formatInstant(untilUs);
  // The same file completes with the same id; another one has other events, and what is new in it counts once it was said anew that all is there.
  const event = {
    specversion: '1.0',
    id: `completed.${until}.${fingerprint}`,
    source: sourceOf(environment),
    type: 'import.completed.v1',
    time: until,
    data: { until },
  };
  const { body } = await client.expect('POST', '/v1/events', [202], [event], { key, keyIsNewUntilMs });
  if (body.rejected > 0) throw new Refusal(`The completion of the import was rejected: ${body.items[0]?.message ?? 'no reason given'}.`);
};

/**
 * Waits until the store has read what the log holds now, and the results say that they are complete.
 * @throws Refusal when for five minutes nothing moves
 */
export const finalResults = async (
  client: ApiClient,
  { project, environment }: SetUp,
  show: (line: () => string) => void,
  signal: AbortSignal,
): Promise<Results> => {
  const query = { project, environment };
  const path = `/v1/experiments/${environment}`;
  const goal = new Map<string, bigint>();
  let best = Number.POSITIVE_INFINITY;
  let movedMs = Date.now();
  for (;;) {
    const freshness = await client.expect('GET', `${path}/freshness`, [200], undefined, { query, signal });
    const behind = behindOf(freshness.body as Freshness, goal);
    if (behind < best) [best, movedMs] = [behind, Date.now()];
    if (behind <= 0) {
      const answer = await client.call('GET', `${path}/results`, undefined, { query, signal });
      if (answer.status !== 200 && answer.status !== 404 && answer.status !== 409)
        throw refusedBy(client.address, `GET ${path}/results`, answer);
      if (answer.status === 200 && answer.body.status !== 'importing') return answer.body as Results;
    }
    if (Date.now() - movedMs > STUCK_MS)
      throw new Refusal(
        `Everything was sent, but for ${STUCK_MS / 60_000} minutes the store has not come nearer (${behind} messages behind). ` +
          `Look at ${client.address}/readyz; the results will be at ${path}/results?project=${project}&environment=${environment}.`,
      );
    show(() => `waiting for the store: ${count(Math.max(behind, 0))} messages to read`);
    await sleep(POLL_MS, undefined, { signal });
  }
};

/** Messages that the log held when first asked and the store has not read yet. Later ticks are not waited for. */
const behindOf = ({ partitions }: Freshness, goal: Map<string, bigint>): number => {
  let behind = 0;
  for (const { topic, partition, storedOffset, logEndOffset } of partitions) {
    const name = `${topic}/${partition}`;
    if (!goal.has(name) && logEndOffset !== null) goal.set(name, BigInt(logEndOffset));
    const end = goal.get(name) ?? 0n;
    const stored = storedOffset === null ? -1n : BigInt(storedOffset);
    if (stored + 1n < end) behind += Number(end - stored - 1n);
  }
  return behind;
};
