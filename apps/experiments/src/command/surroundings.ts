/** Looks up what an experiment's command needs to know about its metrics, its feature and its environment. */
import { Injectable } from '@nestjs/common';
import {
  DomainError,
  type EnvironmentKind,
  type ExperimentCommand,
  type ExperimentDefinition,
  environmentDecider,
  experimentDecider,
  type Feature,
  featureDecider,
  fold,
  type Metric,
  metricDecider,
  type Surroundings,
} from '@rampart/domain';
import { EventStore, type RampartEvent } from '@rampart/event-store';
import { environmentStream, experimentStream, featureStream, metricStream, projectStream } from '../streams.js';

/** A domain command before its facts have been looked up. */
export type ExperimentRequest = WithoutFacts<ExperimentCommand>;
type WithoutFacts<Command> = Command extends unknown ? Omit<Command, 'surroundings' | 'kind'> : never;

@Injectable()
export class SurroundingsReader {
  constructor(private readonly store: EventStore) {}

  async completed(project: string, experiment: string, request: ExperimentRequest): Promise<ExperimentCommand> {
    const kind = 'environment' in request ? await this.kindOf(project, request.environment) : undefined;
    switch (request.type) {
      case 'RedefineExperiment':
        return { ...request, surroundings: await this.around(project, request.definition) };
      case 'StartExperiment':
        return { ...request, kind: kind ?? 'live', surroundings: await this.aroundNewest(project, experiment) };
      case 'ResumeExperiment':
        return { ...request, surroundings: await this.aroundNewest(project, experiment) };
      default:
        return request;
    }
  }

  async around(project: string, definition: ExperimentDefinition): Promise<Surroundings> {
    const keys = [...new Set(definition.metrics.map(({ metric }) => metric))];
    const metrics = await Promise.all(keys.map(async (key): Promise<[string, Metric]> => [key, await this.metric(project, key)]));
    const feature = definition.feature === undefined ? null : await this.feature(project, definition.feature);
    return { metrics: Object.fromEntries(metrics), feature };
  }

  /** @throws DomainError environment-not-found */
  async kindOf(project: string, key: string): Promise<EnvironmentKind> {
    const environment = fold(environmentDecider, await this.events(environmentStream(project, key)));
    if (environment.status === 'existing') return environment.kind;
    throw new DomainError('environment-not-found', `project "${project}" has no environment "${key}": create it first`, {
      environment: key,
    });
  }

  /** @throws DomainError project-not-found */
  async requireProject(project: string): Promise<void> {
    if ((await this.events(projectStream(project))).length > 0) return;
    throw new DomainError('project-not-found', `there is no project "${project}": create it first`, { project });
  }

  private async aroundNewest(project: string, key: string): Promise<Surroundings> {
    const newest = fold(experimentDecider, await this.events(experimentStream(project, key))).versions.at(-1);
    return newest === undefined ? { metrics: {}, feature: null } : this.around(project, newest.definition);
  }

  private async metric(project: string, key: string): Promise<Metric> {
    return fold(metricDecider, await this.events(metricStream(project, key)));
  }

  private async feature(project: string, key: string): Promise<Feature> {
    return fold(featureDecider, await this.events(featureStream(project, key)));
  }

  /** A stream holds the events of its own decider only. */
  private async events<Event extends RampartEvent>(stream: string): Promise<readonly Event[]> {
    return (await this.store.readStream(stream)).map(({ event }) => event as Event);
  }
}
