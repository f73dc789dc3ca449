/** What can be read of decision records, as messages for the QueryBus. */
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { DecisionSummary, RecordedDecision } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { EventStore } from '@rampart/event-store';
import { experimentStream } from '../streams.js';
import { type DecisionPage, DecisionRecords } from './decision-records.store.js';

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

export const decisionQueryHandlers = [DecisionDocumentHandler, DecisionListingHandler];
