/** A project: whose definitions, keys and data belong together, and are seen by nobody else. */

export type ProjectEvent = { readonly type: 'ProjectCreated'; readonly project: string; readonly name: string; readonly atUs: number };

export type Project = { readonly status: 'absent' } | ({ readonly status: 'existing' } & ExistingProject);
export interface ExistingProject {
  readonly project: string;
  readonly name: string;
  readonly createdAtUs: number;
}

export const initialProject: Project = { status: 'absent' };

export const evolveProject = (_: Project, { project, name, atUs }: ProjectEvent): Project => ({
  status: 'existing',
  project,
  name,
  createdAtUs: atUs,
});
