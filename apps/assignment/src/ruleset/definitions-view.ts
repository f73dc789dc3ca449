/** The definitions in force, in memory: the newest of each, by project and environment. Filled from the log, or from what was kept on disk. */
import { isDeepStrictEqual } from 'node:util';
import {
  type EnvironmentDefinition,
  EVERYWHERE,
  type ExperimentDefinition,
  type FeatureDefinition,
  type HoldoutDefinition,
  type KeyDefinition,
  type LayerDefinition,
  type OverrideDefinition,
  type ProjectDefinition,
  type PublishedValue,
} from '@rampart/contracts';
import type { ExperimentRun, PublishedEnvironment } from './assignment-definitions.js';
import type { PublishedDefinition } from './published-definition.js';

/** Where a change is felt: in one environment, or (`-`) in all of a project’s. */
export interface ChangedScope {
  readonly project: string;
  readonly environment: string;
}

type Kind = PublishedValue['kind'];
type ValueOf<K extends Kind> = Extract<PublishedValue, { kind: K }>['value'];

export class DefinitionsView {
  private readonly slots = new Map<string, PublishedDefinition>();
  /** By project and kind: the slots of that kind. */
  private readonly byProject = new Map<string, Map<Kind, Map<string, PublishedDefinition>>>();
  private readonly keys = new Map<string, KeyDefinition>();

  /** @returns where it is felt; undefined when it says nothing new: at least once, and a replay begins with what is old */
  take(definition: PublishedDefinition): ChangedScope | undefined {
    const known = this.slots.get(definition.slot);
    if (known !== undefined && known.knownAtUs >= definition.knownAtUs && !isSaidAnew(known, definition)) return undefined;
    this.slots.set(definition.slot, definition);
    this.kindOf(definition).set(definition.slot, definition);
    if (definition.published.kind === 'key') this.takeKey(definition.published.value, known);
    return { project: definition.project === EVERYWHERE ? definition.id : definition.project, environment: definition.environment };
  }

  /** For what the log does not hold any more. @param revision  only while it is this one */
  drop(slot: string, revision?: number): ChangedScope | undefined {
    const known = this.slots.get(slot);
    if (known === undefined || (revision !== undefined && known.revision !== revision)) return undefined;
    this.slots.delete(slot);
    this.kindOf(known).delete(slot);
    if (known.published.kind === 'key') for (const hash of hashesOf(known.published.value)) this.keys.delete(hash);
    return { project: known.project, environment: known.environment };
  }

  all(): IterableIterator<PublishedDefinition> {
    return this.slots.values();
  }

  get size(): number {
    return this.slots.size;
  }

  keyByHash(hash: string): KeyDefinition | undefined {
    return this.keys.get(hash);
  }

  project(key: string): ProjectDefinition | undefined {
    return this.valuesOf(EVERYWHERE, 'project').find((project) => project.key === key);
  }

  environment(project: string, key: string): EnvironmentDefinition | undefined {
    return this.valuesOf(project, 'environment').find((environment) => environment.key === key);
  }

  /** When the newest definition of a project became known. */
  changedAtUs(project: string): number {
    let newestUs = 0;
    for (const slots of this.byProject.get(project)?.values() ?? [])
      for (const { knownAtUs } of slots.values()) newestUs = Math.max(newestUs, knownAtUs);
    return newestUs;
  }

  /** Everything that decides who gets what in an environment. */
  published(project: string, environment: string): PublishedEnvironment {
    const killed = this.valuesIn(project, 'feature-state', environment).filter(({ isKilled }) => isKilled);
    return {
      features: this.valuesOf(project, 'feature') satisfies readonly FeatureDefinition[],
      killed: new Set(killed.map(({ feature }) => feature)),
      runs: this.runs(project, environment),
      layers: this.valuesOf(project, 'layer') satisfies readonly LayerDefinition[],
      holdouts: this.valuesOf(project, 'holdout') satisfies readonly HoldoutDefinition[],
      overrides: this.valuesIn(project, 'override', environment) satisfies readonly OverrideDefinition[],
    };
  }

  /** Each experiment that was started there, with the version of its definition that counts there. */
  private runs(project: string, environment: string): readonly ExperimentRun[] {
    const versions = this.byProject.get(project)?.get('experiment');
    return this.definitionsIn(project, 'experiment-state', environment).flatMap(({ published, id, knownAtUs }): ExperimentRun[] => {
      if (published.kind !== 'experiment-state') return [];
      const state = published.value;
      const definition = versions?.get(`experiment/${project}/${id}/${EVERYWHERE}/${state.version}`)?.published.value as
        | ExperimentDefinition
        | undefined;
      return definition === undefined ? [] : [{ definition, state, changedAtUs: knownAtUs }];
    });
  }

  private takeKey(key: KeyDefinition, before: PublishedDefinition | undefined): void {
    // A rotated key has other hashes: what is not named any more must stop to work.
    if (before?.published.kind === 'key') for (const hash of hashesOf(before.published.value)) this.keys.delete(hash);
    for (const hash of hashesOf(key)) this.keys.set(hash, key);
  }

  private kindOf({ project, published }: PublishedDefinition): Map<string, PublishedDefinition> {
    const kinds = this.byProject.get(project) ?? new Map<Kind, Map<string, PublishedDefinition>>();
    this.byProject.set(project, kinds);
    const found = kinds.get(published.kind) ?? new Map<string, PublishedDefinition>();
    kinds.set(published.kind, found);
    return found;
  }

  /** In the order of their ids: what is compiled must not hang on the order in which it was heard. */
  private definitionsIn(project: string, kind: Kind, environment?: string): readonly PublishedDefinition[] {
    const all = [...(this.byProject.get(project)?.get(kind)?.values() ?? [])];
    const mine = environment === undefined ? all : all.filter((one) => one.environment === environment);
    return mine.sort((a, b) => (a.slot < b.slot ? -1 : 1));
  }

  private valuesOf<K extends Kind>(project: string, kind: K, environment?: string): readonly ValueOf<K>[] {
    return this.definitionsIn(project, kind, environment).map(({ published }) => published.value as ValueOf<K>);
  }

  private valuesIn<K extends Kind>(project: string, kind: K, environment: string): readonly ValueOf<K>[] {
    return this.valuesOf(project, kind, environment);
  }
}

/** The same revision without a unit that was erased: as old as it was. */
const isSaidAnew = (known: PublishedDefinition, { revision, published }: PublishedDefinition): boolean =>
  known.revision === revision && !isDeepStrictEqual(known.published, published);

const hashesOf = ({ hash, previous }: KeyDefinition): readonly string[] => (previous === undefined ? [hash] : [hash, previous.hash]);
