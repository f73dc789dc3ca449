/**
 * Units erased in a later generation of the log, whose earlier rows lie in another partition: with another number of partitions a unit moves. Where the log is
 * read from its beginning such rows may come after the erasure, which has passed already; they are not stored then.
 */
import { ERASURES, erasureMessageIn, FEEDBACK } from '@rampart/contracts';
import { type EventLog, partsOfPosition } from '@rampart/event-log';
import type { PlacedRow } from '@rampart/feedback-store';
import { placedRows } from './feedback-message.js';

const placeOf = ({ row }: PlacedRow): string => [row.project, row.environment, row.unitType, row.unit].join('\0');

export class ErasedBefore {
  /** Positions of last erasures. Within the first generation nothing comes too late, so none of its is kept. */
  private readonly erasedAt = new Map<string, bigint>();
  private readonly writing = new Set<{ readonly generation: number; readonly done: Promise<unknown> }>();

  /** To be called before rows of erasures are written: what is underway of earlier generations must be there, to be found. */
  async note(erasures: readonly PlacedRow[]): Promise<void> {
    const later = erasures.filter(({ position }) => partsOfPosition(position).generation > 0);
    if (later.length === 0) return;
    for (const erasure of later) {
      const place = placeOf(erasure);
      // An earlier one may be read, or read again, after a later one in another partition.
      if ((this.erasedAt.get(place) ?? -1n) < erasure.position) this.erasedAt.set(place, erasure.position);
    }
    const newest = Math.max(...later.map(({ position }) => partsOfPosition(position).generation));
    await Promise.all([...this.writing].filter(({ generation }) => generation < newest).map(({ done }) => done));
  }

  /** Whether a row was erased before it came here. */
  has(placed: PlacedRow): boolean {
    if (this.erasedAt.size === 0) return false;
    const erasedAt = this.erasedAt.get(placeOf(placed));
    return erasedAt !== undefined && placed.position < erasedAt && placed.row.kind !== 'erasure';
  }

  async written<Answer>(generation: number, work: Promise<Answer>): Promise<Answer> {
    const underway = { generation, done: work.catch(() => undefined) };
    this.writing.add(underway);
    try {
      return await work;
    } finally {
      this.writing.delete(underway);
    }
  }
}

/**
 * Every erasure of a later generation that the log has by now. Another process may read the partition that it lies in, and be done with it before this one
 * comes to the unit's earlier rows in another: so whoever begins to read must know all of them first.
 */
export const erasuresSoFar = async (log: EventLog): Promise<readonly PlacedRow[]> => {
  const { generation } = await log.describeTopic(FEEDBACK);
  const found: PlacedRow[] = [];
  if (generation === 0) return found;
  for await (const { value } of log.readAll(ERASURES)) {
    const message = erasureMessageIn(value);
    if (message !== undefined && message.kind !== 'step') found.push(...(await erasuresAt(log, message)));
  }
  return found;
};

/** What lies there; nothing where the log was cut behind it. */
export const erasuresAt = async (
  log: EventLog,
  { partition, offset }: { readonly partition: number; readonly offset: number },
): Promise<readonly PlacedRow[]> => {
  const [message] = await log.read({ topic: FEEDBACK, partition, offset, limit: 1 });
  if (message === undefined || message.offset !== offset) return [];
  return placedRows(message, partition).filter(({ row }) => row.kind === 'erasure');
};
