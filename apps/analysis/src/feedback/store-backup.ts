/** The feedback store as a stream, for whoever keeps it elsewhere: rows, and up to which messages they are whole. */
import { Inject, Injectable } from '@nestjs/common';
import { FEEDBACK } from '@rampart/contracts';
import { bytesFrame, headerFrame } from '@rampart/contracts/backups';
import { ClickhouseFeedbackBackup, FeedbackStore } from '@rampart/feedback-store';

/** Of ClickHouse's tables, as of PostgreSQL's. */
const SCHEMA = 'feedback';
const frameBytes = 4 * 2 ** 20;

@Injectable()
export class StoreBackup {
  constructor(
    private readonly store: FeedbackStore,
    @Inject(ClickhouseFeedbackBackup) private readonly backup: ClickhouseFeedbackBackup,
  ) {}

  async *frames(): AsyncGenerator<Buffer> {
    // Before the rows: what comes meanwhile is read again from the log, and counts once.
    const progress = await this.store.progress(FEEDBACK);
    const about = {
      engine: await this.backup.engine(),
      progress: progress.map(({ offset, ...one }) => ({ ...one, offset: String(offset) })),
    };
    yield headerFrame({ part: 'store', about });
    for await (const { table, columns, rows } of this.backup.read()) {
      yield headerFrame({ part: 'table', schema: SCHEMA, table, columns: [...columns] });
      for await (const piece of rows)
        for (let at = 0; at < piece.byteLength; at += frameBytes) yield bytesFrame(piece.subarray(at, at + frameBytes));
    }
    yield headerFrame({ part: 'end' });
  }
}
