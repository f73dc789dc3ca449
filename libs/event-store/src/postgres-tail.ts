/** Reads on from the newest event, woken by a notification or once a second; begins with nothing and keeps nothing. */
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { StoredEvent, Tail } from './event-store.js';
import { NEWS_CHANNEL } from './postgres-append.js';
import { CONNECT_WITHIN_MS } from './postgres-data-source.js';
import { eventsAfter } from './postgres-event-rows.js';

const BATCH = 500;
const POLL_MS = 1_000;
const RETRY_MS = 500;

export class PostgresTail implements Tail {
  readonly ready: Promise<void>;
  private readonly ended: Promise<void>;
  private isClosed = false;
  private lastError: string | undefined;
  private position: number | undefined;
  private hasNews = false;
  private wake: () => void = () => undefined;
  private isReady: () => void = () => undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly url: string,
    private readonly tell: (event: StoredEvent) => void,
  ) {
    this.ready = new Promise((resolve) => {
      this.isReady = resolve;
    });
    this.ended = this.run();
  }

  trouble(): string | undefined {
    return this.lastError;
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
        await this.listen();
      } catch (error) {
        this.lastError = error instanceof Error ? error.message : String(error);
        await this.rest(RETRY_MS);
      }
    }
  }

  /** With a connection of its own; after a lost one it goes on where it was. */
  private async listen(): Promise<void> {
    const session = new pg.Client({
      connectionString: this.url,
      application_name: 'rampart tail',
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
      await session.query(`listen ${NEWS_CHANNEL}`);
      this.position ??= await newestPosition(this.dataSource);
      this.isReady();
      while (!this.isClosed) await Promise.race([this.step(this.position), lost]);
    } finally {
      session.removeAllListeners('end');
      await session.end().catch(() => undefined);
    }
  }

  private async step(from: number): Promise<void> {
    this.hasNews = false;
    const events = await eventsAfter(this.dataSource.manager, this.position ?? from, BATCH);
    this.lastError = undefined;
    for (const event of events) {
      if (this.isClosed) return;
      this.position = event.position;
      this.tell(event);
    }
    if (events.length === 0 && !this.hasNews) await this.rest(POLL_MS);
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

const newestPosition = async (dataSource: DataSource): Promise<number> => {
  const [{ last }] = await dataSource.query<[{ last: string }]>('select coalesce(max(position), 0) as last from control.event');
  return Number(last);
};
