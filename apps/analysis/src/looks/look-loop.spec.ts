import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DEFINITIONS, topicSpecs } from '@rampart/contracts';
import { type ConsumeOptions, type ConsumerStats, MemoryEventLog, type Subscription } from '@rampart/event-log';
import { createLog, Metrics } from '@rampart/service-kit';
import { DecisionLog } from './decision-log.js';
import { LookFigures } from './look-figures.js';
import { LookLoop } from './look-loop.js';
import type { LookRound } from './look-round.js';

/** A log whose group can give the looks to another process. */
class Shared extends MemoryEventLog {
  isGivenAway = false;
  isAway = false;

  override consume(options: ConsumeOptions): Subscription {
    const taken = super.consume(options);
    const stats = (): ConsumerStats => ({
      ...taken.stats(),
      ...(this.isGivenAway || this.isAway ? { partitions: [] } : {}),
      ...(this.isAway ? { state: 'connecting' } : {}),
    });
    return Object.assign(Object.create(taken) as Subscription, { done: taken.done, stats, close: () => taken.close() });
  }
}

let log: Shared;
let metrics: Metrics;
let figures: LookFigures;
let loop: LookLoop;
let storeIsAway: boolean;
let looks: number;
let isLong: boolean;

const eventually = async (holds: () => boolean): Promise<void> => {
  for (let waited = 0; !holds() && waited < 500; waited++) await new Promise((resolve) => setTimeout(resolve, 10));
};
/** @throws when somebody else is to take the looks, and never returns before */
const aborted = async (signal: AbortSignal | undefined): Promise<void> => {
  await new Promise((resolve) => signal?.addEventListener('abort', resolve));
  signal?.throwIfAborted();
};
const failures = async (): Promise<string | undefined> => /look_failures_total\S* (\d+)/.exec(await metrics.registry.metrics())?.[1];
const loopOf = (everyMs: number) => {
  const round: Pick<LookRound, 'look'> = {
    look: async (_nowUs, signal) => {
      looks += 1;
      if (isLong) await aborted(signal);
      if (storeIsAway) throw new Error('the store is away');
      return undefined;
    },
  };
  const lines = createLog('looks', 'silent');
  return new LookLoop(log, new DecisionLog(log), round as LookRound, figures, everyMs, lines);
};
const tick = () => log.append(DEFINITIONS, [{ partition: 0, key: 'tick', value: null, headers: { tick: '1' } }]);

beforeEach(async () => {
  log = new Shared();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
  metrics = new Metrics('analysis');
  figures = new LookFigures(metrics);
  storeIsAway = true;
  looks = 0;
  isLong = false;
  loop = loopOf(1);
  loop.start();
  await eventually(() => loop.trouble() === undefined);
  await tick();
  await eventually(() => loop.trouble() !== undefined);
});

afterEach(async () => {
  await loop.stop();
  await log.close();
});

describe('a look that failed', () => {
  it('is a reason not to be ready until one succeeds', async () => {
    expect(loop.trouble()).toBe('the last look failed: the store is away');
    storeIsAway = false;
    await tick();
    await eventually(() => loop.trouble() === undefined);
    expect(loop.trouble()).toBeUndefined();
  });

  it('is taken again after a second at most, however often definitions tick meanwhile', async () => {
    await loop.stop();
    const now = jest.spyOn(performance, 'now').mockReturnValue(50_000);
    try {
      loop = loopOf(60_000);
      looks = 0;
      loop.start();
      await tick();
      await eventually(() => looks > 0);
      const ticked = async (times: number) => {
        for (let nth = 0; nth < times; nth += 1) {
          await tick();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await ticked(20);
      expect(looks).toBe(1);
      now.mockReturnValue(51_000);
      await tick();
      await eventually(() => looks > 1);
      await ticked(20);
      expect(looks).toBe(2);
    } finally {
      now.mockRestore();
    }
  });

  it('is none any more for a process that has given the looks to another', () => {
    log.isGivenAway = true;
    expect(loop.trouble()).toBeUndefined();
  });
});

describe('the age of the newest look', () => {
  it('is told by the process that takes them, and while the log is away', async () => {
    const age = async () => /look_age_seconds\S* (\d+)/.exec(await metrics.registry.metrics())?.[1];
    figures.looked({ knownUntilUs: Date.now() * 1000 - 90e6, comparisons: 1, seconds: 1, atUs: Date.now() * 1000 });
    expect(await age()).toBe('90');
    log.isAway = true;
    expect(await age()).toBe('90');
    log.isAway = false;
    log.isGivenAway = true;
    expect(await age()).toBeUndefined();
    expect(figures.last).toBeUndefined();
  });
});

describe('a look that is being taken when another process is to take the looks', () => {
  it('is given up, and is no failed one', async () => {
    storeIsAway = false;
    isLong = true;
    const [before, failed] = [looks, await failures()];
    await tick();
    await eventually(() => looks > before);
    await loop.stop();
    expect(looks).toBe(before + 1);
    expect(await failures()).toBe(failed);
  });
});
