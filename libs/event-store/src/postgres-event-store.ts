/** Streams in PostgreSQL: one table, one order. The table is the outbox as well: there is no second one. */
import type { DataSource, EntityManager } from 'typeorm';
import { type AppendRequest, EventStore, type RecordedRequest, type StoredEvent, type Subscriber, type Tail } from './event-store.js';
import { appendIn } from './postgres-append.js';
import { explained } from './postgres-errors.js';
import { type EventRow, eventsAfter, storedEvent } from './postgres-event-rows.js';
import { PostgresSubscription, rebuildIn } from './postgres-subscription.js';
import { PostgresTail } from './postgres-tail.js';
import { revisionMismatch } from './revision-mismatch.js';

export class PostgresEventStore extends EventStore<EntityManager> {
  private readonly subscriptions: PostgresSubscription[] = [];
  private readonly tails: Tail[] = [];

  /** @param url  for the connections of their own that subscriptions listen on */
  constructor(
    private readonly dataSource: DataSource,
    private readonly url: string,
  ) {
    super();
  }

  async append(request: AppendRequest): Promise<number> {
    try {
      return await this.dataSource.transaction((transaction) => appendIn(transaction, request));
    } catch (error) {
      // The lock lets nobody come this far twice, but the table must not depend on it.
      if (isTaken(error)) throw revisionMismatch(request.stream, request.expectedVersion, request.expectedVersion + 1);
      throw explained(error);
    }
  }

  async readStream(stream: string, afterVersion = 0): Promise<readonly StoredEvent[]> {
    const text = 'select * from control.event where stream = $1 and version > $2 order by version';
    return (await this.query<EventRow>(text, [stream, afterVersion])).map(storedEvent);
  }

  readAll(afterPosition: number, limit: number): Promise<readonly StoredEvent[]> {
    return eventsAfter(this.dataSource.manager, afterPosition, limit).catch((error: unknown) => {
      throw explained(error);
    });
  }

  async recordedRequest(scope: string, key: string): Promise<RecordedRequest | undefined> {
    const [found] = await this.query<RecordedRequest>(
      'select scope, key, digest, answer from control.recorded_request where scope = $1 and key = $2',
      [scope, key],
    );
    return found;
  }

  subscribe(subscriber: Subscriber<EntityManager>): PostgresSubscription {
    const subscription = new PostgresSubscription(subscriber, this.dataSource, this.url);
    this.subscriptions.push(subscription);
    return subscription;
  }

  tail(tell: (event: StoredEvent) => void): Tail {
    const tail = new PostgresTail(this.dataSource, this.url, tell);
    this.tails.push(tail);
    return tail;
  }

  rebuild(subscriber: Subscriber<EntityManager>): Promise<number> {
    return this.dataSource.transaction((transaction) => rebuildIn(transaction, subscriber));
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions, ...this.tails].map((follower) => follower.close()));
  }

  private async query<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.dataSource.query<Row[]>(sql, [...parameters]);
    } catch (error) {
      throw explained(error);
    }
  }
}

const isTaken = (error: unknown): boolean => (error as { constraint?: unknown }).constraint === 'event_stream_version_key';
