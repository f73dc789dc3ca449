/** From a stored event to what others see of it: the whole record, or one line. */
import { type DecisionRecord, type DecisionSummary, formatInstant, type RecordedDecision } from '@rampart/contracts';
import type { DecisionEvent } from '@rampart/domain';
import type { StoredEvent } from '@rampart/event-store';

/** @returns undefined for every other event */
export const recordedDecision = ({ event, version }: StoredEvent): RecordedDecision | undefined =>
  event.type === 'DecisionRecorded' ? { record: recordIn(event), recordedAtUs: event.atUs, revision: version } : undefined;

/** The domain reads of a record what its chain goes by. All of it was checked at the door, before it was stored. */
const recordIn = ({ record }: DecisionEvent): DecisionRecord => record as DecisionRecord;

export const summaryOf = ({ record, recordedAtUs }: RecordedDecision): DecisionSummary => {
  const { id, previous, project, environment, experiment, comparison, stage, cause, policy, verdict, actions } = record;
  return {
    id,
    previous,
    project,
    environment,
    experiment,
    comparison,
    stage,
    cause,
    policy,
    knownUntil: formatInstant(record.knownUntilUs),
    recordedAt: formatInstant(recordedAtUs),
    verdict: verdict.verdict,
    rule: verdict.rule,
    sentence: verdict.sentence,
    actions,
    units: record.population.reduce((sum, { counted }) => sum + counted, 0),
    evidenceDigest: record.evidenceDigest,
    conclusionDigest: record.conclusionDigest,
  };
};
