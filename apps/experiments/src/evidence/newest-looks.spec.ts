import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { comparisonKey, LOOKS, type LookMessage } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { eventually } from '../control-plane.examples.js';
import { LooksUnread, NewestLooks } from './newest-looks.js';
import { aLook, tellLook } from './records.examples.js';

let log: MemoryEventLog;
let looks: NewestLooks;

beforeEach(async () => {
  log = new MemoryEventLog();
  await log.createTopic({ topic: LOOKS, partitions: 1, compacted: true });
  looks = new NewestLooks(log);
});

afterEach(async () => {
  await looks.stop();
  await log.close();
});

const tell = (look: LookMessage, value: LookMessage | string = look) => tellLook(log, comparisonKey(look), value);
const known = async () => (await looks.knownOf('default', 'button')).map(({ units }) => units);

describe('the newest looks', () => {
  it('are one of each comparison, the one that the log tells last', async () => {
    await tell(aLook({ units: 1, knownUntilUs: 9 }));
    await tell(aLook({ units: 2, comparison: 2 }));
    await tell(aLook({ units: 3, environment: 'staging' }));
    await tell(aLook({ units: 4, experiment: 'other' }));
    await tell(aLook({ units: 5, project: 'theirs' }));
    // A closed comparison is looked at up to a moment that has passed.
    await tell(aLook({ units: 6, knownUntilUs: 5 }));
    looks.start();
    expect(new Set(await known())).toEqual(new Set([6, 2, 3]));
  });

  it('do not go back when one comes late from a process that had given the looks away', async () => {
    const second = 1_000_000;
    await tell(aLook({ units: 1, knownUntilUs: 9 * second, lookedAtUs: 100 * second }));
    looks.start();
    expect(await known()).toEqual([1]);
    await tell(aLook({ units: 2, knownUntilUs: 8 * second, lookedAtUs: 99 * second }));
    await tell(aLook({ units: 9, experiment: 'other' }));
    await eventually('all is read', async () => (looks.of('default', 'other').length === 1 ? true : undefined));
    expect(await known()).toEqual([1]);
    // By a clock that is off: of a later moment, or much earlier than any append may take.
    await tell(aLook({ units: 3, knownUntilUs: 10 * second, lookedAtUs: 98 * second }));
    await eventually('a later moment', async () => ((await known())[0] === 3 ? true : undefined));
    await tell(aLook({ units: 4, knownUntilUs: 5 * second, lookedAtUs: 80 * second }));
    await eventually('a clock', async () => ((await known())[0] === 4 ? true : undefined));
  });

  it('stay what they were when something unreadable comes', async () => {
    looks.start();
    await tell(aLook({ units: 1 }));
    for (const value of ['{', 'null', '{}', JSON.stringify({ ...aLook(), lookedAtUs: 'now' })]) await tell(aLook(), value);
    await tell(aLook({ units: 2, comparison: 2 }));
    await eventually('all is read', async () => ((await known()).length === 2 ? true : undefined));
    expect(await known()).toEqual([1, 2]);
  });

  it('are not told before all of them were read: who closes by them waits, and is asked to try again', async () => {
    await expect(looks.knownOf('default', 'button')).rejects.toThrow(LooksUnread);
    expect(looks.of('default', 'button')).toEqual([]);
    expect(looks.trouble()).toBe('looks are still being read');
    looks.start();
    expect(await known()).toEqual([]);
    expect(looks.trouble()).toBeUndefined();
  });
});
