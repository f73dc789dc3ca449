/** What can be read, as messages for the QueryBus. */
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { formatInstant } from '@rampart/contracts';
import {
  type ChecklistItem,
  DomainError,
  type ExperimentEvent,
  type ExperimentStatus,
  experimentDecider,
  fold,
  nextStartUs,
  startChecklist,
  statusIn,
} from '@rampart/domain';
import { nowUs } from '../clock.js';
import { SurroundingsReader } from '../command/surroundings.js';
import { NewestLooks } from '../evidence/newest-looks.js';
import { experimentStream, partsOfStream, type ResourceKind } from '../streams.js';
import { Catalogue } from './catalogue.store.js';
import { withLooks } from './documents.js';
import { type ResourceAt, Resources } from './resources.js';

type Document = Readonly<Record<string, unknown>>;

/** All resources of a kind; of experiments those with a status, in one environment or in any. */
export class ResourceList extends Query<readonly Document[]> {
  constructor(
    readonly kind: ResourceKind,
    readonly project: string | null,
    readonly filter: { readonly status?: ExperimentStatus | undefined; readonly environment?: string | undefined } = {},
  ) {
    super();
  }
}

/** One resource, with its revision. @throws DomainError `<kind>-not-found` */
export class ResourceDocument extends Query<{ readonly revision: number; readonly body: Document }> {
  constructor(
    readonly kind: ResourceKind,
    readonly at: ResourceAt,
  ) {
    super();
  }
}

/** Everything that happened to a resource, oldest first. @throws DomainError `<kind>-not-found` */
export class ResourceHistory extends Query<readonly Document[]> {
  constructor(
    readonly kind: ResourceKind,
    readonly stream: string,
  ) {
    super();
  }
}

export interface Checklist {
  readonly environment: string;
  readonly status: ExperimentStatus;
  readonly isReady: boolean;
  readonly items: readonly ChecklistItem[];
}

/** What stands between a draft and its start in an environment. */
export class StartChecklist extends Query<Checklist> {
  constructor(
    readonly project: string,
    readonly experiment: string,
    readonly environment: string,
  ) {
    super();
  }
}

@QueryHandler(ResourceList)
class ResourceListHandler implements IQueryHandler<ResourceList> {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly looks: NewestLooks,
  ) {}

  async execute({ kind, project, filter }: ResourceList): Promise<readonly Document[]> {
    const listed = await this.catalogue.list(kind, project);
    const all = kind === 'project' ? listed.filter(({ removedAt }) => removedAt === undefined) : listed;
    const { status, environment } = filter;
    const wanted = status === undefined ? all : all.filter((document) => hasStatus(document, status, environment));
    return kind === 'experiment'
      ? wanted.map((document) => withLooks(document, this.looks.of(project ?? '', String(document.key))))
      : wanted;
  }
}

/** An experiment that was never started is a draft in every environment. */
const hasStatus = (document: Document, status: ExperimentStatus, environment: string | undefined): boolean => {
  const runs = document.environments as Readonly<Record<string, { readonly status: ExperimentStatus }>>;
  if (environment !== undefined) return (runs[environment]?.status ?? 'draft') === status;
  const statuses = Object.values(runs).map((run) => run.status);
  return statuses.length === 0 ? status === 'draft' : statuses.includes(status);
};

@QueryHandler(ResourceDocument)
class ResourceDocumentHandler implements IQueryHandler<ResourceDocument> {
  constructor(
    private readonly resources: Resources,
    private readonly looks: NewestLooks,
  ) {}

  async execute({ kind, at }: ResourceDocument) {
    const body = await this.resources.read(at);
    if (body === undefined) throw notFound(kind, at.stream, at);
    const revision = Number(body.revision);
    if (kind !== 'experiment' || at.asOfUs !== null) return { revision, body };
    const { project, id } = partsOfStream(at.stream);
    return { revision, body: withLooks(body, this.looks.of(project ?? '', id)) };
  }
}

@QueryHandler(ResourceHistory)
class ResourceHistoryHandler implements IQueryHandler<ResourceHistory> {
  constructor(private readonly resources: Resources) {}

  async execute({ kind, stream }: ResourceHistory): Promise<readonly Document[]> {
    const events = await this.resources.history(stream);
    if (events.length === 0) throw notFound(kind, stream);
    return events.map(({ version, event: { type, ...details }, atUs, actor, reason, requestId }) => ({
      revision: version,
      type,
      at: formatInstant(atUs),
      actor,
      reason,
      requestId,
      details,
    }));
  }
}

@QueryHandler(StartChecklist)
class StartChecklistHandler implements IQueryHandler<StartChecklist> {
  constructor(
    private readonly resources: Resources,
    private readonly surroundings: SurroundingsReader,
  ) {}

  async execute({ project, experiment, environment: key }: StartChecklist): Promise<Checklist> {
    const stream = experimentStream(project, experiment);
    const events = (await this.resources.history(stream)).map(({ event }) => event as ExperimentEvent);
    const state = fold(experimentDecider, events);
    const definition = state.versions.at(-1)?.definition;
    if (definition === undefined) throw notFound('experiment', stream);
    const kind = await this.surroundings.kindOf(project, key);
    const run = state.runs[key];
    const atUs = nowUs();
    const items = startChecklist({
      definition,
      environment: { key, kind },
      surroundings: await this.surroundings.around(project, definition, key),
      metricVersions: run?.metricVersions ?? {},
      startsAtUs: nextStartUs(state, key, atUs),
      atUs,
    });
    return { environment: key, status: statusIn(state, key), isReady: items.every(({ level }) => level === 'warning'), items };
  }
}

const notFound = (kind: ResourceKind, stream: string, at?: ResourceAt): DomainError => {
  const name = stream.split('/').at(-1);
  const version = at?.version == null ? '' : `version ${at.version} of `;
  const then = at?.asOfUs == null ? '' : ` at ${formatInstant(at.asOfUs)}`;
  return new DomainError(`${kind}-not-found`, `there is no ${version}${kind} "${name}" here${then}`, { [kind]: name });
};

export const queryHandlers = [ResourceListHandler, ResourceDocumentHandler, ResourceHistoryHandler, StartChecklistHandler];
