/** Where in the log the rows of units went that were sent lately, or are being sent: an erasure that was heard of late may lie before them. */
import type { ErasureRequest, FeedbackRow } from '@rampart/contracts';
import type { Appended } from '@rampart/event-log';

/** Names a unit in its environment. */
export const placeOf = ({ project, environment, unit }: Pick<FeedbackRow, 'project' | 'environment' | 'unit'>): string =>
  `${project}\0${environment}\0${unit}`;

/** What one message took to the log: kept beside the spool, for the process's next life. */
export interface SentUnits {
  /** In the spool, of the last row. */
  readonly place: number;
  /** `placeOf` each. */
  readonly units: readonly string[];
  /** The last offset by partition. */
  readonly offsets: readonly (readonly [partition: number, offset: number])[];
}

interface Sent {
  readonly place: number;
  /** The last one by partition; undefined while the log has not answered. */
  offsets: ReadonlyMap<number, number> | undefined;
}

/** Units that are remembered, at most: those of the minutes in which an erasure is heard of everywhere. */
export const MOST_UNITS_SENT = 100_000;

export class SentPlaces {
  private young = new Map<string, Sent>();
  private old = new Map<string, Sent>();
  private readonly leftOut = new Set<string>();

  /** @param before  of an earlier life, in order */
  constructor(
    before: Iterable<SentUnits> = [],
    private readonly most = MOST_UNITS_SENT,
  ) {
    for (const { place, units, offsets } of before) this.remember(units, { place, offsets: new Map(offsets) });
  }

  /** To be called before they are sent. @param place  in the spool, of the last one. @returns to be called with the log's answer */
  sending(rows: readonly FeedbackRow[], place: number): (appended: readonly Appended[]) => SentUnits {
    const sent: Sent = { place, offsets: undefined };
    const units = new Set<string>();
    for (const row of rows) units.add(placeOf(row));
    this.remember(units, sent);
    return (appended) => {
      const offsets = new Map<number, number>();
      for (const { partition, offset } of appended) offsets.set(partition, Math.max(offset, offsets.get(partition) ?? -1));
      sent.offsets = offsets;
      return { place, units: [...units], offsets: [...offsets] };
    };
  }

  /** A row that is not sent, since its unit was erased, and may have been by an earlier life that did not live to hear of it. */
  leaveOut(row: FeedbackRow): void {
    this.leftOut.add(placeOf(row));
  }

  wasLeftOut(request: ErasureRequest): boolean {
    return this.leftOut.has(placeOf(request));
  }

  /**
   * Whether a row that was told before the erasure was heard of lies behind it in the log, or may come to lie there. In another partition it does: that is
   * of a later generation.
   * @param before  the place in the spool behind which rows were told later
   */
  hasBehind(request: ErasureRequest, before: number): boolean {
    const unit = placeOf(request);
    const sent = this.young.get(unit) ?? this.old.get(unit);
    return sent !== undefined && sent.place < before && (sent.offsets?.get(request.partition) ?? Number.POSITIVE_INFINITY) > request.offset;
  }

  private remember(units: Iterable<string>, sent: Sent): void {
    for (const unit of units) {
      if (this.young.size >= this.most / 2) {
        this.old = this.young;
        this.young = new Map();
      }
      this.young.set(unit, sent);
    }
  }
}
