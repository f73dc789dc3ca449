/** All definitions in memory, as `definitions.v1` tells them: what is in force now, and what was at any moment. */
import {
  DEFINITIONS,
  definitionKnownAtUs,
  type EnvironmentDefinition,
  type ExperimentDefinition,
  type ExperimentState,
  type FeatureDefinition,
  type InstantUs,
  type KeyDefinition,
  type MetricDefinition,
  type ProjectDefinition,
  type PublishedValue,
} from '@rampart/contracts';
import { FollowedTopic } from './consuming/followed-topic.js';
import type { EventLog, LogMessage } from './event-log.js';

/** One thing that was published, with the moment from which it was in force. */
export interface Revision<Value> {
  /** Version of a metric, feature or experiment; revision of everything else. */
  readonly revision: number;
  readonly knownAtUs: InstantUs;
  readonly value: Value;
}

/** The revisions of one thing, in the order in which they became known. */
class Timeline<Value> {
  private readonly entries: Revision<Value>[] = [];

  add(entry: Revision<Value>): void {
    // At least once: what is delivered again is the same, and the first time it was known is the one that counts. Said again without an erased unit, it is as old.
    const place = this.entries.findIndex(({ revision }) => revision === entry.revision);
    const known = this.entries[place];
    if (known !== undefined && known.knownAtUs < entry.knownAtUs) return;
    if (known !== undefined) this.entries[place] = { ...entry, knownAtUs: known.knownAtUs };
    else this.entries.push(entry);
    this.entries.sort((a, b) => a.knownAtUs - b.knownAtUs);
  }

  all(): readonly Revision<Value>[] {
    return this.entries;
  }

  /** The last revision known at or before an instant; the newest without one. */
  inForceAt(atUs: InstantUs = Number.POSITIVE_INFINITY): Revision<Value> | undefined {
    return this.entries.findLast(({ knownAtUs }) => knownAtUs <= atUs);
  }

  numbered(revision: number): Revision<Value> | undefined {
    return this.entries.find((entry) => entry.revision === revision);
  }
}

type Timelines<Value> = Map<string, Timeline<Value>>;

export class DefinitionsReplica {
  /** Resolves when everything that was published at the start is here; rejects when reading stopped before. */
  readonly caughtUp: Promise<void>;
  private latestUs: InstantUs | undefined;
  private unreadableCount = 0;
  private readonly followed: FollowedTopic;
  private readonly projects: Timelines<ProjectDefinition> = new Map();
  private readonly environments: Timelines<EnvironmentDefinition> = new Map();
  private readonly keys: Timelines<KeyDefinition> = new Map();
  private readonly metrics: Timelines<MetricDefinition> = new Map();
  private readonly features: Timelines<FeatureDefinition> = new Map();
  private readonly experiments: Timelines<ExperimentDefinition> = new Map();
  private readonly states: Timelines<ExperimentState> = new Map();
  private readonly byHash = new Map<string, KeyDefinition>();

  /** The topic must exist. */
  static start(log: EventLog): DefinitionsReplica {
    return new DefinitionsReplica(log);
  }

  private constructor(log: EventLog) {
    this.followed = new FollowedTopic(log, { topic: DEFINITIONS, what: 'definitions', take: (message) => this.take(message) });
    this.followed.start();
    this.caughtUp = this.followed.caughtUp;
    this.caughtUp.catch(() => undefined);
  }

  /** Why answers may be wrong: not everything read yet, or reading has stopped. Undefined when all is well. */
  trouble(): string | undefined {
    return this.followed.trouble();
  }

  /** Known time of the last message read, ticks included: definitions up to here are complete. */
  get lastKnownAtUs(): InstantUs | undefined {
    return this.latestUs;
  }

  /** Messages that could not be read; they are skipped, or one of them would stop all. */
  get unreadable(): number {
    return this.unreadableCount;
  }

  /** @param hash  SHA-256 of the whole key, or of the one before its rotation, hex; @returns it even when that does not work any more */
  keyByHash(hash: string): KeyDefinition | undefined {
    return this.byHash.get(hash);
  }

  project(key: string): ProjectDefinition | undefined {
    return this.projects.get(key)?.inForceAt()?.value;
  }

  environment(project: string, key: string): EnvironmentDefinition | undefined {
    return this.environments.get(idOf(project, key))?.inForceAt()?.value;
  }

  /** @param version  the newest if absent */
  metric(project: string, key: string, version?: number): MetricDefinition | undefined {
    return numbered(this.metrics.get(idOf(project, key)), version)?.value;
  }

  feature(project: string, key: string, version?: number): FeatureDefinition | undefined {
    return numbered(this.features.get(idOf(project, key)), version)?.value;
  }

  /** @param version  the newest if absent */
  experiment(project: string, key: string, version?: number): ExperimentDefinition | undefined {
    return numbered(this.experiments.get(idOf(project, key)), version)?.value;
  }

  state(project: string, experiment: string, environment: string): ExperimentState | undefined {
    return this.states.get(idOf(project, experiment, environment))?.inForceAt()?.value;
  }

  /** All versions of a metric, by the time they became known. */
  metricHistory(project: string, key: string): readonly Revision<MetricDefinition>[] {
    return this.metrics.get(idOf(project, key))?.all() ?? [];
  }

  /** The version of a metric in force at an instant. */
  metricAt(project: string, key: string, atUs: InstantUs): Revision<MetricDefinition> | undefined {
    return this.metrics.get(idOf(project, key))?.inForceAt(atUs);
  }

  experimentHistory(project: string, key: string): readonly Revision<ExperimentDefinition>[] {
    return this.experiments.get(idOf(project, key))?.all() ?? [];
  }

  experimentAt(project: string, key: string, atUs: InstantUs): Revision<ExperimentDefinition> | undefined {
    return this.experiments.get(idOf(project, key))?.inForceAt(atUs);
  }

  /** What an experiment did in an environment at an instant; also after a revert the last revision known by then. */
  stateAt(project: string, experiment: string, environment: string, atUs: InstantUs): Revision<ExperimentState> | undefined {
    return this.states.get(idOf(project, experiment, environment))?.inForceAt(atUs);
  }

  /** Every experiment in every environment in which it was ever started, in the order of their names. */
  runs(): readonly { readonly project: string; readonly experiment: string; readonly environment: string }[] {
    return [...this.states.keys()].sort().map((id) => {
      const [project = '', experiment = '', environment = ''] = id.split('/');
      return { project, experiment, environment };
    });
  }

  environmentsOf(project: string): readonly EnvironmentDefinition[] {
    return newest(this.environments).filter((environment) => environment.project === project);
  }

  close(): Promise<void> {
    return this.followed.close();
  }

  private take(message: LogMessage): void {
    this.latestUs = Math.max(this.latestUs ?? 0, message.knownAtUs);
    const { key, value } = message;
    if (value === null || key === null) return;
    const parts = key.split('/');
    // A head only repeats which revision is the newest, which the revisions say themselves.
    if (parts[0] !== 'v' && parts[0] !== 'h') return;
    try {
      this.keep(parts, JSON.parse(Buffer.from(value).toString('utf8')) as PublishedValue, definitionKnownAtUs(message));
    } catch {
      this.unreadableCount += 1;
    }
  }

  private keep(parts: readonly string[], published: PublishedValue, knownAtUs: InstantUs): void {
    const [, project = '', , id = '', environment = ''] = parts;
    const revision = Number(parts.at(-1));
    if (!Number.isSafeInteger(revision)) throw new RangeError(`no revision in ${parts.join('/')}`);
    switch (published.kind) {
      case 'project':
        timelineOf(this.projects, published.value.key).add({ revision, knownAtUs, value: published.value });
        break;
      case 'environment':
        timelineOf(this.environments, idOf(project, id)).add({ revision, knownAtUs, value: published.value });
        break;
      case 'key':
        this.keepKey(idOf(project, id), { revision, knownAtUs, value: published.value });
        break;
      case 'metric':
        timelineOf(this.metrics, idOf(project, id)).add({ knownAtUs, revision: published.version, value: published.value });
        break;
      case 'feature':
        timelineOf(this.features, idOf(project, id)).add({ knownAtUs, revision: published.version, value: published.value });
        break;
      case 'experiment':
        timelineOf(this.experiments, idOf(project, id)).add({ knownAtUs, revision: published.version, value: published.value });
        break;
      case 'experiment-state':
        timelineOf(this.states, idOf(project, id, environment)).add({ revision, knownAtUs, value: published.value });
        break;
    }
  }

  private keepKey(id: string, entry: Revision<KeyDefinition>): void {
    const timeline = timelineOf(this.keys, id);
    const before = timeline.inForceAt()?.value;
    timeline.add(entry);
    const now = timeline.inForceAt()?.value ?? entry.value;
    // A rotated key has other hashes: what is not named any more must stop to work.
    for (const hash of hashesOf(before)) this.byHash.delete(hash);
    for (const hash of hashesOf(now)) this.byHash.set(hash, now);
  }
}

const hashesOf = (key: KeyDefinition | undefined): readonly string[] =>
  key === undefined ? [] : [key.hash, ...(key.previous === undefined ? [] : [key.previous.hash])];

const idOf = (...parts: readonly string[]): string => parts.join('/');

const timelineOf = <Value>(timelines: Timelines<Value>, id: string): Timeline<Value> => {
  const found = timelines.get(id) ?? new Timeline<Value>();
  timelines.set(id, found);
  return found;
};

const numbered = <Value>(timeline: Timeline<Value> | undefined, version: number | undefined): Revision<Value> | undefined =>
  version === undefined ? timeline?.inForceAt() : timeline?.numbered(version);

const newest = <Value>(timelines: Timelines<Value>): readonly Value[] =>
  [...timelines.values()].flatMap((timeline) => {
    const entry = timeline.inForceAt();
    return entry === undefined ? [] : [entry.value];
  });
