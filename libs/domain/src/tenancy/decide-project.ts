/** When a project may be created, and removed. */
import type { Decider } from '../decider.js';
import { DomainError } from '../errors.js';
import { evolveProject, initialProject, type Project, type ProjectEvent } from './project.js';
import { requireSlug } from './slug.js';

export type ProjectCommand =
  | { readonly type: 'CreateProject'; readonly project: string; readonly name: string; readonly atUs: number }
  /** Last of all: what still moves in it, and its keys, are ended before. */
  | { readonly type: 'RemoveProject'; readonly project: string; readonly atUs: number };

const decide = (command: ProjectCommand, state: Project): readonly ProjectEvent[] => {
  const { project, atUs } = command;
  if (command.type === 'RemoveProject') {
    if (state.status === 'absent') throw new DomainError('project-not-found', `there is no project "${project}"`, { project });
    return state.status === 'removed' ? [] : [{ type: 'ProjectRemoved', project, atUs }];
  }
  requireSlug('project', project);
  if (state.status === 'removed')
    throw new DomainError(
      'project-removed',
      `"${project}" was the key of a project that is removed, and its history stays: choose another key`,
      {
        path: '/key',
        project,
      },
    );
  if (state.status === 'existing')
    throw new DomainError('project-exists', `there is a project "${project}" already: choose another key, or use it`, {
      path: '/key',
      project,
    });
  return [{ type: 'ProjectCreated', project, name: command.name, atUs }];
};

export const projectDecider: Decider<Project, ProjectCommand, ProjectEvent> = {
  initialState: initialProject,
  decide,
  evolve: evolveProject,
};
