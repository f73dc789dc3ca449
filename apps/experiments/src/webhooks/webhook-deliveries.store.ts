/** The queue of each webhook, in PostgreSQL: filled with the checkpoint of its subscription, so that each event is in it once. */
import { formatInstant, type WebhookDelivery } from '@rampart/contracts';
import { fold, type WebhookEvent, webhookDecider } from '@rampart/domain';
import type { EventStore, StoredEvent, Subscriber, Subscription } from '@rampart/event-store';
import type { DataSource, EntityManager } from 'typeorm';
import type { Catalogue } from '../catalogue/catalogue.store.js';
import { partsOfStream } from '../streams.js';
import { isTold, messageOf, type WebhookMessage } from './webhook-message.js';

/** Names of subscriptions are forever. */
const WEBHOOKS = 'webhooks';
const KEPT_DAYS = 30;

export interface DueDelivery {
  readonly webhook: string;
  readonly id: string;
  readonly body: string;
  /** Of what it tells: older than its webhook, it was meant for another address. */
  readonly position: number;
  /** With the one that is begun now. */
  readonly attempts: number;
}

export interface Tried {
  readonly isDelivered: boolean;
  readonly answer: string;
}

interface ActiveWebhook {
  readonly stream: string;
  readonly project: string;
  readonly environment: string | null;
  readonly kinds: readonly string[] | null;
  readonly sincePosition: number;
}

export class WebhookDeliveries {
  readonly subscriber: Subscriber<EntityManager>;
  private subscription: Subscription | undefined;
  private nudge: () => void = () => undefined;

  constructor(
    private readonly store: EventStore<EntityManager>,
    private readonly dataSource: DataSource,
    private readonly catalogue: Pick<Catalogue, 'streams'>,
    onTrouble: (error: unknown) => void,
  ) {
    this.subscriber = {
      name: WEBHOOKS,
      handle: (events, transaction) => this.enqueue(events, transaction),
      // What was sent was sent: a rebuild tells nobody anything again.
      reset: async () => undefined,
      onTrouble,
    };
  }

  /** Tells that something waits. */
  onNews(tell: () => void): void {
    this.nudge = tell;
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
  }

  trouble(): string | undefined {
    return this.subscription?.trouble();
  }

  /** Whether this process sends: one at a time does, so that a receiver is told in order. */
  isOwner(): boolean {
    return this.subscription?.isOwner() === true;
  }

  async close(): Promise<void> {
    await this.subscription?.close();
  }

  /** How many wait for their turn or their next try; of all processes together. */
  async waiting(): Promise<number> {
    const [row] = await this.dataSource.query(`select count(*)::int as waiting from control.webhook_delivery where status = 'waiting'`);
    return (row as { waiting: number }).waiting;
  }

  /** The oldest that waits, of each webhook whose turn it is; it is counted as a try. */
  async takeDue(): Promise<readonly DueDelivery[]> {
    const [rows]: [readonly DueDelivery[], number] = await this.dataSource.query(
      // Out of reach for longer than a try may take; who dies in one leaves it to the next process after that.
      `update control.webhook_delivery d set attempts = attempts + 1, next_try_at = now() + interval '20 seconds'
         from (select distinct on (webhook) webhook, id, next_try_at from control.webhook_delivery
                where status = 'waiting' order by webhook, position, id) head
        where d.webhook = head.webhook and d.id = head.id and head.next_try_at <= now()
        returning d.webhook, d.id, d.body, d.position, d.attempts`,
    );
    return rows.map((row) => ({ ...row, position: Number(row.position) }));
  }

  /** @param pauseSeconds  until the next try; undefined: there is none */
  async settle({ webhook, id }: DueDelivery, { isDelivered, answer }: Tried, pauseSeconds: number | undefined): Promise<void> {
    const status = isDelivered ? 'delivered' : pauseSeconds === undefined ? 'given-up' : 'waiting';
    await this.dataSource.query(
      `update control.webhook_delivery set status = $3, last_answer = $4, next_try_at = now() + make_interval(secs => $5)
        where webhook = $1 and id = $2`,
      [webhook, id, status, answer.slice(0, 500), pauseSeconds ?? 0],
    );
  }

  /** Of every webhook, whether anything else is sent to it or not. */
  async forgetOld(): Promise<void> {
    await this.dataSource.query(
      `delete from control.webhook_delivery where status <> 'waiting' and next_try_at < now() - make_interval(days => $1)`,
      [KEPT_DAYS],
    );
  }

  async list(webhook: string, limit: number): Promise<readonly WebhookDelivery[]> {
    const rows: readonly Record<string, string | number | Date | null>[] = await this.dataSource.query(
      `select id, type, status, attempts, last_answer, next_try_at, happened_at_us from control.webhook_delivery
        where webhook = $1 order by position desc, happened_at_us desc limit $2`,
      [webhook, limit],
    );
    return rows.map((row) => ({
      id: String(row.id),
      type: String(row.type),
      status: row.status as WebhookDelivery['status'],
      attempts: Number(row.attempts),
      lastAnswer: row.last_answer === null ? null : String(row.last_answer),
      nextTryAt: row.status === 'waiting' && row.next_try_at instanceof Date ? row.next_try_at.toISOString() : null,
      happenedAt: formatInstant(Number(row.happened_at_us)),
    }));
  }

  /** Waits behind everything that has happened. */
  async add(webhook: string, message: WebhookMessage, atUs: number): Promise<void> {
    const [{ position }]: [{ position: string }] = await this.dataSource.query(
      'select coalesce(max(position), 0) as position from control.event',
    );
    await insert(this.dataSource.manager, { webhook, message, position: Number(position), atUs });
    this.nudge();
  }

  private async enqueue(events: readonly StoredEvent[], transaction: EntityManager): Promise<void> {
    const told = events.filter(isTold);
    if (told.length === 0) return;
    const webhooks = await this.active();
    if (webhooks.length === 0) return;
    for (const { stream, version, position, atUs } of told) {
      const message = messageOf((await this.store.readStream(stream)).slice(0, version));
      if (message === undefined) continue;
      const { project, environment, resource } = message.data;
      const listening = webhooks.filter(
        (one) =>
          one.project === project &&
          one.sincePosition < position &&
          (one.environment === null || one.environment === environment) &&
          (one.kinds === null || one.kinds.includes(resource)),
      );
      for (const { stream: webhook } of listening) await insert(transaction, { webhook, message, position, atUs });
    }
    this.nudge();
  }

  private async active(): Promise<readonly ActiveWebhook[]> {
    const streams = await this.catalogue.streams('webhook');
    const read = await Promise.all(streams.map(async (stream) => ({ stream, events: await this.store.readStream(stream) })));
    return read.flatMap(({ stream, events }) => {
      const webhook = fold(webhookDecider, events.map(({ event }) => event) as unknown as WebhookEvent[]);
      if (webhook.status !== 'active') return [];
      const { environment = null, kinds = null } = webhook.definition;
      return [{ stream, project: partsOfStream(stream).project ?? '', environment, kinds, sincePosition: begunAt(events) }];
    });
  }
}

/** @param events  of a webhook. @returns the position from which on it is told; a key that was removed may be used again, for another address */
export const begunAt = (events: readonly StoredEvent[]): number =>
  events.findLast(({ event }) => event.type === 'WebhookDefined')?.position ?? 0;

interface Queued {
  readonly webhook: string;
  readonly message: WebhookMessage;
  readonly position: number;
  readonly atUs: number;
}

const insert = async (to: EntityManager, { webhook, message, position, atUs }: Queued): Promise<void> => {
  await to.query(
    `insert into control.webhook_delivery (webhook, id, position, type, body, happened_at_us) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [webhook, message.id, position, message.type, JSON.stringify(message), atUs],
  );
};
