/** Which experiments a rollout can move: two equal arms, assigned here, beside a default that is the control. */
import { DomainError } from '../errors.js';
import { isWatched } from '../verdict/plan-state.js';
import { armsOf, type ExperimentDefinition } from './experiment-definition.js';
import type { PlannedRun } from './start-checklist.js';

/** @throws DomainError experiment-not-rampable, with all that is in the way */
export const requireRampable = (definition: ExperimentDefinition, { environment, surroundings }: PlannedRun): void => {
  const obstacles = [...obstaclesOf(definition, surroundings.feature?.versions.at(-1)?.definition.defaultVariant, environment)];
  const [first] = obstacles;
  if (first === undefined) return;
  const message = `a rollout can't move "${definition.key}": ${obstacles.map(({ sentence }) => sentence).join('; ')}`;
  throw new DomainError('experiment-not-rampable', message, { path: first.path, experiment: definition.key, obstacles });
};

interface Obstacle {
  readonly path: string;
  readonly sentence: string;
}

function* obstaclesOf(
  definition: ExperimentDefinition,
  defaultVariant: string | undefined,
  { key, kind }: PlannedRun['environment'],
): Generator<Obstacle> {
  const { assignment, control, coverage, feature, plan, variants } = definition;
  if (kind !== 'live') yield { path: '/environment', sentence: `${key} holds history, and only a live environment has units to come` };
  if (assignment !== 'rampart')
    yield { path: '/assignment', sentence: `its assignment is ${assignment}: make it rampart, so that stages can be widened` };
  if (feature === undefined) yield { path: '/feature', sentence: 'it is on no feature: name one, which code asks for' };
  const arms = armsOf(definition).length;
  if (arms !== 2 || variants.length !== 2)
    yield {
      path: '/variants',
      sentence: `it has ${variants.length} variants in ${arms} arms: a rollout has one control and one treatment`,
    };
  const [first, second] = variants;
  if (first?.weight === null || first?.weight !== second?.weight)
    yield { path: '/variants', sentence: `its weights are ${first?.weight} and ${second?.weight}: arms of a rollout are equal` };
  const ofControl = variants.find(({ key: variant, arm = variant }) => arm === control)?.key;
  if (feature !== undefined && defaultVariant !== undefined && ofControl !== defaultVariant) {
    const sentence = `its control is "${ofControl}" and the feature's default "${defaultVariant}": those outside must have what the control has`;
    yield { path: '/control', sentence };
  }
  if (coverage !== undefined)
    yield { path: '/coverage', sentence: `it has a coverage of its own, ${coverage}: the stages say how far it reaches, leave it out` };
  if (!isWatched(plan.method))
    yield { path: '/plan/method', sentence: `its plan is ${plan.method}: a rollout is looked at all the time, make it sequential` };
}
