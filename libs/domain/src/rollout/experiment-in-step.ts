/** What a rollout asks of its experiment: the rollout's events are the intent, the experiment follows, also after a crash between the two. */

import { isEqual } from '../equality.js';
import type { Experiment, Run } from '../experiment/experiment.js';
import type { RampStepTaken } from '../experiment/ramp.js';
import { type BegunRollout, isBegun, type Rollout } from './rollout.js';
import { isGoverned, isLastStage, stageOf } from './rollout-facts.js';

/** A command for the experiment, before time and surroundings are added. */
export type StepRequest =
  | { readonly type: 'StartExperiment' | 'MoveRamp'; readonly step: RampStepTaken }
  | { readonly type: 'PauseExperiment' | 'ResumeExperiment' }
  | { readonly type: 'DecideExperiment'; readonly outcome: 'ship' | 'stop'; readonly reason: string; readonly record: string | null };

export interface InStep {
  /** null: the experiment does what the rollout wants. */
  readonly request: StepRequest | null;
  /** Why it can't be brought there: somebody else moves it, or it has ended. */
  readonly obstacle: string | null;
}

const DONE: InStep = { request: null, obstacle: null };

export const experimentInStep = (rollout: Rollout, experiment: Experiment): InStep => {
  if (!isBegun(rollout)) return DONE;
  const run = experiment.runs[rollout.definition.environment] ?? null;
  const isOver = rollout.status === 'released' || rollout.status === 'rolled-back';
  if (run === null) return isOver ? DONE : asking({ type: 'StartExperiment', step: stepOf(rollout, experiment) });
  if (!isGoverned(rollout, run)) return isOver ? DONE : { request: null, obstacle: foreign(rollout, run) };
  if (run.status === 'decided' || run.status === 'archived') {
    if (isOver) return DONE;
    if (run.status === 'decided' && run.ramp !== undefined && run.ramp.run < rollout.run)
      return asking({ type: 'StartExperiment', step: stepOf(rollout, experiment) });
    return {
      request: null,
      obstacle: `experiment "${rollout.definition.experiment}" is ${run.status}: roll the rollout back, it has nothing to move`,
    };
  }
  return isOver ? asking(endOf(rollout)) : moved(rollout, experiment, run);
};

const moved = (rollout: BegunRollout, experiment: Experiment, run: Run): InStep => {
  const step = stepOf(rollout, experiment);
  if (rollout.status === 'paused') return run.status === 'running' ? asking({ type: 'PauseExperiment' }) : DONE;
  if (run.status === 'paused') return asking({ type: 'ResumeExperiment' });
  const { coverage } = run.segments.at(-1) ?? run.segments[0];
  const isThere = coverage === step.coverage && isEqual(run.ramp, step.ramp);
  return isThere ? DONE : asking({ type: 'MoveRamp', step });
};

const stepOf = (rollout: BegunRollout, { versions }: Experiment): RampStepTaken => {
  const { name, coverage } = stageOf(rollout);
  const own = versions.at(-1)?.definition.policy ?? 'ship';
  const { definition, run, stage } = rollout;
  const policy = isLastStage(rollout) ? own : 'stage';
  return { coverage, ramp: { rollout: definition.key, run, stage: name, stageStartedAtUs: stage.startedAtUs, policy } };
};

const endOf = (rollout: BegunRollout): StepRequest => {
  const end = 'end' in rollout ? rollout.end : undefined;
  const outcome = rollout.status === 'released' ? 'ship' : 'stop';
  return { type: 'DecideExperiment', outcome, reason: end?.sentence ?? outcome, record: end?.record ?? null };
};

const foreign = ({ definition }: BegunRollout, { status, ramp }: Run): string => {
  const who = ramp === undefined ? 'was started without a rollout' : `is moved by rollout "${ramp.rollout}"`;
  return `experiment "${definition.experiment}" is ${status} in ${definition.environment} and ${who}: roll "${definition.key}" back, it has nothing to move`;
};

const asking = (request: StepRequest): InStep => ({ request, obstacle: null });
