/** Recounts a decision record from the store. */
import { Injectable } from '@nestjs/common';
import { type DecisionRecord, formatInstant, type RecordedDecision, type Replay } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { Evidence } from '../results/evidence.source.js';
import { DecisionLog } from './decision-log.js';
import { isCrossedAgain, recordedQuery, recountedConclusion, rememberedCrossings, replayOf } from './record-recount.js';

@Injectable()
export class ReplayService {
  constructor(
    private readonly decisions: DecisionLog,
    private readonly evidence: Evidence,
  ) {}

  /** @throws DomainError decision-not-found, watermark-behind */
  async replay(project: string, id: string): Promise<Replay> {
    const { record } = await this.recorded(project, id);
    const watermarkUs = await this.evidence.watermark();
    if (watermarkUs === null || watermarkUs < record.knownUntilUs) {
      const [needed, has] = [formatInstant(record.knownUntilUs), watermarkUs === null ? 'nothing' : formatInstant(watermarkUs)];
      const message = `the record knew everything up to ${needed}, the store has ${has}: it is still being filled, ask again later`;
      throw new DomainError('watermark-behind', message, { knownUntil: needed });
    }
    const previous = record.previous === null ? undefined : (await this.decisions.read(record.previous))?.record;
    const looksBefore = previous?.looks ?? [];
    const latchedBefore = await this.latchedBefore(record, previous);
    const isHistory = record.definition.environment.kind === 'historical';
    const completedAtUs = isHistory ? await this.evidence.importCompletedAtUs(project, record.environment, record.knownUntilUs) : null;
    const sums = await this.evidence.sums(recordedQuery(record, completedAtUs));
    return replayOf(record, recountedConclusion(record, sums, latchedBefore, looksBefore), this.decisions.before(record));
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

  private async recorded(project: string, id: string): Promise<RecordedDecision> {
    if (!this.decisions.has(id)) await this.decisions.readToTheEnd();
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
