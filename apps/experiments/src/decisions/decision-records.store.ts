/** Keeps the lists of decision records in step with the event store, and finds each whole in it. */
import type { DecisionSummary, RecordedDecision } from '@rampart/contracts';
import { type EventStore, explained, type StoredEvent, type Subscriber, type Subscription } from '@rampart/event-store';
import type { DataSource, EntityManager, QueryDeepPartialEntity } from 'typeorm';
import { type DecisionEntry, decisionEntity } from './decision-records.entities.js';
import { recordedDecision, summaryOf } from './recorded-decision.js';

/** Names of subscriptions are forever. */
const DECISIONS = 'decisions';

export interface DecisionPage {
  readonly project: string;
  readonly experiment: string;
  readonly environment: string;
  readonly limit: number;
  /** Id of the record before which the page begins; null: the newest. */
  readonly before: string | null;
}

export class DecisionRecords {
  readonly subscriber: Subscriber<EntityManager>;
  private subscription: Subscription | undefined;

  constructor(
    private readonly store: EventStore<EntityManager>,
    private readonly dataSource: DataSource,
    onTrouble?: (error: unknown) => void,
  ) {
    this.subscriber = {
      name: DECISIONS,
      handle: (events, transaction) => fill(events, transaction),
      reset: async (transaction) => void (await transaction.createQueryBuilder().delete().from(decisionEntity).execute()),
      ...(onTrouble === undefined ? {} : { onTrouble }),
    };
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
  }

  trouble(): string | undefined {
    return this.subscription?.trouble();
  }

  /** Newest first, everything that was recorded before the call included. @returns undefined if `before` names no record of the list */
  page(asked: DecisionPage): Promise<readonly DecisionSummary[] | undefined> {
    return guarded(() => this.entries(asked));
  }

  /** @returns undefined if the project has no record with this id */
  entry(project: string, id: string): Promise<DecisionEntry | undefined> {
    return guarded(() => this.find(project, id));
  }

  /** The whole record. @returns undefined if the project has none with this id */
  async whole(project: string, id: string): Promise<RecordedDecision | undefined> {
    const entry = await this.entry(project, id);
    if (entry === undefined) return undefined;
    const [stored] = await this.store.readAll(Number(entry.position) - 1, 1);
    return stored === undefined ? undefined : recordedDecision(stored);
  }

  private async entries({ project, experiment, environment, limit, before }: DecisionPage): Promise<DecisionSummary[] | undefined> {
    await this.subscription?.caughtUp();
    const first = before === null ? undefined : await this.find(project, before);
    if (before !== null && (first?.experiment !== experiment || first.environment !== environment)) return undefined;
    const query = this.dataSource
      .getRepository(decisionEntity)
      .createQueryBuilder('entry')
      .where('entry.project = :project and entry.experiment = :experiment and entry.environment = :environment', {
        project,
        experiment,
        environment,
      });
    const older = first === undefined ? query : query.andWhere('entry.position < :position', { position: first.position });
    const found = await older.orderBy('entry.position', 'DESC').limit(limit).getMany();
    return found.map(({ summary }) => summary);
  }

  private async find(project: string, id: string): Promise<DecisionEntry | undefined> {
    const find = () => this.dataSource.getRepository(decisionEntity).findOneBy({ project, id });
    const found = await find();
    if (found !== null) return found;
    // It may be a second old.
    await this.subscription?.caughtUp();
    return (await find()) ?? undefined;
  }
}

const fill = async (events: readonly StoredEvent[], transaction: EntityManager): Promise<void> => {
  const entries = events.flatMap(entriesOf);
  if (entries.length === 0) return;
  await transaction.getRepository(decisionEntity).upsert(entries as QueryDeepPartialEntity<DecisionEntry>[], ['id']);
};

const entriesOf = (stored: StoredEvent): readonly DecisionEntry[] => {
  const recorded = recordedDecision(stored);
  if (recorded === undefined) return [];
  const { id, project, environment, experiment, comparison, knownUntilUs } = recorded.record;
  const summary = summaryOf(recorded);
  return [{ id, position: `${stored.position}`, project, environment, experiment, comparison, knownUntilUs: `${knownUntilUs}`, summary }];
};

const guarded = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await ask();
  } catch (error) {
    throw explained(error);
  }
};
