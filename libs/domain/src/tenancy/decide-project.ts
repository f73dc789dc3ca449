/** When a project may be created. */
import type { Decider } from '../decider.js';
import { DomainError } from '../errors.js';
import { evolveProject, initialProject, type Project, type ProjectEvent } from './project.js';
import { requireSlug } from './slug.js';

export type ProjectCommand = { readonly type: 'CreateProject'; readonly project: string; readonly name: string; readonly atUs: number };

const decide = ({ project, name, atUs }: ProjectCommand, state: Project): readonly ProjectEvent[] => {
  requireSlug('project', project);
  if (state.status === 'existing')
    throw new DomainError('project-exists', `there is a project "${project}" already: choose another key, or use it`, {
      path: '/key',
      project,
    });
  return [{ type: 'ProjectCreated', project, name, atUs }];
};

export const projectDecider: Decider<Project, ProjectCommand, ProjectEvent> = {
  initialState: initialProject,
  decide,
  evolve: evolveProject,
};
