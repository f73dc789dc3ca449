/** How a rollout looks to readers: what it is at, what it waits for, and what was seen of it last. */
import { formatInstant, type RolloutDocument, type RolloutHistoryEntry, type RolloutWait } from '@rampart/contracts';
import {
  type BegunRollout,
  isOpen,
  nextAction,
  type Rollout,
  type RolloutEvent,
  type RolloutFacts,
  type SeenLook,
  standingEvidence,
} from '@rampart/domain';
import type { StoredEvent } from '@rampart/event-store';

/** Empty for what does not exist: who asks decides what that means. */
export const documentOfRollout = (project: string, rollout: Rollout, revision: number, facts: RolloutFacts): RolloutDocument | object => {
  if (rollout.status === 'absent') return {};
  const { definition, status } = rollout;
  const about = { ...definition, project, revision, status };
  if (rollout.status === 'draft') return { ...about, run: 0, stage: null, hold: null, waits: [NOT_STARTED], look: null, end: null };
  const { look, record } = standingEvidence(rollout, facts);
  const document: RolloutDocument = {
    ...about,
    run: rollout.run,
    stage: stageDocument(rollout),
    hold: holdDocument(rollout),
    waits: isOpen(rollout) ? nextAction(rollout, facts).waits.map(waitDocument) : [],
    look: look === null ? null : lookDocument(look, record?.id ?? null, facts.nowUs),
    end: 'end' in rollout ? endDocument(rollout.end) : null,
  };
  return document;
};

const NOT_STARTED: RolloutWait = { what: 'person', until: null, have: null, needed: null, sentence: 'it is a draft: start it' };

const stageDocument = ({ definition, stage }: BegunRollout): RolloutDocument['stage'] => ({
  index: stage.index,
  name: definition.stages[stage.index]?.name ?? '',
  startedAt: formatInstant(stage.startedAtUs),
  approved: stage.approvedBy !== null,
});

const holdDocument = (rollout: BegunRollout): RolloutDocument['hold'] => {
  const hold = 'hold' in rollout ? rollout.hold : null;
  return hold === null ? null : { cause: hold.cause, since: formatInstant(hold.sinceUs), sentence: hold.sentence };
};

const endDocument = ({ atUs, record, actor, sentence }: { atUs: number; record: string | null; actor: string; sentence: string }) => ({
  at: formatInstant(atUs),
  record,
  actor,
  reason: sentence,
});

const lookDocument = ({ verdict, sentence, knownUntilUs, units }: SeenLook, record: string | null, nowUs: number) => ({
  verdict,
  sentence,
  knownUntil: formatInstant(knownUntilUs),
  ageSeconds: Math.max(0, Math.round((nowUs - knownUntilUs) / 1e6)),
  units,
  record,
});

const waitDocument = ({ untilUs, ...wait }: ReturnType<typeof nextAction>['waits'][number]): RolloutWait => ({
  ...wait,
  until: untilUs === null ? null : formatInstant(untilUs),
});

export const historyEntry = ({ event, version, atUs, actor, reason }: StoredEvent): RolloutHistoryEntry => {
  const fact = event as RolloutEvent;
  return {
    revision: version,
    at: formatInstant(atUs),
    type: fact.type,
    actor,
    reason,
    sentence: 'sentence' in fact ? fact.sentence : definedText(fact),
    record: 'record' in fact ? fact.record : null,
  };
};

const definedText = ({ type, definition }: Extract<RolloutEvent, { definition: unknown }>): string => {
  const steps = definition.stages.map(({ coverage }) => `${Number((coverage * 100).toPrecision(6))} %`).join(' → ');
  return `${type === 'RolloutDefined' ? 'defined' : 'changed'}: ${definition.stages.length} stages, ${steps}`;
};
