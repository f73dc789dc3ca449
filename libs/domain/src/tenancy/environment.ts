/** An environment of a project: where experiments run and data arrives. Live, or history that brings its own known time. */

export type EnvironmentKind = 'live' | 'historical';

export type EnvironmentEvent = {
  readonly type: 'EnvironmentCreated';
  readonly project: string;
  readonly environment: string;
  readonly kind: EnvironmentKind;
  readonly atUs: number;
};

export type Environment = { readonly status: 'absent' } | ({ readonly status: 'existing' } & ExistingEnvironment);
export interface ExistingEnvironment {
  readonly project: string;
  readonly environment: string;
  readonly kind: EnvironmentKind;
  readonly createdAtUs: number;
}

export const initialEnvironment: Environment = { status: 'absent' };

export const evolveEnvironment = (_: Environment, { project, environment, kind, atUs }: EnvironmentEvent): Environment => ({
  status: 'existing',
  project,
  environment,
  kind,
  createdAtUs: atUs,
});
