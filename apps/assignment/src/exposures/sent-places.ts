/** Where in the log the rows of units went that were sent lately, or are being sent: an erasure that was heard of late may lie before them. */
import type { ErasureRequest, FeedbackRow } from '@rampart/contracts';
import type { Appended } from '@rampart/event-log';
import { placeOf } from './erased-units.js';

/** The last offset by partition; undefined while the log has not answered. */
type Sent = { offsets: ReadonlyMap<number, number> | undefined };

export class SentPlaces {
  private young = new Map<string, Sent>();
  private old = new Map<string, Sent>();

  /** @param most  units that are remembered, at most: those of the minutes in which an erasure is heard of everywhere */
  constructor(private readonly most = 100_000) {}

  /** To be called before they are sent. @returns to be called with the log's answer */
  sending(rows: readonly FeedbackRow[]): (appended: readonly Appended[]) => void {
    const sent: Sent = { offsets: undefined };
    for (const row of rows) {
      if (this.young.size >= this.most / 2) {
        this.old = this.young;
        this.young = new Map();
      }
      this.young.set(placeOf(row), sent);
    }
    return (appended) => {
      const offsets = new Map<number, number>();
      for (const { partition, offset } of appended) offsets.set(partition, Math.max(offset, offsets.get(partition) ?? -1));
      sent.offsets = offsets;
    };
  }

  /** Whether a row of the unit lies behind its erasure in the log, or may come to lie there. In another partition it does: that is of a later generation. */
  hasBehind(request: ErasureRequest): boolean {
    const unit = placeOf(request);
    const sent = this.young.get(unit) ?? this.old.get(unit);
    return sent !== undefined && (sent.offsets?.get(request.partition) ?? Number.POSITIVE_INFINITY) > request.offset;
  }
}
