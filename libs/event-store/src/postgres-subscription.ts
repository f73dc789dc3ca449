/** Follows the event table: one owner among all processes, woken by a notification or twice a second, its checkpoint moved with what it wrote. */
import pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { EventStoreUnavailable, type Subscriber, type Subscription } from './event-store.js';
import { NEWS_CHANNEL } from './postgres-append.js';
import { CONNECT_WITHIN_MS } from './postgres-data-source.js';
import { eventsAfter } from './postgres-event-rows.js';

const BATCH = 500;
const POLL_MS = 500;
const LONGEST_PAUSE_MS = 2_000;

export class PostgresSubscription implements Subscription {
  private readonly ended: Promise<void>;
  private isClosed = false;
  private hasTurn = false;
  private failures = 0;
  private lastError: string | undefined;
  private wake: () => void = () => undefined;
  private hasNews = false;

  constructor(
    private readonly subscriber: Subscriber<EntityManager>,
    private readonly dataSource: DataSource,
    private readonly url: string,
  ) {
    this.ended = this.run();
  }

  trouble(): string | undefined {
    return this.lastError;
  }

  isOwner(): boolean {
    return this.hasTurn && !this.isClosed;
  }

  async caughtUp(withinMs = 5_000): Promise<void> {
    const [{ last }] = await this.dataSource.query<[{ last: string }]>('select coalesce(max(position), 0) as last from control.event');
    const deadline = performance.now() + withinMs;
    this.nudge();
    while ((await checkpointOf(this.dataSource.manager, this.subscriber.name)) < Number(last)) {
      if (performance.now() > deadline)
        throw new EventStoreUnavailable(
          `${this.subscriber.name} did not catch up with position ${last} within ${withinMs} ms: ${this.lastError ?? 'it is busy'}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.nudge();
    await this.ended;
  }

  private nudge(): void {
    this.hasNews = true;
    this.wake();
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      try {
        await this.ownAndFollow();
      } catch (error) {
        this.failures += 1;
        this.lastError = error instanceof Error ? error.message : String(error);
        this.subscriber.onTrouble?.(error);
        await this.rest(Math.min(LONGEST_PAUSE_MS, 50 * 2 ** Math.min(this.failures, 10)));
      }
    }
  }

  /** The lock lives as long as its connection: a process that dies leaves it at once. */
  private async ownAndFollow(): Promise<void> {
    const session = new pg.Client({
      connectionString: this.url,
      application_name: `rampart ${this.subscriber.name}`,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
    });
    const lost = new Promise<never>((_, reject) => {
      session.on('error', reject);
      session.on('end', () => reject(new Error('the listening connection ended')));
    });
    lost.catch(() => undefined);
    session.on('notification', () => this.nudge());
    try {
      await session.connect();
      while (!this.isClosed && !(await isOwner(session, this.subscriber.name))) {
        // It waits as it should: what ended the connection before is over.
        this.failures = 0;
        this.lastError = undefined;
        await Promise.race([this.rest(POLL_MS), lost]);
      }
      await session.query(`listen ${NEWS_CHANNEL}`);
      this.hasTurn = !this.isClosed;
      while (!this.isClosed) await Promise.race([this.step(), lost]);
    } finally {
      this.hasTurn = false;
      session.removeAllListeners('end');
      await session.end().catch(() => undefined);
    }
  }

  private async step(): Promise<void> {
    this.hasNews = false;
    // Asked first without a lock: an idle follower should write nothing.
    const isIdle = !(await hasNext(this.dataSource.manager, this.subscriber.name));
    const handled = isIdle ? 0 : await this.dataSource.transaction((transaction) => handleNext(transaction, this.subscriber));
    this.failures = 0;
    this.lastError = undefined;
    if (handled === 0 && !this.hasNews) await this.rest(POLL_MS);
  }

  private rest(ms: number): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const isOwner = async (session: pg.Client, name: string): Promise<boolean> => {
  const { rows } = await session.query<{ owned: boolean }>(
    "select pg_try_advisory_lock(hashtext('rampart control'), hashtext($1)) as owned",
    [name],
  );
  return rows[0]?.owned === true;
};

const hasNext = async (manager: EntityManager, name: string): Promise<boolean> => {
  const next = await manager.query<unknown[]>(
    'select from control.event where position > coalesce((select position from control.checkpoint where name = $1), 0) limit 1',
    [name],
  );
  return next.length > 0;
};

/** @returns how many events were handled */
const handleNext = async (transaction: EntityManager, subscriber: Subscriber<EntityManager>): Promise<number> => {
  const checkpoint = await lockedCheckpoint(transaction, subscriber.name);
  const events = await eventsAfter(transaction, checkpoint, BATCH);
  const last = events.at(-1);
  if (last === undefined) return 0;
  await subscriber.handle(events, transaction);
  await moveCheckpoint(transaction, subscriber.name, last.position);
  return events.length;
};

export const rebuildIn = async (transaction: EntityManager, subscriber: Subscriber<EntityManager>): Promise<number> => {
  await lockedCheckpoint(transaction, subscriber.name);
  await subscriber.reset(transaction);
  await moveCheckpoint(transaction, subscriber.name, 0);
  let total = 0;
  for (let handled = -1; handled !== 0; total += handled) handled = await handleNext(transaction, subscriber);
  return total;
};

const checkpointOf = async (manager: EntityManager, name: string): Promise<number> => {
  const rows = await manager.query<{ position: string }[]>('select position from control.checkpoint where name = $1', [name]);
  return Number(rows[0]?.position ?? 0);
};

/** The row's lock keeps a former owner, which has not noticed yet, from handling the same events at once. */
const lockedCheckpoint = async (transaction: EntityManager, name: string): Promise<number> => {
  await transaction.query('insert into control.checkpoint (name, position) values ($1, 0) on conflict do nothing', [name]);
  const [{ position }] = await transaction.query<[{ position: string }]>(
    'select position from control.checkpoint where name = $1 for update',
    [name],
  );
  return Number(position);
};

const moveCheckpoint = (transaction: EntityManager, name: string, position: number): Promise<unknown> =>
  transaction.query('update control.checkpoint set position = $2 where name = $1', [name, position]);
