import { describe, expect, it } from '@jest/globals';
import { actionViolations, keptViolations, type Operation, registerViolations, storedViolations } from './history.js';

const operation = (kind: Operation['kind'], value: number, begunMs: number, outcome: Operation['outcome'] = 'acknowledged'): Operation => ({
  ...{ kind, value, begunMs, outcome },
  endedMs: begunMs + 10,
});
const write = (value: number, at: number, outcome?: Operation['outcome']) => operation('write', value, at, outcome);
const read = (value: number, at: number) => operation('read', value, at);

describe('the judge of a register', () => {
  it('takes what may be: a write on its way may be seen or not', () => {
    const unknown = write(2, 20, 'unknown');
    expect(registerViolations([write(1, 0), unknown, read(1, 22), read(2, 40)])).toEqual([]);
    expect(registerViolations([write(1, 0), unknown, read(1, 22), read(1, 40)])).toEqual([]);
  });

  it('names a read that is older than what was acknowledged, or than what somebody saw', () => {
    expect(registerViolations([write(1, 0), write(2, 20), read(1, 40)])).toEqual(['a read saw 1 after 2 had been acknowledged or seen']);
    expect(registerViolations([write(1, 0), write(2, 20, 'unknown'), read(2, 40), read(1, 60)])).toHaveLength(1);
  });

  it('names a read of what was not written yet', () => {
    expect(registerViolations([read(1, 0), write(1, 20)])).toEqual(['a read saw 1 when 0 was the last that had been sent']);
  });

  it('names acknowledged writes that are not kept, or twice, or in another order, and those of nobody', () => {
    const writes = [write(1, 0), write(2, 20, 'unknown'), write(3, 40)];
    expect(keptViolations(writes, [1, 3])).toEqual([]);
    expect(keptViolations(writes, [1, 2, 3])).toEqual([]);
    expect(keptViolations(writes, [1])).toEqual(['the acknowledged write 3 is in the history 0 times']);
    expect(keptViolations(writes, [1, 3, 3])).toHaveLength(2);
    expect(keptViolations(writes, [3, 1])).toEqual(['1 comes after 3 in the history']);
    expect(keptViolations(writes, [1, 3, 4])).toEqual(['nobody wrote 4']);
  });
});

describe('the judge of events', () => {
  const [one, two, three] = ['a', 'b', 'c'];
  it('wants acknowledged in stored, and stored in sent', () => {
    expect(storedViolations(new Set([one]), new Set([one, two]), new Set([one, two]))).toEqual([]);
    expect(storedViolations(new Set([one, two]), new Set([one, two]), new Set([one]))).toEqual([
      '1 of 2 acknowledged are not stored, b for one',
    ]);
    expect(storedViolations(new Set([one, two]), new Set([one, two]), new Set([one]), 1)).toEqual([]);
    expect(storedViolations(new Set([one, two, three]), new Set([one, two, three]), new Set([one]), 1)).toHaveLength(1);
    expect(storedViolations(new Set([one]), new Set([one]), new Set([one, three]))).toEqual(['1 are stored that nobody sent, c for one']);
  });
});

describe('the judge of actions', () => {
  it('names an action that was taken twice, and a fork of records', () => {
    const back = { type: 'RolloutRolledBack', record: 'r1' };
    expect(actionViolations([back], [{ id: 'r1', previous: null }])).toEqual([]);
    expect(actionViolations([back, { ...back, record: 'r2' }], [])).toEqual(['a rollout ended 2 times']);
    expect(
      actionViolations(
        [
          { type: 'RolloutAdvanced', record: 'r' },
          { type: 'RolloutAdvanced', record: 'r' },
        ],
        [],
      ),
    ).toHaveLength(1);
    const records = [
      { id: 'r2', previous: 'r1' },
      { id: 'r3', previous: 'r1' },
    ];
    expect(actionViolations([], records)).toEqual(['two records follow r1']);
  });
});
