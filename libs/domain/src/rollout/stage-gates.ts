/** What stands between a stage and the next one, approval last. An open gate is no entry; a person can read each entry. */
import { clockStartUs, type OpenRollout } from './rollout.js';
import { durationText } from './rollout-definition.js';
import { isLastStage, type RolloutFacts, type SeenLook, type SeenRecord, stageOf, standingEvidence } from './rollout-facts.js';

/** Something that is waited for, or why nothing is done. */
export interface RolloutWait {
  readonly what: 'data' | 'freshness' | 'verdict' | 'bake-time' | 'units' | 'approval' | 'person' | 'experiment';
  /** When it is expected to be over; null where time alone does not end it. */
  readonly untilUs: number | null;
  readonly have: number | null;
  readonly needed: number | null;
  readonly sentence: string;
}

/** @returns what is unmet, in the order in which it is asked; nothing: the stage may end */
export const closedGates = (rollout: OpenRollout, facts: RolloutFacts): readonly RolloutWait[] => {
  const { monitored } = stageOf(rollout);
  const { look, record } = standingEvidence(rollout, facts);
  return [
    ...featureGate(facts),
    ...(monitored ? [...dataGate(rollout, facts, look), ...verdictGate(rollout, facts, look, record)] : []),
    ...bakeGate(rollout, facts, look),
    ...unitsGate(rollout, look),
    ...approvalGate(rollout),
  ];
};

const featureGate = ({ isFeatureKilled }: RolloutFacts): readonly RolloutWait[] =>
  isFeatureKilled ? [waiting('experiment', 'the feature is killed: everybody gets its default variant; restore it, or roll back')] : [];

/** Unknown is not good: missing data holds. */
const dataGate = (rollout: OpenRollout, { nowUs }: RolloutFacts, look: SeenLook | null): readonly RolloutWait[] => {
  if (look === null)
    return [waiting('data', `nobody has looked at stage "${stageOf(rollout).name}" yet: the first look is expected within seconds`)];
  const { freshnessSeconds } = rollout.definition;
  const ageSeconds = Math.max(0, (nowUs - look.knownUntilUs) / 1e6);
  if (ageSeconds <= freshnessSeconds) return [];
  const sentence = `the newest look knows everything up to ${iso(look.knownUntilUs)}, ${durationText(ageSeconds)} ago, and data older than ${durationText(freshnessSeconds)} is missing data: see what the analysis says about its freshness`;
  return [{ what: 'freshness', untilUs: null, have: Math.round(ageSeconds), needed: freshnessSeconds, sentence }];
};

/** The newest look and the newest record must both say go: only what is recorded is acted on. */
const verdictGate = (
  rollout: OpenRollout,
  { policy }: RolloutFacts,
  look: SeenLook | null,
  record: SeenRecord | null,
): readonly RolloutWait[] => {
  if (look === null) return [];
  const asked = isLastStage(rollout) ? policy : 'stage';
  if (look.policy !== asked)
    return [
      waiting(
        'verdict',
        `the newest look asked whether to ${look.policy}, this stage asks whether to ${asked}: the next look is expected within seconds`,
      ),
    ];
  if (look.verdict !== 'go') return [waiting('verdict', look.sentence)];
  if (record?.verdict === 'go' && record.policy === asked) return [];
  const recorded = record === null ? 'nothing is recorded of this stage' : `the newest record says ${record.verdict}`;
  return [waiting('verdict', `the newest look says go, but ${recorded}: only what is recorded is acted on`)];
};

const bakeGate = (rollout: OpenRollout, { nowUs }: RolloutFacts, look: SeenLook | null): readonly RolloutWait[] => {
  const { bakeSeconds, monitored, name } = stageOf(rollout);
  const startUs = clockStartUs(rollout.stage);
  const untilUs = startUs + bakeSeconds * 1e6;
  const knownUs = monitored ? (look?.knownUntilUs ?? startUs) : nowUs;
  if (knownUs >= untilUs) return [];
  const have = Math.max(0, Math.floor((knownUs - startUs) / 1e6));
  const sentence = `stage "${name}" bakes for ${durationText(bakeSeconds)}, ${durationText(have)} of it ${monitored ? 'are known' : 'have passed'}`;
  return [{ what: 'bake-time', untilUs: rollout.status === 'paused' ? null : untilUs, have, needed: bakeSeconds, sentence }];
};

const unitsGate = (rollout: OpenRollout, look: SeenLook | null): readonly RolloutWait[] => {
  const { minUnits } = stageOf(rollout);
  const have = look?.units ?? 0;
  if (have >= minUnits) return [];
  return [{ what: 'units', untilUs: null, have, needed: minUnits, sentence: `${have} of ${minUnits} units have been exposed` }];
};

const approvalGate = (rollout: OpenRollout): readonly RolloutWait[] => {
  const { requiresApproval, name } = stageOf(rollout);
  if (!requiresApproval || rollout.stage.approvedBy !== null) return [];
  return [{ ...waiting('approval', `stage "${name}" takes a person's approval before it ends, and 0 of 1 is given`), have: 0, needed: 1 }];
};

export const waiting = (what: RolloutWait['what'], sentence: string): RolloutWait => ({
  what,
  untilUs: null,
  have: null,
  needed: null,
  sentence,
});

const iso = (atUs: number): string => new Date(atUs / 1000).toISOString();
