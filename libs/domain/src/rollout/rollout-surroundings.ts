/** What must be true of the experiment that a rollout is to move, where and when it is to move it. */

import { DomainError } from '../errors.js';
import { experimentDecider } from '../experiment/decide-experiment.js';
import { type Experiment, statusIn } from '../experiment/experiment.js';
import { requireRampable } from '../experiment/rampable.js';
import { type PlannedRun, pinnedVersions, type Surroundings } from '../experiment/start-checklist.js';
import type { EnvironmentKind } from '../tenancy/environment.js';
import { requireSomethingToJudge } from '../verdict/policies.js';
import { experimentInStep } from './experiment-in-step.js';
import type { Rollout } from './rollout.js';
import { durationText, type RolloutDefinition, type RolloutStage } from './rollout-definition.js';

export interface RolloutSurroundings {
  readonly experiment: Experiment;
  readonly kind: EnvironmentKind;
  /** Of the experiment. */
  readonly around: Surroundings;
}

/** @throws DomainError for an experiment that could never be moved like this */
export const requireMovable = (rollout: RolloutDefinition, surroundings: RolloutSurroundings, atUs: number): void => {
  const definition = surroundings.experiment.versions.at(-1)?.definition;
  if (definition === undefined) {
    const message = `there is no experiment "${rollout.experiment}" in this project: define it first, then its rollout`;
    throw new DomainError('experiment-not-found', message, { path: '/experiment', experiment: rollout.experiment });
  }
  const planned: PlannedRun = {
    definition,
    environment: { key: rollout.environment, kind: surroundings.kind },
    surroundings: surroundings.around,
    metricVersions: {},
    startsAtUs: atUs,
    atUs,
  };
  requireRampable(definition, planned);
  if (rollout.stages.length > 1) requireSomethingToJudge('stage', definition.metrics);
  rollout.stages.forEach((stage, index) => {
    requireLongEnough(stage, index, planned);
  });
};

/** A unit of a stage has its value only when its window and the lateness are over: a shorter stage would be judged without any of its own. */
const requireLongEnough = (stage: RolloutStage, index: number, planned: PlannedRun): void => {
  if (!stage.monitored) return;
  const { definition, surroundings } = planned;
  const versions = pinnedVersions(planned);
  for (const { metric, role } of definition.metrics) {
    const found = surroundings.metrics[metric]?.versions.find(({ version }) => version === versions[metric])?.definition;
    if (role !== 'guardrail' || found === undefined || found.windowUs === null) continue;
    const neededSeconds = (found.delayUs + found.windowUs + definition.plan.allowedLatenessUs) / 1e6;
    if (stage.bakeSeconds >= neededSeconds) continue;
    throw tooShort(stage, index, metric, neededSeconds);
  }
};

const tooShort = ({ name, bakeSeconds }: RolloutStage, index: number, metric: string, neededSeconds: number): DomainError => {
  const message = `stage "${name}" bakes for ${durationText(bakeSeconds)}, but guardrail "${metric}" is final only ${durationText(neededSeconds)} after an exposure (delay, window and allowed lateness): bake at least that long, or shorten the window`;
  return new DomainError('stage-too-short', message, { path: `/stages/${index}/bakeSeconds`, metric, bakeSeconds, neededSeconds });
};

/** That the experiment will do what the rollout is about to ask of it. @param rollout  as it will be */
export const requireStartable = (rollout: Rollout, surroundings: RolloutSurroundings, atUs: number): void => {
  if (rollout.status !== 'running') return;
  const { environment, experiment: key } = rollout.definition;
  const { experiment, kind, around } = surroundings;
  const status = statusIn(experiment, environment);
  const { ramp } = experiment.runs[environment] ?? {};
  const isOwn = ramp !== undefined && ramp.rollout === rollout.definition.key && ramp.run < rollout.run;
  if (isOwn && status !== 'decided' && status !== 'archived') {
    const message = `"${key}" is still ${status} in ${environment} with run ${ramp.run}, which is being stopped: try again in a moment`;
    throw new DomainError('experiment-status', message, { path: '/experiment', experiment: key, environment, status });
  }
  if (status !== 'draft' && !(isOwn && status === 'decided')) {
    const message = `"${key}" is ${status} in ${environment}: a rollout starts with a draft, which it starts itself at its first stage; define another experiment`;
    throw new DomainError('experiment-status', message, { path: '/experiment', experiment: key, environment, status });
  }
  const { request } = experimentInStep(rollout, experiment);
  if (request?.type !== 'StartExperiment') return;
  const { step } = request;
  experimentDecider.decide({ type: 'StartExperiment', environment, kind, surroundings: around, seed: '', step, atUs }, experiment);
};
