import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFINITIONS, topicSpecs } from '@rampart/contracts';
import { type ConsumeOptions, MemoryEventLog, type Subscription } from '@rampart/event-log';
import { createLog, Metrics } from '@rampart/service-kit';
import { DecisionLog } from './decision-log.js';
import { LookFigures } from './look-figures.js';
import { LookLoop } from './look-loop.js';
import type { LookRound } from './look-round.js';

/** A log whose group can give the looks to another process. */
class Shared extends MemoryEventLog {
  isGivenAway = false;

  override consume(options: ConsumeOptions): Subscription {
    const taken = super.consume(options);
    const stats = () => ({ ...taken.stats(), ...(this.isGivenAway ? { partitions: [] } : {}) });
    return Object.assign(Object.create(taken) as Subscription, { done: taken.done, stats, close: () => taken.close() });
  }
}

let log: Shared;
let loop: LookLoop;
let storeIsAway: boolean;

const eventually = async (holds: () => boolean): Promise<void> => {
  for (let waited = 0; !holds() && waited < 500; waited++) await new Promise((resolve) => setTimeout(resolve, 10));
};
const tick = () => log.append(DEFINITIONS, [{ partition: 0, key: 'tick', value: null, headers: { tick: '1' } }]);

beforeEach(async () => {
  log = new Shared();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
  storeIsAway = true;
  const round: Pick<LookRound, 'look'> = {
    look: async () => {
      if (storeIsAway) throw new Error('the store is away');
      return undefined;
    },
  };
  const lines = createLog('looks', 'silent');
  loop = new LookLoop(log, new DecisionLog(log), round as LookRound, new LookFigures(new Metrics('analysis')), 1, lines);
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

  it('is none any more for a process that has given the looks to another', () => {
    log.isGivenAway = true;
    expect(loop.trouble()).toBeUndefined();
  });
});
