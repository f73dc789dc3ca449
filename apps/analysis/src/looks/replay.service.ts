/** Recounts decision records from the store. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import {
  type DecisionRecord,
  formatInstant,
  type RecordedDecision,
  type Replay,
  type ReplayedPage,
  type ReplayedRecord,
} from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import type { ComparisonQuery } from '@rampart/feedback-store';
import { canonicalDigest } from '../figures/canonical-digest.js';
import { Evidence } from '../results/evidence.source.js';
import { expiredNeeded } from '../results/expired-rows.js';
import { DecisionLog, type RecordFilter } from './decision-log.js';
import { ENGINE } from './engine.js';
import {
  alterationOf,
  isCrossedAgain,
  recordedQuery,
  recountedConclusion,
  rememberedCrossings,
  replayOf,
  standingOf,
  uncountedReplay,
  unjudged,
} from './record-recount.js';

export interface ReplayRequest extends RecordFilter {
  /** Id of the record after which the page begins; null: the first. */
  readonly after: string | null;
  readonly limit: number;
}

/** Queries on their way at once: the store's cores are busy with few. */
const atOnce = 3;

const RECORD_ID = /^[0-9a-f]{64}$/;
/** So far may `decisions.v1` be behind the list of records. */
const LOG_BEHIND_MS = 2_000;
const PAUSE_MS = 50;

@Injectable()
export class ReplayService {
  constructor(
    private readonly decisions: DecisionLog,
    private readonly evidence: Evidence,
  ) {}

  /** @throws DomainError decision-not-found, watermark-behind, rows-expired */
  async replay(project: string, id: string): Promise<Replay> {
    const { record } = await this.recorded(project, id);
    return this.recounted(record, await this.evidence.watermark());
  }

  /** Every record that is meant, page by page. @throws DomainError decision-not-found for an `after` that is none of them */
  async replayAll({ after, limit, ...filter }: ReplayRequest): Promise<ReplayedPage> {
    await this.decisions.readToTheEnd();
    const ids = this.decisions.idsOf(filter);
    const from = after === null ? 0 : ids.indexOf(after) + 1;
    if (after !== null && from === 0)
      throw new DomainError('decision-not-found', `no record that is asked for has the id ${after}: begin without after`, { id: after });
    const asked = ids.slice(from, from + limit);
    const watermarkUs = await this.evidence.watermark();
    const items: ReplayedRecord[] = [];
    let next = 0;
    const work = async () => {
      for (let place = next++; place < asked.length; place = next++) items[place] = await this.replayed(asked[place] ?? '', watermarkUs);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return {
      items,
      next: from + limit < ids.length ? (asked.at(-1) ?? null) : null,
      total: ids.length,
      unreadable: this.decisions.skipped,
      engine: ENGINE,
    };
  }

  private async replayed(id: string, watermarkUs: number | null): Promise<ReplayedRecord> {
    const recorded = await this.decisions.read(id);
    if (recorded === undefined) throw new DomainError('decision-not-found', `decisions.v1 has no record ${id} any more`, { id });
    const { record, recordedAtUs } = recorded;
    const { project, environment, experiment, comparison, stage, knownUntilUs, cause, engine } = record;
    return {
      ...{ id, project, environment, experiment, comparison, stage, cause, engine },
      knownUntil: toldInstant(knownUntilUs),
      recordedAt: toldInstant(recordedAtUs),
      digest: canonicalDigest(record),
      ...(await this.standing(record, watermarkUs)),
    };
  }

  private async standing(
    record: DecisionRecord,
    watermarkUs: number | null,
  ): Promise<Pick<ReplayedRecord, 'status' | 'sentence' | 'code' | 'differences'>> {
    try {
      return standingOf(await this.recounted(record, watermarkUs));
    } catch (error) {
      if (!isNotRecountable(error)) throw error;
      return { status: 'not-recountable', sentence: error.message, code: error.code, differences: [] };
    }
  }

  /** @throws DomainError watermark-behind, rows-expired: of a record that, as far as it tells without rows, nobody altered */
  private async recounted(record: DecisionRecord, watermarkUs: number | null): Promise<Replay> {
    // First what needs no rows: an altered record is told as one whatever became of them.
    const altered = alterationOf(record, this.decisions.before(record));
    try {
      return await this.recountedFromRows(record, watermarkUs);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (altered !== undefined) return uncountedReplay(record, `${altered}; its rows were not counted again: ${why}`);
      // Nor is the store being away a finding about a record.
      if (isNotRecountable(error) || (error as { retriable?: unknown }).retriable !== undefined) throw error;
      return uncountedReplay(record, unjudged(error));
    }
  }

  private async recountedFromRows(record: DecisionRecord, watermarkUs: number | null): Promise<Replay> {
    if (watermarkUs === null || watermarkUs < record.knownUntilUs) {
      const [needed, has] = [formatInstant(record.knownUntilUs), watermarkUs === null ? 'nothing' : formatInstant(watermarkUs)];
      const message = `the record knew everything up to ${needed}, the store has ${has}: it is still being filled, ask again later`;
      throw new DomainError('watermark-behind', message, { knownUntil: needed });
    }
    await this.refuseExpired(recordedQuery(record));
    const previous = record.previous === null ? undefined : (await this.decisions.read(record.previous))?.record;
    const looksBefore = previous?.looks ?? [];
    const latchedBefore = await this.latchedBefore(record, previous);
    const isHistory = record.definition.environment.kind === 'historical';
    const { project, environment, knownUntilUs } = record;
    const completedAtUs = isHistory ? await this.evidence.importCompletedAtUs(project, environment, knownUntilUs) : null;
    const sums = await this.evidence.sums(recordedQuery(record, completedAtUs));
    const sinceUs = completedAtUs ?? Math.min(record.knownUntilUs, ...record.latched.map(({ knownUntilUs }) => knownUntilUs));
    const erased = await this.evidence.erasedUnits(recordedQuery(record), sinceUs);
    return replayOf(record, recountedConclusion(record, sums, latchedBefore, looksBefore), this.decisions.before(record), erased);
  }

  /** Its sums are evidence still: they are in the record. @throws DomainError rows-expired */
  private async refuseExpired(query: ComparisonQuery): Promise<void> {
    const expired = await expiredNeeded(this.evidence, query);
    if (expired === null) return;
    const [until, needed] = [formatInstant(expired.untilUs), formatInstant(expired.neededUs)];
    throw new DomainError(
      'rows-expired',
      `the record can't be recounted any more: it reads rows from ${needed} on, and those before ${until} were removed by configuration; its sums stand in it`,
      { needed, until },
    );
  }

  /** Those of the previous record, and those that looks between the two saw and that the rows still show. */
  private async latchedBefore(record: DecisionRecord, previous: DecisionRecord | undefined): Promise<DecisionRecord['latched']> {
    let latched = previous?.latched ?? [];
    for (const crossing of rememberedCrossings(record, latched)) {
      const sums = await this.evidence.sums({ ...recordedQuery(record), knownUntilUs: crossing.knownUntilUs });
      if (isCrossedAgain(record, crossing, sums, latched, previous?.looks)) latched = [...latched, crossing];
    }
    return latched;
  }

  /** Whoever asks was told of it by the list of records, which may be a moment ahead of the log. */
  private async toldOf(id: string): Promise<void> {
    for (let waitedMs = 0; !this.decisions.has(id) && waitedMs <= (RECORD_ID.test(id) ? LOG_BEHIND_MS : 0); waitedMs += PAUSE_MS) {
      if (waitedMs > 0) await sleep(PAUSE_MS);
      await this.decisions.readToTheEnd();
    }
  }

  private async recorded(project: string, id: string): Promise<RecordedDecision> {
    await this.toldOf(id);
    const decision = await this.decisions.read(id);
    // A record of another project is not told apart from none.
    if (decision !== undefined && decision.record.project === project) return decision;
    throw new DomainError(
      'decision-not-found',
      `there is no decision record ${id} in project ${project}: see GET /v1/experiments/{key}/decisions`,
      { id },
    );
  }
}

/** Refusals that say nothing about the record. */
const NOT_RECOUNTABLE: ReadonlySet<string> = new Set(['watermark-behind', 'rows-expired']);

const isNotRecountable = (error: unknown): error is DomainError => error instanceof DomainError && NOT_RECOUNTABLE.has(error.code);

/** An altered record may hold anything in place of an instant, and is told nevertheless. */
const toldInstant = (atUs: unknown): string =>
  typeof atUs === 'number' && Math.abs(atUs) <= LATEST_US ? formatInstant(atUs) : String(atUs);

/** The last instant of a `Date`. */
const LATEST_US = 8.64e18;
