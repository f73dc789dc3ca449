/** Commands and queries of rollouts: looks up what a decision needs, and answers with the whole document. */
import { CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { GateAnswer, RolloutDocument, RolloutHistoryEntry } from '@rampart/contracts';
import { formatInstant } from '@rampart/contracts';
import { DomainError, gateOf, type RolloutCommand, rolloutDecider } from '@rampart/domain';
import { EventStore } from '@rampart/event-store';
import { Catalogue } from '../catalogue/catalogue.store.js';
import { CommandDoor, type Outcome } from '../command/command-door.js';
import { rolloutStream } from '../streams.js';
import { type ReadRollout, RolloutReader } from './rollout.reader.js';
import { documentOfRollout, historyEntry } from './rollout-document.js';
import { RolloutMessage } from './rollout-message.js';

@CommandHandler(RolloutMessage)
class RolloutHandler implements ICommandHandler<RolloutMessage> {
  constructor(
    private readonly door: CommandDoor,
    private readonly reader: RolloutReader,
  ) {}

  async execute({ project, rollout, command: request, envelope }: RolloutMessage): Promise<Outcome> {
    const found = await this.reader.read({ project, rollout });
    const definition = 'definition' in request ? request.definition : 'definition' in found.rollout ? found.rollout.definition : undefined;
    const { actor, reason, atUs } = envelope.origin;
    const needsSurroundings = request.type === 'DefineRollout' || request.type === 'RedefineRollout' || request.type === 'StartRollout';
    // Before all that is read of its environment: there may be none.
    const surroundings = needsSurroundings && definition !== undefined ? await this.reader.surroundingsOf(project, definition) : undefined;
    const facts = 'definition' in request ? (await this.reader.factsOf(project, request.definition)).facts : found.facts;
    const meantStage = 'stage' in found.rollout ? found.rollout.stage.index : null;
    const known = { surroundings, facts, actor, reason, atUs, meantStage };
    // Each command takes of it what it asks for.
    const command = { ...request, ...known } as unknown as RolloutCommand;
    return this.door.execute({
      stream: rolloutStream(project, rollout),
      decider: rolloutDecider,
      command,
      envelope,
      document: (state, revision) => documentOfRollout(project, state, revision, facts),
    });
  }
}

/** @throws DomainError rollout-not-found */
export class RolloutByKey extends Query<{ readonly revision: number; readonly body: RolloutDocument }> {
  constructor(
    readonly project: string,
    readonly rollout: string,
  ) {
    super();
  }
}

export class RolloutList extends Query<readonly RolloutDocument[]> {
  constructor(
    readonly project: string,
    readonly filter: { readonly environment?: string | undefined; readonly status?: string | undefined },
  ) {
    super();
  }
}

/** Oldest first. @throws DomainError rollout-not-found */
export class RolloutHistory extends Query<readonly RolloutHistoryEntry[]> {
  constructor(
    readonly project: string,
    readonly rollout: string,
  ) {
    super();
  }
}

/** @throws DomainError rollout-not-found */
export class RolloutGateQuestion extends Query<GateAnswer> {
  constructor(
    readonly project: string,
    readonly rollout: string,
  ) {
    super();
  }
}

@QueryHandler(RolloutByKey)
class RolloutByKeyHandler implements IQueryHandler<RolloutByKey> {
  constructor(private readonly reader: RolloutReader) {}

  async execute({ project, rollout }: RolloutByKey) {
    const found = await this.reader.read({ project, rollout });
    if (found.rollout.status === 'absent') throw notFound(rollout);
    return { revision: found.revision, body: documentIn(project, found) };
  }
}

const AT_ONCE = 4;

@QueryHandler(RolloutList)
class RolloutListHandler implements IQueryHandler<RolloutList> {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly reader: RolloutReader,
  ) {}

  async execute({ project, filter }: RolloutList): Promise<readonly RolloutDocument[]> {
    const keys = (await this.catalogue.list('rollout', project)).map(({ key }) => String(key));
    const isAsked = ({ definition, status }: { readonly definition: { readonly environment: string }; readonly status: string }) =>
      (filter.environment ?? definition.environment) === definition.environment && (filter.status ?? status) === status;
    const documents: RolloutDocument[] = [];
    // A long list must not take every connection.
    for (let first = 0; first < keys.length; first += AT_ONCE) {
      const some = keys.slice(first, first + AT_ONCE).map((rollout) => this.reader.readShown({ project, rollout }, isAsked));
      for (const found of await Promise.all(some)) if (found !== null) documents.push(documentIn(project, found));
    }
    return documents;
  }
}

@QueryHandler(RolloutHistory)
class RolloutHistoryHandler implements IQueryHandler<RolloutHistory> {
  constructor(private readonly store: EventStore) {}

  async execute({ project, rollout }: RolloutHistory): Promise<readonly RolloutHistoryEntry[]> {
    const events = await this.store.readStream(rolloutStream(project, rollout));
    if (events.length === 0) throw notFound(rollout);
    return events.map(historyEntry);
  }
}

@QueryHandler(RolloutGateQuestion)
class RolloutGateHandler implements IQueryHandler<RolloutGateQuestion> {
  constructor(private readonly reader: RolloutReader) {}

  async execute({ project, rollout: key }: RolloutGateQuestion): Promise<GateAnswer> {
    const { rollout, facts } = await this.reader.read({ project, rollout: key });
    if (rollout.status === 'absent') throw notFound(key);
    const { verdict, reason, stage, record, knownUntilUs } = gateOf(rollout, facts);
    const knownUntil = knownUntilUs === null ? null : formatInstant(knownUntilUs);
    return { verdict, reason, rollout: key, status: rollout.status, stage, decisionId: record, knownUntil };
  }
}

/** Of one that is there. */
const documentIn = (project: string, { rollout, revision, facts }: Omit<ReadRollout, 'experiment'>): RolloutDocument =>
  documentOfRollout(project, rollout, revision, facts) as RolloutDocument;

const notFound = (rollout: string): DomainError =>
  new DomainError('rollout-not-found', `there is no rollout "${rollout}" here: define it first`, { rollout });

export const rolloutHandlers = [RolloutHandler, RolloutByKeyHandler, RolloutListHandler, RolloutHistoryHandler, RolloutGateHandler];
