/** When an environment may be created. Its kind never changes: known time means something else in each. */
import type { Decider } from '../decider.js';
import { DomainError } from '../errors.js';
import { type Environment, type EnvironmentEvent, type EnvironmentKind, evolveEnvironment, initialEnvironment } from './environment.js';
import { requireSlug } from './slug.js';

export type EnvironmentCommand = {
  readonly type: 'CreateEnvironment';
  readonly project: string;
  readonly environment: string;
  readonly kind: EnvironmentKind;
  readonly atUs: number;
};

const decide = ({ project, environment, kind, atUs }: EnvironmentCommand, state: Environment): readonly EnvironmentEvent[] => {
  requireSlug('environment', environment);
  if (state.status === 'existing') {
    const message = `project "${project}" has an environment "${environment}" already, of kind ${state.kind}: choose another key, or use it`;
    throw new DomainError('environment-exists', message, { path: '/key', environment, kind: state.kind });
  }
  return [{ type: 'EnvironmentCreated', project, environment, kind, atUs }];
};

export const environmentDecider: Decider<Environment, EnvironmentCommand, EnvironmentEvent> = {
  initialState: initialEnvironment,
  decide,
  evolve: evolveEnvironment,
};
