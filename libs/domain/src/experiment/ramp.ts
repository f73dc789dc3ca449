/** The step of a rollout that a run is at, and who may steer it meanwhile. */
import { DomainError } from '../errors.js';
import type { Policy } from '../verdict/policies.js';

export interface Ramp {
  readonly rollout: string;
  /** From 1: a rollout's runs share its α₋. */
  readonly run: number;
  /** Name of the stage in force. */
  readonly stage: string;
  readonly stageStartedAtUs: number;
  /** What a go means at this stage. */
  readonly policy: Policy;
}

/** What a rollout has its own way with, people leave to it. */
export interface Governed {
  /** The rollout that asks; absent: a person does. */
  readonly rollout?: string | undefined;
}

/** Where a rollout takes the run. */
export interface RampStepTaken {
  readonly coverage: number;
  readonly ramp: Ramp;
}

/** A run, as far as this goes by it. */
interface Ramping {
  readonly ramp?: Ramp | undefined;
}

/** Nobody steers beside a rollout, and no rollout steers what is not its own. @throws DomainError experiment-governed, experiment-not-governed */
export const requireGovernor = ({ ramp }: Ramping, experiment: string, environment: string, rollout: string | undefined): void => {
  if (ramp?.rollout === rollout) return;
  if (ramp === undefined) {
    const message = `"${experiment}" runs in ${environment} without a rollout, and "${rollout}" can't move it: decide it, and define a new one for the rollout`;
    throw new DomainError('experiment-not-governed', message, { experiment, environment, rollout });
  }
  const message = `"${experiment}" is moved by the rollout "${ramp.rollout}" in ${environment}, stage "${ramp.stage}": ask the rollout (hold, pause, resume, roll-back, complete)`;
  throw new DomainError('experiment-governed', message, { experiment, environment, rollout: ramp.rollout, stage: ramp.stage });
};
