import { describe, expect, it } from '@jest/globals';
import { experimentUrgency, rolloutUrgency } from './urgency.js';

const look = { verdict: 'continue', sentence: '', knownUntil: '', ageSeconds: 1, units: 1, record: null } as const;
const running = { status: 'running', look, hold: null, waits: [] } as const;
const held = (cause: 'person' | 'deadline') => ({ ...running, status: 'held' as const, hold: { cause, since: '', sentence: '' } });

describe('what needs somebody', () => {
  it('comes first: held by evidence, then asking for approval, then moving, then over', () => {
    const approval = { what: 'approval', until: null, have: null, needed: null, sentence: '' } as const;
    const order = [
      held('deadline'),
      { ...running, waits: [approval] },
      held('person'),
      { ...running, status: 'paused' as const },
      running,
      { ...running, status: 'released' as const },
    ].map(rolloutUrgency);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(new Set(order).size).toBe(order.length);
  });

  it('a running rollout whose look says no-go is as urgent as a held one', () => {
    expect(rolloutUrgency({ ...running, look: { ...look, verdict: 'no-go' } })).toBe(rolloutUrgency(held('deadline')));
  });

  it('an experiment that is decided comes after all that run, whatever its verdict', () => {
    const decided = experimentUrgency({ status: 'decided', look: { verdict: 'no-go' } });
    expect(decided).toBeGreaterThan(experimentUrgency({ status: 'running', look: { verdict: 'continue' } }));
    expect(decided).toBeGreaterThan(experimentUrgency({ status: 'running' }));
  });
});
