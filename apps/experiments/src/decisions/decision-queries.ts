/** What can be read of decision records, as messages for the QueryBus. */
import { createHash } from 'node:crypto';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { canonicalJson, type DecisionSummary, formatInstant, type RecordedDecision, type RecordedDigest } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { EventStore } from '@rampart/event-store';
import { experimentStream } from '../streams.js';
import { type DecisionPage, DecisionRecords } from './decision-records.store.js';
import { recordedDecision } from './recorded-decision.js';

/** One record with all that it takes to recount it. @throws DomainError decision-not-found */
export class DecisionDocument extends Query<RecordedDecision> {
  constructor(
    readonly project: string,
    readonly id: string,
  ) {
    super();
  }
}

export interface DecisionList {
  readonly items: readonly DecisionSummary[];
  /** What `before` must be for the next page; null: there is none. */
  readonly next: string | null;
}

/** The records of an experiment in an environment, newest first. @throws DomainError experiment-not-found, decision-not-found for a `before` that is none of them */
export class DecisionListing extends Query<DecisionList> {
  constructor(readonly page: DecisionPage) {
    super();
  }
}

export interface DigestPage {
  readonly items: readonly RecordedDigest[];
  /** What `after` must be for the next page; null: the history ends. */
  readonly next: number | null;
}

/** What the history itself holds of records, in its order: a page of its events, those that are no records left out. */
export class RecordedDigests extends Query<DigestPage> {
  /** @param after  position of an event; @param limit  events at most */
  constructor(
    readonly after: number,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(RecordedDigests)
class RecordedDigestsHandler implements IQueryHandler<RecordedDigests> {
  constructor(private readonly store: EventStore) {}

  async execute({ after, limit }: RecordedDigests): Promise<DigestPage> {
    const events = await this.store.readAll(after, limit);
    const items = events.flatMap((stored) => {
      const recorded = recordedDecision(stored);
      return recorded === undefined ? [] : [digestOf(recorded)];
    });
    return { items, next: events.at(-1)?.position ?? null };
  }
}

const digestOf = ({ record, recordedAtUs }: RecordedDecision): RecordedDigest => {
  const { id, project, environment, experiment, comparison, stage } = record;
  const digest = createHash('sha256').update(canonicalJson(record)).digest('hex');
  return { id, project, environment, experiment, comparison, stage, recordedAt: formatInstant(recordedAtUs), digest };
};

@QueryHandler(DecisionDocument)
class DecisionDocumentHandler implements IQueryHandler<DecisionDocument> {
  constructor(private readonly records: DecisionRecords) {}

  async execute({ project, id }: DecisionDocument): Promise<RecordedDecision> {
    const found = await this.records.whole(project, id);
    if (found !== undefined) return found;
    throw new DomainError('decision-not-found', `project "${project}" has no decision record ${id}`, { decision: id });
  }
}

@QueryHandler(DecisionListing)
class DecisionListingHandler implements IQueryHandler<DecisionListing> {
  constructor(
    private readonly records: DecisionRecords,
    private readonly store: EventStore,
  ) {}

  async execute({ page }: DecisionListing): Promise<DecisionList> {
    const { project, limit, before, experiment, environment } = page;
    if ((await this.store.readStream(experimentStream(project, experiment))).length === 0)
      throw new DomainError('experiment-not-found', `there is no experiment "${experiment}" here`, { experiment });
    // One more than asked: whether there is a next page.
    const found = await this.records.page({ ...page, limit: limit + 1 });
    if (found === undefined) {
      const message = `"${experiment}" has no decision record ${before} in ${environment}: begin without ?before=`;
      throw new DomainError('decision-not-found', message, { decision: before, path: '/before' });
    }
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }
}

export const decisionQueryHandlers = [DecisionDocumentHandler, DecisionListingHandler, RecordedDigestsHandler];
