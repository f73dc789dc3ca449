/** The audit log: what was stored with its actor, and what the services tell of denied and refused requests, in the order in which it came here. */
import type { AuditEntry } from '@rampart/contracts';
import { type EventStore, explained, type StoredEvent, type Subscriber, type Subscription } from '@rampart/event-store';
import type { DataSource, EntityManager } from 'typeorm';
import { type AuditRow, auditDocument, isOfKey, rowOfEvent } from './audit-entry.js';

/** Names of subscriptions are forever. */
const AUDIT_LOG = 'audit';

export interface AuditQuestion {
  readonly actor?: string | undefined;
  readonly project?: string | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  /** Older than this position. */
  readonly before?: string | undefined;
  readonly limit: number;
}

interface StoredRow extends AuditRow {
  /** A bigint in decimal. */
  readonly position: string;
}

export class AuditLog {
  readonly subscriber: Subscriber<EntityManager>;
  private subscription: Subscription | undefined;

  constructor(
    private readonly store: EventStore<EntityManager>,
    private readonly dataSource: DataSource,
    onTrouble?: (error: unknown) => void,
  ) {
    this.subscriber = {
      name: AUDIT_LOG,
      handle: async (events, transaction) => insert(transaction, await this.rowsOf(events)),
      // What is kept stays in its order: a rebuild adds what it lacks.
      reset: async () => undefined,
      ...(onTrouble === undefined ? {} : { onTrouble }),
    };
  }

  follow(): void {
    this.subscription = this.store.subscribe(this.subscriber);
  }

  trouble(): string | undefined {
    return this.subscription?.trouble();
  }

  private async rowsOf(events: readonly StoredEvent[]): Promise<readonly AuditRow[]> {
    const firsts = new Map<string, StoredEvent | undefined>();
    for (const { stream } of events)
      if (isOfKey(stream) && !firsts.has(stream)) firsts.set(stream, (await this.store.readStream(stream))[0]);
    return events.map((event) => rowOfEvent(event, firsts.get(event.stream)));
  }

  async add(rows: readonly AuditRow[]): Promise<void> {
    await guarded(() => insert(this.dataSource.manager, rows));
  }

  /** Newest first, every command that was stored before the call included. */
  async page({ actor, project, outcome, before, limit }: AuditQuestion) {
    return guarded(async () => {
      await this.subscription?.caughtUp();
      const rows = await this.dataSource.query<StoredRow[]>(
        `select position, entry from control.audit_entry
         where ($1::text is null or actor = $1) and ($2::text is null or project = $2) and ($3::text is null or outcome = $3)
           and ($4::bigint is null or position < $4)
         order by position desc limit $5`,
        [actor ?? null, project ?? null, outcome ?? null, before ?? null, limit + 1],
      );
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? (shown.at(-1)?.position ?? null) : null;
      return { items: shown.map((row) => auditDocument(row.position, row)), next };
    });
  }
}

/** What is there stays, but for a project that was not known when it was written. */
const insert = async (manager: EntityManager, rows: readonly AuditRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await manager.query(
    `insert into control.audit_entry (id, actor, project, outcome, entry)
     select r->>'id', r->>'actor', r->>'project', r->>'outcome', r->'entry' from jsonb_array_elements($1::jsonb) with ordinality as t(r, n) order by n
     on conflict (id) do update set project = excluded.project, entry = excluded.entry
       where audit_entry.project is null and excluded.project is not null`,
    [JSON.stringify(rows)],
  );
};

const guarded = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await ask();
  } catch (error) {
    throw explained(error);
  }
};
