/** A project: whose definitions, keys and data belong together, and are seen by nobody else. */

export type ProjectEvent =
  | { readonly type: 'ProjectCreated'; readonly project: string; readonly name: string; readonly atUs: number }
  | { readonly type: 'ProjectRemoved'; readonly project: string; readonly atUs: number };

export type Project =
  | { readonly status: 'absent' }
  | ({ readonly status: 'existing' } & ExistingProject)
  /** Its history stays; its key is never used again. */
  | ({ readonly status: 'removed'; readonly removedAtUs: number } & ExistingProject);
export interface ExistingProject {
  readonly project: string;
  readonly name: string;
  readonly createdAtUs: number;
}

export const initialProject: Project = { status: 'absent' };

export const evolveProject = (state: Project, event: ProjectEvent): Project => {
  if (event.type === 'ProjectCreated') return { status: 'existing', project: event.project, name: event.name, createdAtUs: event.atUs };
  return state.status === 'existing' ? { ...state, status: 'removed', removedAtUs: event.atUs } : state;
};
