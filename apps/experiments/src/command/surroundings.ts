/** Looks up what an experiment's command needs to know about its metrics, its feature and its environment. */
import { Inject, Injectable } from '@nestjs/common';
import {
  type ClosingEvidence,
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
  projectDecider,
  type Surroundings,
} from '@rampart/domain';
import { EventStore, type RampartEvent } from '@rampart/event-store';
import { DecisionRecords } from '../decisions/decision-records.store.js';
import { NewestLooks } from '../evidence/newest-looks.js';
import { environmentStream, experimentStream, featureStream, metricStream, projectStream } from '../streams.js';
import { LayerClaims } from './layer-claims.store.js';

/** A domain command before its facts have been looked up. */
export type ExperimentRequest = WithoutFacts<ExperimentCommand>;
type WithoutFacts<Command> = Command extends { readonly evidence: unknown }
  ? Omit<Command, 'evidence'> & { /** Id of the record that is acted on, null: none is named. */ readonly record: string | null }
  : Command extends unknown
    ? Omit<Command, 'surroundings' | 'kind'>
    : never;

/** The token of RAMPART_KEEP_ROWS_DAYS; null: for ever. */
export const KEPT_ROWS_DAYS = 'experiments:kept-rows-days';

@Injectable()
export class SurroundingsReader {
  constructor(
    private readonly store: EventStore,
    private readonly records: DecisionRecords,
    private readonly looks: NewestLooks,
    private readonly layers: LayerClaims,
    @Inject(KEPT_ROWS_DAYS) private readonly keptRowsDays: number | null,
  ) {}

  async completed(project: string, experiment: string, request: ExperimentRequest): Promise<ExperimentCommand> {
    const kind = 'environment' in request ? await this.kindOf(project, request.environment) : undefined;
    switch (request.type) {
      case 'RedefineExperiment':
        return { ...request, surroundings: await this.around(project, request.definition) };
      case 'StartExperiment':
        return { ...request, kind: kind ?? 'live', surroundings: await this.aroundNewest(project, experiment, request.environment) };
      case 'ResumeExperiment':
        return { ...request, surroundings: await this.aroundNewest(project, experiment, request.environment) };
      case 'DecideExperiment': {
        const { record, ...command } = request;
        return { ...command, evidence: await this.closingEvidence(project, experiment, record) };
      }
      default:
        return request;
    }
  }

  /** What was looked at last, and the record that is acted on. @throws DomainError decision-not-found */
  private async closingEvidence(project: string, experiment: string, record: string | null): Promise<ClosingEvidence> {
    const looks = await this.looks.knownOf(project, experiment);
    if (record === null) return { record, looks };
    const found = await this.records.entry(project, record);
    if (found === undefined) {
      const message = `project "${project}" has no decision record ${record}: name one of its own, or none to close at the newest look`;
      throw new DomainError('decision-not-found', message, { path: '/record', decision: record });
    }
    return { record: { ...found, knownUntilUs: Number(found.knownUntilUs) }, looks };
  }

  /** @param environment  where it is to run: absent where nothing is started */
  async around(project: string, definition: ExperimentDefinition, environment?: string): Promise<Surroundings> {
    const keys = [...new Set(definition.metrics.map(({ metric }) => metric))];
    const metrics = await Promise.all(keys.map(async (key): Promise<[string, Metric]> => [key, await this.metric(project, key)]));
    const feature = definition.feature === undefined ? null : await this.feature(project, definition.feature);
    const { key: experiment, layer } = definition;
    const isInLayer = layer !== undefined && environment !== undefined;
    const share = isInLayer ? { layer: await this.layers.inSight({ project, environment, layer: layer.key, experiment }) } : {};
    const kept = this.keptRowsDays === null ? {} : { keptRowsUs: this.keptRowsDays * 86_400_000_000 };
    return { metrics: Object.fromEntries(metrics), feature, ...share, ...kept };
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
    if (fold(projectDecider, await this.events(projectStream(project))).status === 'existing') return;
    throw new DomainError('project-not-found', `there is no project "${project}": create it first`, { project });
  }

  private async aroundNewest(project: string, key: string, environment: string): Promise<Surroundings> {
    const newest = fold(experimentDecider, await this.events(experimentStream(project, key))).versions.at(-1);
    return newest === undefined ? { metrics: {}, feature: null } : this.around(project, newest.definition, environment);
  }

  private async metric(project: string, key: string): Promise<Metric> {
    return fold(metricDecider, await this.events(metricStream(project, key)));
  }

  /** @returns those of the keys that name no feature */
  async missingFeatures(project: string, keys: readonly string[]): Promise<readonly string[]> {
    const features = await Promise.all(keys.map((key) => this.feature(project, key)));
    return keys.filter((_, index) => features[index]?.versions.length === 0);
  }

  async feature(project: string, key: string): Promise<Feature> {
    return fold(featureDecider, await this.events(featureStream(project, key)));
  }

  /** A stream holds the events of its own decider only. */
  private async events<Event extends RampartEvent>(stream: string): Promise<readonly Event[]> {
    return (await this.store.readStream(stream)).map(({ event }) => event as Event);
  }
}
