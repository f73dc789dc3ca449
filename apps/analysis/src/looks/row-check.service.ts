/** Which rows of the store are not those that the log has, of all that a decision record could be counted from. */
import { Injectable } from '@nestjs/common';
import { type DecisionRecord, type DifferingRow, FEEDBACK, formatInstant, type InstantUs, type RowCheckLine } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { EventLog, type PartitionOffsets, partsOfPosition } from '@rampart/event-log';
import {
  type ClickhouseRowCheck,
  FeedbackStore,
  type PlacedRow,
  type Progress,
  type RowFinding,
  StoreError,
} from '@rampart/feedback-store';
import { ErasedBefore, erasuresSoFar } from '../feedback/erased-before.js';
import { placedRows, UnreadableMessage } from '../feedback/feedback-message.js';
import { SkippedRows } from '../feedback/skipped-rows.js';
import { DecisionLog } from './decision-log.js';
import { recordedQuery } from './record-recount.js';

/** Of one comparison. */
export abstract class RowChecks {
  abstract of(query: ReturnType<typeof recordedQuery>): ClickhouseRowCheck;
}

const AT_ONCE = 1_000;
const ROWS_AT_ONCE = 20_000;
const MOST = 20;
const TELL_EVERY_MS = 500;

@Injectable()
export class RowCheck {
  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    private readonly decisions: DecisionLog,
    private readonly checks: RowChecks,
  ) {}

  /** @throws DomainError decision-not-found, before the first line */
  async lines(project: string, id: string): Promise<AsyncGenerator<RowCheckLine>> {
    if (!this.decisions.has(id)) await this.decisions.readToTheEnd();
    const record = (await this.decisions.read(id))?.record;
    if (record === undefined || record.project !== project)
      throw new DomainError('decision-not-found', `there is no decision record ${id} in project ${project}`, { id });
    return this.compared(record);
  }

  private async *compared(record: DecisionRecord): AsyncGenerator<RowCheckLine> {
    const query = recordedQuery(record);
    // Before the rows: what comes meanwhile is not asked about.
    const [progress, offsets] = await Promise.all([this.store.progress(FEEDBACK), this.log.offsets(FEEDBACK)]);
    if (progress.length < offsets.length) throw new StoreError('the store is still being filled: ask again later', { retriable: true });
    const watermarkUs = Math.min(...progress.map(({ knownAtUs }) => knownAtUs));
    const untilUs = record.definition.environment.kind === 'historical' ? watermarkUs : Math.min(watermarkUs, record.knownUntilUs);
    const check = this.checks.of(query);
    try {
      await check.prepare();
      yield* this.tellAll(check, progress, offsets);
      const sinceUs = Math.max(0, (await this.store.expiredUntil(query)) ?? 0, await this.cutUntil(offsets));
      const found = await this.found(check, progress, { sinceUs, untilUs });
      const rows: DifferingRow[] = [];
      for (const finding of found.slice(0, MOST)) rows.push(await this.named(finding, offsets));
      yield { rows, hasMore: found.length > MOST, judgedSince: sinceUs === 0 ? null : formatInstant(sinceUs) };
    } finally {
      await check.close();
    }
  }

  /** A unit that was erased meanwhile is missing only until its erasure is known here, too. */
  private async found(
    check: ClickhouseRowCheck,
    progress: readonly Progress[],
    range: { readonly sinceUs: InstantUs; readonly untilUs: InstantUs },
  ): Promise<readonly RowFinding[]> {
    const next = new Map(progress.map(({ partition, offset }) => [partition, Number(offset) + 1]));
    for (let isAgain = false; ; isAgain = true) {
      await this.tellErasures(check, next);
      const found = await check.found({ ...range, most: MOST + 1 });
      if (isAgain || found.every(({ kind }) => kind !== 'missing')) return found;
    }
  }

  /** @param next  by partition; moved to the log's end */
  private async tellErasures(check: ClickhouseRowCheck, next: Map<number, number>): Promise<void> {
    for (const { partition, end } of await this.log.offsets(FEEDBACK)) {
      for (let offset = next.get(partition) ?? end; offset < end; ) {
        const messages = await this.log.read({ topic: FEEDBACK, partition, offset, limit: AT_ONCE });
        const rows = messages.flatMap((message) => rowsOf(message, partition));
        await check.tell(rows.filter(({ row }) => row.kind === 'erasure' && check.wants(row)));
        offset = (messages.at(-1)?.offset ?? end - 1) + 1;
        next.set(partition, offset);
      }
    }
  }

  /** Every row of the log that is meant, as far as the store has read. */
  private async *tellAll(
    check: ClickhouseRowCheck,
    progress: readonly Progress[],
    offsets: readonly PartitionOffsets[],
  ): AsyncGenerator<RowCheckLine> {
    const skipped = await SkippedRows.read(this.log);
    const erased = new ErasedBefore();
    try {
      await erased.note(await erasuresSoFar(this.log));
      const toRead = progress.reduce(
        (sum, { partition, offset }) => sum + Math.max(0, Number(offset) + 1 - earliestOf(offsets, partition)),
        0,
      );
      let [read, toldMs] = [0, performance.now()];
      for (const { partition, offset: last } of progress) {
        const rows: PlacedRow[] = [];
        for (let offset = earliestOf(offsets, partition); offset <= Number(last); ) {
          const messages = await this.log.read({ topic: FEEDBACK, partition, offset, limit: AT_ONCE });
          if (messages.length === 0) break;
          for (const message of messages.filter((one) => one.offset <= Number(last)))
            for (const placed of rowsOf(message, partition))
              if (check.wants(placed.row) && !skipped.has(placed) && !erased.has(placed)) rows.push(placed);
          if (rows.length >= ROWS_AT_ONCE) await check.tell(rows.splice(0));
          const next = (messages.at(-1)?.offset ?? offset) + 1;
          read += next - offset;
          offset = next;
          if (performance.now() - toldMs < TELL_EVERY_MS) continue;
          toldMs = performance.now();
          yield { read: Math.min(read, toRead), toRead };
        }
        await check.tell(rows);
      }
    } finally {
      await skipped.close();
    }
  }

  /** When the log begins, where its beginning is gone. */
  private async cutUntil(offsets: readonly PartitionOffsets[]): Promise<InstantUs> {
    let cutUs = 0;
    for (const { partition, earliest } of offsets.filter((one) => one.earliest > 0)) {
      const [first] = await this.log.read({ topic: FEEDBACK, partition, offset: earliest, limit: 1 });
      cutUs = Math.max(cutUs, first?.knownAtUs ?? 0);
    }
    return cutUs;
  }

  /** With the event that the log has there. */
  private async named({ position, ...finding }: RowFinding, offsets: readonly PartitionOffsets[]): Promise<DifferingRow> {
    if (position === null) return { ...finding, event: null };
    const { offset, row: index } = partsOfPosition(position);
    for (const { partition } of offsets) {
      const [message] = await this.log.read({ topic: FEEDBACK, partition, offset, limit: 1 });
      const row = message === undefined ? undefined : rowsOf(message, partition).find((placed) => placed.position === position)?.row;
      if (row?.unit !== finding.unit) continue;
      const { source, id, name } = row;
      return { ...finding, event: { source, id, name, place: `${FEEDBACK}/${partition} at ${offset}, row ${index}` } };
    }
    return { ...finding, event: null };
  }
}

const earliestOf = (offsets: readonly PartitionOffsets[], partition: number): number =>
  offsets.find((one) => one.partition === partition)?.earliest ?? 0;

/** None of a message that nobody can read: it is a dead letter, and the store has nothing of it. */
const rowsOf = (...[message, partition]: Parameters<typeof placedRows>): readonly PlacedRow[] => {
  try {
    return placedRows(message, partition);
  } catch (error) {
    if (error instanceof UnreadableMessage) return [];
    throw error;
  }
};
