/** What people can do to a rollout, when, and what will happen if they do. */
import type { RolloutDocument } from '@rampart/contracts';
import { percent } from '../reading/numbers.js';

export const ROLLOUT_ACTIONS = ['start', 'approve', 'advance', 'hold', 'resume', 'pause', 'complete', 'roll-back'] as const;
export type RolloutAction = (typeof ROLLOUT_ACTIONS)[number];

export interface Offer {
  readonly action: RolloutAction;
  readonly label: string;
  /** Told before it is done. */
  readonly outcome: string;
  /** Asks for a second look: it ends something, or goes over gates. */
  readonly isGrave: boolean;
  /** May be forced over closed gates. */
  readonly hasForce: boolean;
  /** Meant for what was looked at: refused where somebody was faster. What only makes things safer is never refused for that. */
  readonly isForThisRevision: boolean;
}

type Subject = Pick<RolloutDocument, 'status' | 'stage' | 'stages' | 'mode' | 'waits'>;

/** Those that make sense now; others are not shown. */
export const offersFor = (rollout: Subject): readonly Offer[] =>
  ROLLOUT_ACTIONS.filter((action) => isPossible(action, rollout)).map((action) => ({
    action,
    label: action === 'start' && rollout.status === 'rolled-back' ? 'Start again' : LABELS[action],
    outcome: outcomeOf(action, rollout),
    isGrave: action === 'roll-back' || action === 'complete',
    hasForce: action === 'advance' || action === 'complete',
    isForThisRevision: !SAFER.has(action),
  }));

const SAFER: ReadonlySet<RolloutAction> = new Set(['hold', 'pause', 'roll-back']);

const LABELS: Readonly<Record<RolloutAction, string>> = {
  start: 'Start',
  approve: 'Approve',
  advance: 'Advance',
  hold: 'Hold',
  resume: 'Resume',
  pause: 'Pause',
  complete: 'Release',
  'roll-back': 'Roll back',
};

const isPossible = (action: RolloutAction, rollout: Subject): boolean => {
  const { status, stage, stages } = rollout;
  const moves = status === 'running' || status === 'held';
  switch (action) {
    case 'start':
      return status === 'draft' || status === 'rolled-back';
    case 'approve':
      return moves && stage !== null && stages[stage.index]?.requiresApproval === true && !stage.approved;
    case 'advance':
      return moves && stage !== null && stage.index < stages.length - 1;
    case 'hold':
      return status === 'running';
    case 'resume':
      return status === 'held' || status === 'paused';
    case 'pause':
    case 'complete':
      return moves;
    case 'roll-back':
      return moves || status === 'paused';
  }
};

const outcomeOf = (action: RolloutAction, { stages, stage, status }: Subject): string => {
  const here = stage === null ? undefined : stages[stage.index];
  const next = stages[(stage?.index ?? -1) + 1];
  switch (action) {
    case 'start':
      if (status === 'rolled-back')
        return `It begins once more with ${percent(stages[0]?.coverage)} of the eligible units, other ones than before, and a comparison of their own. Its tests for harm have half of what the run before had to be wrong by.`;
      return `The first stage begins: ${percent(stages[0]?.coverage)} of the eligible units take part, half of them get the treatment.`;
    case 'approve':
      return `Stage ${here?.name ?? ''} may end as soon as its other conditions are met. The approval counts for this stage only.`;
    case 'advance':
      return `Stage ${next?.name ?? ''} begins: ${percent(next?.coverage)} of the eligible units take part instead of ${percent(here?.coverage)}. Nobody changes sides.`;
    case 'hold':
      return 'It stays at this stage and goes on enrolling and watching; harm still rolls it back.';
    case 'resume':
      return status === 'paused'
        ? 'Units are assigned again, and clocks go on.'
        : 'The evidence moves it again. What it was held for will not hold this stage once more.';
    case 'pause':
      return 'Everybody gets the default variant until it is resumed; clocks stand still.';
    case 'complete':
      return 'Everybody gets the treatment, the experiment is decided, and the rollout ends. This cannot be taken back.';
    case 'roll-back':
      return 'Everybody gets the control, the experiment is decided, and the rollout ends. This cannot be taken back.';
  }
};
