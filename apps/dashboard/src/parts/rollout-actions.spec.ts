import { describe, expect, it } from '@jest/globals';
import { ROLLOUT_STATUSES, type RolloutStage, type RolloutStatus } from '@rampart/contracts';
import { offersFor } from './rollout-actions.js';

const stage = (name: string, coverage: number, requiresApproval = false): RolloutStage => ({
  ...{ name, coverage, requiresApproval, bakeSeconds: 1, minUnits: 0, deadlineSeconds: null, monitored: true },
});
const stages = [stage('few', 0.05), stage('all', 1, true)];
const at = (status: RolloutStatus, index: number, approved = false) => ({
  ...{ status, stages, mode: 'act' as const, waits: [] },
  stage: status === 'draft' ? null : { index, name: stages[index]?.name ?? '', startedAt: '', approved },
});
const actions = (...given: Parameters<typeof at>) => offersFor(at(...given)).map(({ action }) => action);

describe('what people can do to a rollout', () => {
  it('depends on its status', () => {
    expect(actions('draft', 0)).toEqual(['start']);
    expect(actions('running', 0)).toEqual(['advance', 'hold', 'pause', 'complete', 'roll-back']);
    expect(actions('held', 0)).toEqual(['advance', 'resume', 'pause', 'complete', 'roll-back']);
    expect(actions('paused', 0)).toEqual(['resume', 'roll-back']);
    expect([actions('released', 1), actions('rolled-back', 1)]).toEqual([[], ['start']]);
    expect(offersFor(at('rolled-back', 1))).toMatchObject([{ label: 'Start again', isGrave: false }]);
  });

  it('is an approval where the stage asks for one, until it is given, and no advance beyond the last stage', () => {
    expect(actions('running', 1)).toEqual(['approve', 'hold', 'pause', 'complete', 'roll-back']);
    expect(actions('running', 1, true)).not.toContain('approve');
  });

  it('is meant for what was looked at, but for what makes it safer', () => {
    const free = [...offersFor(at('running', 0)), ...offersFor(at('held', 1))].filter(({ isForThisRevision }) => !isForThisRevision);
    expect([...new Set(free.map(({ action }) => action))]).toEqual(['hold', 'pause', 'roll-back']);
  });

  it('says what will happen, with both numbers, and that an end is one', () => {
    const offers = offersFor(at('running', 0));
    expect(offers.find(({ action }) => action === 'advance')?.outcome).toContain('100 % of the eligible units take part instead of 5 %');
    for (const status of ROLLOUT_STATUSES)
      for (const { isGrave, outcome } of offersFor(at(status, 0))) expect(outcome.includes('cannot be taken back')).toBe(isGrave);
  });
});
