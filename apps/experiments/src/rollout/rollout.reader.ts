/** Reads what a rollout is decided upon, all of it as it is now: its own stream, its experiment, the newest look and record, its feature. */
import { Injectable } from '@nestjs/common';
import { parseInstant } from '@rampart/contracts';
import {
  type Experiment,
  experimentDecider,
  type FeatureEvent,
  featureDecider,
  fold,
  initialRollout,
  isKilledIn,
  type Rollout,
  type RolloutDefinition,
  type RolloutFacts,
  type RolloutSurroundings,
  rolloutDecider,
  type SeenLook,
  type SeenRecord,
} from '@rampart/domain';
import { EventStore, type RampartEvent } from '@rampart/event-store';
import { nowUs } from '../clock.js';
import { SurroundingsReader } from '../command/surroundings.js';
import { DecisionRecords } from '../decisions/decision-records.store.js';
import { NewestLooks } from '../evidence/newest-looks.js';
import { experimentStream, featureStream, rolloutStream } from '../streams.js';

export interface RolloutPlace {
  readonly project: string;
  readonly rollout: string;
}

export interface ReadRollout {
  readonly rollout: Rollout;
  readonly revision: number;
  readonly experiment: Experiment;
  readonly facts: RolloutFacts;
}

type DefinedRollout = Exclude<Rollout, { status: 'absent' }>;

@Injectable()
export class RolloutReader {
  constructor(
    private readonly store: EventStore,
    private readonly looks: NewestLooks,
    private readonly records: DecisionRecords,
    private readonly around: SurroundingsReader,
  ) {}

  async read(place: RolloutPlace): Promise<ReadRollout> {
    const own = await this.own(place);
    if (own.rollout.status === 'absent') return { ...own, experiment: NONE, facts: NO_FACTS };
    const { experiment, facts } = await this.factsOf(place.project, own.rollout.definition);
    return { ...own, experiment, facts };
  }

  /** To be shown: nothing is looked up for one that was not started. @returns null for one that is not asked for */
  async readShown(place: RolloutPlace, isAsked: (rollout: DefinedRollout) => boolean): Promise<Omit<ReadRollout, 'experiment'> | null> {
    const own = await this.own(place);
    if (own.rollout.status === 'absent' || !isAsked(own.rollout)) return null;
    if (own.rollout.status === 'draft') return { ...own, facts: NO_FACTS };
    return { ...own, facts: (await this.factsOf(place.project, own.rollout.definition)).facts };
  }

  private async own({ project, rollout: key }: RolloutPlace) {
    const events = await this.events(rolloutStream(project, key));
    return { rollout: fold(rolloutDecider, events as never, initialRollout), revision: events.length };
  }

  /** Whatever is known about the experiment in the environment. */
  async factsOf(project: string, { experiment: key, environment }: Pick<RolloutDefinition, 'experiment' | 'environment'>) {
    const experiment = fold(experimentDecider, (await this.events(experimentStream(project, key))) as never);
    const run = experiment.runs[environment] ?? null;
    const comparison = run?.segments.at(-1)?.comparison;
    const definition = experiment.versions.at(-1)?.definition;
    const [record] = (await this.records.page({ project, experiment: key, environment, limit: 1, before: null })) ?? [];
    const look = this.looks.of(project, key).find((one) => one.environment === environment && one.comparison === comparison);
    const facts: RolloutFacts = {
      nowUs: nowUs(),
      experiment: run,
      policy: definition?.policy ?? 'ship',
      isFeatureKilled: await this.isKilled(project, definition?.feature, environment),
      look: (look as SeenLook | undefined) ?? null,
      record: record === undefined ? null : seenRecord(record),
    };
    return { experiment, facts };
  }

  /** @throws DomainError environment-not-found */
  async surroundingsOf(project: string, { experiment: key, environment }: RolloutDefinition): Promise<RolloutSurroundings> {
    const kind = await this.around.kindOf(project, environment);
    const experiment = fold(experimentDecider, (await this.events(experimentStream(project, key))) as never);
    const definition = experiment.versions.at(-1)?.definition;
    const around = definition === undefined ? { metrics: {}, feature: null } : await this.around.around(project, definition, environment);
    return { experiment, kind, around };
  }

  private async isKilled(project: string, key: string | undefined, environment: string): Promise<boolean> {
    if (key === undefined) return false;
    const events = (await this.events(featureStream(project, key))) as readonly FeatureEvent[];
    return isKilledIn(fold(featureDecider, events), environment);
  }

  private async events(stream: string): Promise<readonly RampartEvent[]> {
    return (await this.store.readStream(stream)).map(({ event }) => event);
  }
}

const NONE: Experiment = { versions: [], runs: {} };
const NO_FACTS: RolloutFacts = { nowUs: 0, experiment: null, policy: 'ship', isFeatureKilled: false, look: null, record: null };

type Summary = NonNullable<Awaited<ReturnType<DecisionRecords['page']>>>[number];

const seenRecord = ({ knownUntil, ...record }: Summary): SeenRecord => ({ ...record, knownUntilUs: parseInstant(knownUntil) ?? 0 });
