/** Appends what analysis proposes. A refused proposal is counted and dropped: its proposer sees the newest record in `decisions.v1` and looks again. */
import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { DEAD_LETTERS, type DeadLetter, type DecisionRecord, RECORD_PROPOSALS } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { EventLog, type LogBatch, type LogMessage, type Subscription } from '@rampart/event-log';
import { LOG, type Log, Metrics } from '@rampart/service-kit';
import { Counter } from 'prom-client';
import { nowUs } from '../clock.js';
import { DecisionMessage } from '../command/command-messages.js';
import { KEEP_MESSAGES_DAYS, keepDropping } from '../stored-messages.js';
import { proposedRecord, UnreadableProposal } from './record-proposal.js';

/** Its name is forever: the offsets hang on it. All processes together are one consumer. */
const GROUP = 'experiments-records';
const MOST_KEPT_BYTES = 65_536;
/** A batch that failed once or twice may just have met a restart. */
const PATIENT_ATTEMPTS = 2;

@Injectable()
export class RecordProposalsConsumer {
  private subscription: Subscription | undefined;
  private failure: string | undefined;
  private endDropping: (() => void) | undefined;
  private readonly recorded: Counter;
  private readonly refused: Counter<'code'>;
  private readonly unreadable: Counter;

  constructor(
    private readonly log: EventLog,
    private readonly commands: CommandBus,
    @Inject(LOG) private readonly lines: Log,
    { registry }: Metrics,
    @Inject(KEEP_MESSAGES_DAYS) private readonly keepDays: number,
  ) {
    const registers = [registry];
    this.recorded = new Counter({ name: 'rampart_records_appended_total', help: 'Decision records appended', registers });
    this.refused = new Counter({
      name: 'rampart_records_refused_total',
      help: 'Proposed decision records that did not continue their chain, by code',
      labelNames: ['code'],
      registers,
    });
    this.unreadable = new Counter({ name: 'rampart_records_unreadable_total', help: 'Proposals sent to the dead letters', registers });
  }

  /** The topics must exist. */
  start(): void {
    this.subscription = this.log.consume({
      topic: RECORD_PROPOSALS,
      group: GROUP,
      // Each may be megabytes.
      maxMessages: 50,
      onBatch: (batch) => this.take(batch),
      onPoison: ({ partition, message, error }) => this.setAside(message, partition, String(error)),
    });
    this.endDropping = keepDropping(
      { log: this.log, topic: RECORD_PROPOSALS, reading: this.subscription, keepDays: this.keepDays },
      this.lines,
    );
    this.subscription.done.catch((error: unknown) => {
      this.failure = error instanceof Error ? error.message : String(error);
      this.lines.fatal({ err: error }, 'proposed records are no longer read');
    });
  }

  /** Why nothing is recorded at the moment. */
  trouble(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    if (this.subscription === undefined) return 'record-proposals.v1 is not there yet';
    const { error, partitions } = this.subscription.stats();
    return error ?? partitions.find(({ failing }) => (failing?.attempts ?? 0) > PATIENT_ATTEMPTS)?.failing?.error;
  }

  async stop(): Promise<void> {
    this.endDropping?.();
    await this.subscription?.close();
  }

  private async take({ partition, messages }: LogBatch): Promise<void> {
    // One after the other: a record continues the one before it.
    for (const message of messages) {
      const record = await this.recordIn(message, partition);
      if (record !== undefined) await this.append(record);
    }
  }

  private async append(record: DecisionRecord): Promise<void> {
    const origin = { atUs: nowUs(), actor: 'analysis', reason: record.cause, requestId: null };
    const envelope = { origin, expectedRevision: null, idempotency: null, isDryRun: false };
    try {
      const { isChanged } = await this.commands.execute(new DecisionMessage(record, envelope));
      if (isChanged) this.recorded.inc();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.refused.inc({ code: error.code });
      this.lines.warn({ code: error.code, details: error.details }, error.message);
    }
  }

  private async recordIn(message: LogMessage, partition: number): Promise<DecisionRecord | undefined> {
    try {
      return proposedRecord(message.value);
    } catch (error) {
      if (!(error instanceof UnreadableProposal)) throw error;
      await this.setAside(message, partition, error.message);
      return undefined;
    }
  }

  private async setAside({ offset, value, position, appendedAtUs }: LogMessage, partition: number, why: string): Promise<void> {
    const letter: DeadLetter = {
      project: null,
      environment: null,
      key: null,
      code: 'unreadable-proposal',
      path: '',
      message: `message ${partition}-${offset} of ${RECORD_PROPOSALS} can't become a record: ${why}`,
      receivedAtUs: appendedAtUs,
      eventId: null,
      source: null,
      raw: value === null || value.byteLength > MOST_KEPT_BYTES ? null : Buffer.from(value).toString('utf8'),
      topic: RECORD_PROPOSALS,
      position: String(position),
    };
    await this.log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify(letter) }]);
    this.unreadable.inc();
    this.lines.error({ partition, offset }, letter.message);
  }
}
