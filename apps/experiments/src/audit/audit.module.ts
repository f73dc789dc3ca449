import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { AUDIT, KEY_USES, topicSpecs } from '@rampart/contracts';
import { EventLog, type Subscription, startAccessReports } from '@rampart/event-log';
import { EventStore } from '@rampart/event-store';
import { AccessJournal, LOG, type Log, Readiness } from '@rampart/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { KEEP_MESSAGES_DAYS, keepDropping } from '../stored-messages.js';
import { AuditController } from './audit.controller.js';
import { rowOfMessage } from './audit-entry.js';
import { AuditLog } from './audit-log.store.js';
import { KeyUses } from './key-uses.js';

/** Its name is forever: the offsets hang on it. All processes together are one consumer. */
const GROUP = 'experiments-audit';
const TOPICS = new Set([AUDIT, KEY_USES]);
const RETRY_MS = 500;

/** Who did what, who was denied, and which keys are in use. */
@Module({
  controllers: [AuditController],
  providers: [
    KeyUses,
    {
      provide: AuditLog,
      inject: [EventStore, DataSource, LOG],
      useFactory: (store: EventStore<EntityManager>, dataSource: DataSource, log: Log) =>
        new AuditLog(store, dataSource, (err) => log.warn({ err }, 'the audit log does not go on, it is tried again')),
    },
  ],
  exports: [KeyUses, AuditLog],
})
export class AuditModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private isStopped = false;
  private told: Subscription | undefined;
  private endReports: (() => Promise<void>) | undefined;
  private endDropping: (() => void) | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly audit: AuditLog,
    private readonly uses: KeyUses,
    private readonly journal: AccessJournal,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(LOG) private readonly lines: Log,
    @Inject(KEEP_MESSAGES_DAYS) private readonly keepDays: number,
  ) {}

  onApplicationBootstrap(): void {
    this.audit.follow();
    this.readiness.note('audit', () => this.audit.trouble() ?? this.told?.stats().error);
    this.endReports = startAccessReports(this.log, this.journal);
    void this.begin();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.endDropping?.();
    await this.endReports?.();
    await Promise.all([this.told?.close(), this.uses.stop()]);
  }

  /** As soon as there is a log: commands are taken before. */
  private async begin(): Promise<void> {
    while (!this.isStopped) {
      try {
        for (const spec of topicSpecs(1)) if (TOPICS.has(spec.topic)) await this.log.createTopic(spec);
        if (this.isStopped) return;
        this.uses.start();
        this.told = this.consume();
        this.endDropping = keepDropping({ log: this.log, topic: AUDIT, reading: this.told, keepDays: this.keepDays }, this.lines);
        return;
      } catch (err) {
        this.lines.warn({ err }, 'denied requests are not read yet, it is tried again');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  private consume(): Subscription {
    const told = this.log.consume({
      topic: AUDIT,
      group: GROUP,
      onBatch: async ({ messages }) => {
        const rows = messages.flatMap(({ position, value }) => (value === null ? [] : [rowOfMessage(BigInt(position), value)]));
        await this.audit.add(rows.filter((row) => row !== undefined));
      },
      onPoison: async ({ message, error }) =>
        this.lines.error({ err: error, offset: message.offset }, 'a line of the audit log is skipped'),
    });
    told.done.catch((err: unknown) => this.lines.fatal({ err }, 'denied requests are no longer read'));
    return told;
  }
}
