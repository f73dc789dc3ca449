/** Rows that the store refused for good, by place: what `skipped.v1` names, every rebuild leaves out. */
import { SKIPPED } from '@rampart/contracts';
import type { EventLog, Following } from '@rampart/event-log';
import type { PlacedRow } from '@rampart/feedback-store';

const keyOf = ({ partition = 0, position }: Pick<PlacedRow, 'partition' | 'position'>): string => `feedback.v1/${partition}/${position}`;

export class SkippedRows {
  private readonly keys = new Set<string>();
  private readonly following: Following;

  private constructor(private readonly log: EventLog) {
    this.following = log.follow({
      topic: SKIPPED,
      onBatch: async ({ messages }) => {
        for (const { key, value } of messages) {
          if (key !== null && value !== null) this.keys.add(key);
        }
      },
    });
  }

  /** Resolves when all that was named so far is known; rejects when the signal comes before: a log that is away may stay so. */
  static async read(log: EventLog, stopping?: AbortSignal): Promise<SkippedRows> {
    const skipped = new SkippedRows(log);
    const giveUp = () => void skipped.close();
    stopping?.addEventListener('abort', giveUp);
    try {
      await skipped.following.caughtUp;
    } finally {
      stopping?.removeEventListener('abort', giveUp);
    }
    return skipped;
  }

  get size(): number {
    return this.keys.size;
  }

  has(row: PlacedRow): boolean {
    return this.keys.size > 0 && this.keys.has(keyOf(row));
  }

  /** Durable when it resolves. */
  async add(rows: readonly PlacedRow[]): Promise<void> {
    const messages = rows.map((row) => ({
      partition: 0,
      key: keyOf(row),
      value: JSON.stringify({ project: row.row.project, environment: row.row.environment, why: 'refused by the feedback store' }),
    }));
    await this.log.append(SKIPPED, messages);
    for (const row of rows) this.keys.add(keyOf(row));
  }

  close(): Promise<void> {
    return this.following.close();
  }
}
