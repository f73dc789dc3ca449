/**
 * Erasures that rows of their unit have outlived. A process that stands still for so long that another takes its partitions, and reads on past an erasure, may
 * store what it had in hand when it goes on; and so may the network deliver an insert that was given up. The erasure is repeated behind them, as an event: whoever
 * keeps sums hears of it, and so does a replay.
 */
import { ERASURES, type ErasureRepetition, type ErasureRequest, erasureMessageIn, FEEDBACK, type InstantUs } from '@rampart/contracts';
import { type EventLog, partsOfPosition } from '@rampart/event-log';
import { repeatErasure } from '@rampart/feedback-rows';
import type { FeedbackStore, PlacedRow, Progress } from '@rampart/feedback-store';
import { erasuresAt } from './erased-before.js';

/** Since the store had applied it. Nobody stands still for longer and goes on. */
const WATCHED_FOR_US = 86_400_000_000;
const SOURCE = 'rampart/analysis';

type Place = Pick<ErasureRequest, 'partition' | 'offset'>;

/** Every event that erases the unit, and is watched. */
interface Watched {
  readonly request: ErasureRequest;
  readonly places: readonly Place[];
}

const unitOf = ({ project, environment, unitType, unit }: Pick<ErasureRequest, 'project' | 'environment' | 'unitType' | 'unit'>): string =>
  [project, environment, unitType, unit].join('\0');

export class OutlivedErasures {
  /** By place, what lies there: that never changes. */
  private rows = new Map<string, readonly PlacedRow[]>();
  /** By unit, the last erasure that rows had outlived when they were looked for last. */
  private suspected = new Map<string, bigint>();

  constructor(
    private readonly log: EventLog,
    private readonly store: Pick<FeedbackStore, 'progress' | 'outlived'>,
  ) {}

  /**
   * What rows have outlived in two rounds: in one alone they may have been read once more, on their way to be taken once more.
   * @returns how many were repeated @throws what log and store throw
   */
  async repeat(nowUs: InstantUs): Promise<number> {
    const units = await this.unitsSince(nowUs - WATCHED_FOR_US);
    const lastOf = await this.lastOfEach(units);
    const outlived = lastOf.size === 0 ? [] : await this.store.outlived([...lastOf.keys()]);
    const suspectedBefore = this.suspected;
    this.suspected = new Map(outlived.map(({ row, position }) => [unitOf(row), position]));
    let repeated = 0;
    for (const erasure of outlived) {
      const request = lastOf.get(erasure);
      if (request === undefined || suspectedBefore.get(unitOf(request)) !== erasure.position) continue;
      const { partitions } = await this.log.describeTopic(FEEDBACK);
      await repeatErasure(this.log, request, { source: SOURCE, atUs: nowUs, partitions });
      repeated += 1;
    }
    return repeated;
  }

  /** Units of which an erasure, or its repetition, is that young. */
  private async unitsSince(sinceUs: InstantUs): Promise<ReadonlyMap<string, Watched>> {
    const requests = new Map<string, ErasureRequest>();
    const doneAtUs = new Map<string, InstantUs>();
    const repetitions = new Map<string, ErasureRepetition[]>();
    for await (const { value } of this.log.readAll(ERASURES)) {
      const message = erasureMessageIn(value);
      if (message?.kind === 'request') requests.set(message.id, message);
      else if (message?.kind === 'repetition') repetitions.set(message.id, [...(repetitions.get(message.id) ?? []), message]);
      else if (message?.store === 'feedback-store') doneAtUs.set(message.id, message.doneAtUs);
    }
    const units = new Map<string, Watched>();
    for (const request of requests.values()) {
      const again = repetitions.get(request.id) ?? [];
      // Nobody looks for its id any more: then every store was done with it, when there was no word of this store yet.
      const appliedAtUs = doneAtUs.get(request.id) ?? (request.sealed === null ? 0 : Number.POSITIVE_INFINITY);
      if (appliedAtUs < sinceUs && again.every(({ repeatedAtUs }) => repeatedAtUs < sinceUs)) continue;
      const others = units.get(unitOf(request))?.places ?? [];
      units.set(unitOf(request), { request, places: [...others, request, ...again] });
    }
    return units;
  }

  /** The last erasure of each unit takes what the others take. A unit of which one is still to be applied is left: that one may take them. */
  private async lastOfEach(units: ReadonlyMap<string, Watched>): Promise<ReadonlyMap<PlacedRow, ErasureRequest>> {
    const lastOf = new Map<PlacedRow, ErasureRequest>();
    const read = this.rows;
    this.rows = new Map();
    if (units.size === 0) return lastOf;
    const { partitions } = await this.log.describeTopic(FEEDBACK);
    const progress = await this.store.progress(FEEDBACK);
    for (const { request, places } of units.values()) {
      const erasures: PlacedRow[] = [];
      for (const place of places) {
        const key = `${place.partition}/${place.offset}`;
        const found = read.get(key) ?? (await erasuresAt(this.log, place)).filter(({ row }) => unitOf(row) === unitOf(request));
        this.rows.set(key, found);
        erasures.push(...found);
      }
      const last = erasures.reduce<PlacedRow | undefined>(
        (latest, one) => (latest === undefined || one.position > latest.position ? one : latest),
        undefined,
      );
      const isApplied =
        places.every((place) => isPassed(place, progress)) && (last === undefined || hasNoEarlier(last, progress, partitions));
      if (last !== undefined && isApplied) lastOf.set(last, request);
    }
    return lastOf;
  }
}

const isPassed = ({ partition, offset }: Place, progress: readonly Progress[]): boolean =>
  progress.some((one) => one.partition === partition && one.offset >= BigInt(offset));

/** Whether nobody reads an earlier generation any more, in which the unit lay elsewhere. */
const hasNoEarlier = ({ position }: PlacedRow, progress: readonly Progress[], partitions: number): boolean => {
  const { generation } = partsOfPosition(position);
  return generation === 0 || (progress.length >= partitions && progress.every((one) => one.generation >= generation));
};
