/** Keeps the read model in step with the event store, and answers lists from it. */
import { type ApiKeyEvent, apiKeyDecider, fold } from '@rampart/domain';
import { type EventStore, explained, type StoredEvent, type Subscriber, type Subscription } from '@rampart/event-store';
import type { DataSource, EntityManager, QueryDeepPartialEntity } from 'typeorm';
import { isOfResource, partsOfStream, type ResourceKind } from '../streams.js';
import { type CatalogueEntry, catalogueEntity } from './catalogue.entities.js';
import { documentOf } from './resources.js';

/** Names of subscriptions are forever. */
const CATALOGUE = 'catalogue';

export class Catalogue {
  readonly subscriber: Subscriber<EntityManager>;
  private subscription: Subscription | undefined;

  constructor(
    private readonly store: EventStore<EntityManager>,
    private readonly dataSource: DataSource,
    onTrouble?: (error: unknown) => void,
  ) {
    this.subscriber = {
      name: CATALOGUE,
      handle: (events, transaction) => this.fill(events, transaction),
      reset: async (transaction) => void (await transaction.createQueryBuilder().delete().from(catalogueEntity).execute()),
      ...(onTrouble === undefined ? {} : { onTrouble }),
    };
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
  }

  trouble(): string | undefined {
    return this.subscription?.trouble();
  }

  /** In order of keys, everything that was stored before the call included. @param project  null: what belongs to the platform */
  list(kind: ResourceKind, project: string | null): Promise<readonly CatalogueEntry['document'][]> {
    return guarded(() => this.entries(kind, project));
  }

  /** Streams of all resources of a kind, of every project. */
  streams(kind: ResourceKind): Promise<readonly string[]> {
    return guarded(async () => {
      await this.subscription?.caughtUp();
      const found = await this.dataSource.getRepository(catalogueEntity).find({ where: { kind }, select: { stream: true } });
      return found.map(({ stream }) => stream);
    });
  }

  /** @returns the stream of the key that has this hash, or had it before its rotation, whether it works or not */
  keyStreamByHash(hash: string): Promise<string | undefined> {
    return guarded(() => this.streamOfKey(hash));
  }

  private async entries(kind: ResourceKind, project: string | null): Promise<readonly CatalogueEntry['document'][]> {
    await this.subscription?.caughtUp();
    const query = this.dataSource.getRepository(catalogueEntity).createQueryBuilder('entry').where('entry.kind = :kind', { kind });
    const own = project === null ? query.andWhere('entry.project is null') : query.andWhere('entry.project = :project', { project });
    const entries = await own.getMany();
    // By code units: a database's own order depends on where it was made.
    return entries.sort((a, b) => (a.stream < b.stream ? -1 : 1)).map(({ document }) => document);
  }

  private async streamOfKey(hash: string): Promise<string | undefined> {
    const find = () => this.dataSource.getRepository(catalogueEntity).findOneBy([{ keyHash: hash }, { previousKeyHash: hash }]);
    const found = await find();
    if (found !== null) return found.stream;
    // It may be a second old.
    await this.subscription?.caughtUp();
    return (await find())?.stream;
  }

  private async fill(events: readonly StoredEvent[], transaction: EntityManager): Promise<void> {
    const streams = [...new Set(events.map(({ stream }) => stream).filter(isOfResource))];
    if (streams.length === 0) return;
    const entries = await Promise.all(streams.map(async (stream) => entryOf(stream, await this.store.readStream(stream))));
    await transaction.getRepository(catalogueEntity).upsert(entries as QueryDeepPartialEntity<CatalogueEntry>[], ['stream']);
  }
}

const guarded = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await ask();
  } catch (error) {
    throw explained(error);
  }
};

/** Always the newest state: an entry may be ahead of the checkpoint, and is the same when it is made again. */
const entryOf = (stream: string, events: readonly StoredEvent[]): CatalogueEntry => {
  const { kind, project } = partsOfStream(stream);
  const document = documentOf(stream, events);
  if (kind !== 'key') return { stream, kind, project, document, keyHash: null, previousKeyHash: null };
  const key = fold(
    apiKeyDecider,
    events.map(({ event }) => event as ApiKeyEvent),
  );
  return {
    stream,
    kind,
    project: key.status === 'absent' ? null : key.project,
    document,
    keyHash: key.status === 'absent' ? null : key.hash,
    previousKeyHash: key.status === 'absent' ? null : (key.previous?.hash ?? null),
  };
};
