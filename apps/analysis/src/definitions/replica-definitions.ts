/** Definitions in force, from the replica of `definitions.v1`. */
import {
  type EnvironmentDefinition,
  type ExperimentDefinition,
  type ExperimentState,
  formatInstant,
  type MetricUse,
} from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import type { DefinitionsReplica } from '@rampart/event-log';
import { type DefinitionInForce, Definitions, type MetricInUse, type Run } from './definition-in-force.js';

/** The replica is not complete: what it does not have may still exist. */
class DefinitionsIncomplete extends Error {
  override readonly name = 'DefinitionsIncomplete';
  readonly retriable = true;
}

export class ReplicaDefinitions extends Definitions {
  constructor(private readonly replica: DefinitionsReplica) {
    super();
  }

  inForce(project: string, environmentKey: string, experimentKey: string, atUs: number | null): DefinitionInForce {
    const environment = this.environment(project, environmentKey);
    // The times of a history lie before anybody defined anything: there, asOf is about rows only.
    const momentUs = environment.kind === 'historical' || atUs === null ? Number.POSITIVE_INFINITY : atUs;
    const state = this.replica.stateAt(project, experimentKey, environmentKey, momentUs)?.value ?? null;
    const { version, experiment } = this.experiment(project, experimentKey, state, momentUs);
    // A draft may name metrics that are not defined yet; what runs can't.
    const metrics = state === null ? [] : experiment.metrics.map((use) => this.metric(project, use, state));
    return { project, environment, experiment, version, state, metrics };
  }

  runs(): readonly Run[] {
    return this.replica.runs();
  }

  environment(project: string, key: string): EnvironmentDefinition {
    const trouble = this.replica.trouble();
    if (trouble !== undefined) throw new DefinitionsIncomplete(trouble);
    const found = this.replica.environment(project, key);
    if (found !== undefined) return found;
    const names = this.replica.environmentsOf(project).map((environment) => environment.key);
    const message = `project ${project} has no environment ${key}; it has ${names.join(', ') || 'none'}: name one with ?environment=`;
    throw new DomainError('environment-not-found', message, { project, environment: key, environments: names });
  }

  /** What runs is the version that its state names; before the start, the newest. */
  private experiment(
    project: string,
    key: string,
    state: ExperimentState | null,
    momentUs: number,
  ): { readonly version: number; readonly experiment: ExperimentDefinition } {
    const running = state === null ? undefined : this.replica.experiment(project, key, state.version);
    if (state !== null && running !== undefined) return { version: state.version, experiment: running };
    const newest = this.replica.experimentAt(project, key, momentUs);
    if (newest !== undefined) return { version: newest.revision, experiment: newest.value };
    const [first] = this.replica.experimentHistory(project, key);
    if (first !== undefined) throw notYet(key, first.knownAtUs, momentUs);
    throw new DomainError('experiment-not-found', `project ${project} has no experiment ${key}`, { project, experiment: key });
  }

  /** The version that the experiment names, else the one pinned when it started, else the newest. */
  private metric(project: string, use: MetricUse, state: ExperimentState): MetricInUse {
    const wanted = use.version ?? state.metricVersions?.[use.metric];
    const history = this.replica.metricHistory(project, use.metric);
    const found = wanted === undefined ? history.at(-1) : history.find((one) => one.revision === wanted);
    if (found !== undefined) return { use, version: found.revision, definition: found.value };
    const which = wanted === undefined ? '' : ` version ${wanted}`;
    throw new DomainError('metric-not-found', `project ${project} has no metric ${use.metric}${which}`, { project, metric: use.metric });
  }
}

const notYet = (experiment: string, definedAtUs: number, momentUs: number): DomainError => {
  const [defined, moment] = [formatInstant(definedAtUs), formatInstant(momentUs)];
  const message = `there was no experiment ${experiment} at ${moment}: it was defined at ${defined}; ask as of a later moment`;
  return new DomainError('experiment-not-yet-defined', message, { experiment, definedAt: defined });
};
