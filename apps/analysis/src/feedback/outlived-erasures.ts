/**
 * Erasures that rows of their unit have outlived. A process that stands still for so long that another takes its partitions, and reads on past an erasure, may
 * store what it had in hand when it goes on; and so may the network deliver an insert that was given up. The erasure is repeated behind them, as an event: whoever
 * keeps sums hears of it, and so does a replay.
 */
import { randomUUID } from 'node:crypto';
import { ERASURES, type ErasureRequest, erasureMessageIn, FEEDBACK, type InstantUs } from '@rampart/contracts';
import { type EventLog, partsOfPosition } from '@rampart/event-log';
import { erasureRow, messagesOf } from '@rampart/feedback-rows';
import type { FeedbackStore, PlacedRow, Progress } from '@rampart/feedback-store';
import { erasuresAt } from './erased-before.js';

/** Nobody stands still for so long and goes on. */
const WATCHED_FOR_US = 86_400_000_000;
const SOURCE = 'rampart/analysis';

type Place = Pick<ErasureRequest, 'partition' | 'offset'>;

export class OutlivedErasures {
  /** By request, where it was repeated last: what that erasure will take is no reason for another one. */
  private readonly repeatedAt = new Map<string, Place>();

  constructor(
    private readonly log: EventLog,
    private readonly store: Pick<FeedbackStore, 'progress' | 'outlived'>,
  ) {}

  /** @returns how many were repeated @throws what log and store throw */
  async repeat(nowUs: InstantUs): Promise<number> {
    const requests = await this.requestsSince(nowUs - WATCHED_FOR_US);
    for (const id of this.repeatedAt.keys()) if (!requests.some((request) => request.id === id)) this.repeatedAt.delete(id);
    if (requests.length === 0) return 0;
    const { partitions } = await this.log.describeTopic(FEEDBACK);
    const progress = await this.store.progress(FEEDBACK);
    const requestOf = new Map<PlacedRow, ErasureRequest>();
    for (const request of requests) for (const erasure of await this.passed(request, progress, partitions)) requestOf.set(erasure, request);
    const outlived = new Set((await this.store.outlived([...requestOf.keys()])).flatMap((erasure) => requestOf.get(erasure) ?? []));
    for (const request of outlived) {
      const again = erasureRow(request, { source: SOURCE, id: randomUUID(), at: nowUs });
      const [place] = await this.log.append(FEEDBACK, messagesOf([again], partitions));
      if (place !== undefined) this.repeatedAt.set(request.id, place);
    }
    return outlived.size;
  }

  private async requestsSince(sinceUs: InstantUs): Promise<readonly ErasureRequest[]> {
    const requests = new Map<string, ErasureRequest>();
    for await (const { value } of this.log.readAll(ERASURES)) {
      const message = erasureMessageIn(value);
      if (message?.kind === 'request' && message.requestedAtUs >= sinceUs) requests.set(message.id, message);
    }
    return [...requests.values()];
  }

  /** What the store has applied, wherever earlier rows of the unit may lie. */
  private async passed(request: ErasureRequest, progress: readonly Progress[], partitions: number): Promise<readonly PlacedRow[]> {
    const { partition, offset } = this.repeatedAt.get(request.id) ?? request;
    if (!progress.some((one) => one.partition === partition && one.offset >= BigInt(offset))) return [];
    const erasures = await erasuresAt(this.log, request);
    const isPassed = ({ position }: PlacedRow): boolean => {
      const { generation } = partsOfPosition(position);
      return generation === 0 || (progress.length >= partitions && progress.every((one) => one.generation >= generation));
    };
    return erasures.filter(isPassed);
  }
}
