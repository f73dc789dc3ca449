/** What a rollout is decided upon, as it is known at one moment; and which of it concerns the stage in force. */
import type { Run } from '../experiment/experiment.js';
import type { Actions } from '../verdict/actions.js';
import type { Policy } from '../verdict/policies.js';
import type { VerdictKind } from '../verdict/verdict.js';
import type { BegunRollout } from './rollout.js';

export interface SeenLook {
  readonly environment: string;
  readonly experiment: string;
  readonly comparison: number;
  /** Name of the stage that was looked at; null: no ramp. */
  readonly stage: string | null;
  readonly policy: Policy;
  readonly verdict: VerdictKind;
  readonly actions: Actions;
  readonly sentence: string;
  /** W: everything known by then was counted. */
  readonly knownUntilUs: number;
  /** In the analysis set, all arms. */
  readonly units: number;
}

export interface SeenRecord extends SeenLook {
  readonly id: string;
}

export interface RolloutFacts {
  readonly nowUs: number;
  /** What the experiment does in the rollout's environment; null: nothing yet. */
  readonly experiment: Run | null;
  /** The experiment's own: what the last stage asks. */
  readonly policy: Policy;
  readonly isFeatureKilled: boolean;
  /** The newest one, of whatever it is. */
  readonly look: SeenLook | null;
  /** The newest one that was appended, of whatever it is. */
  readonly record: SeenRecord | null;
}

/** What was seen of the stage in force; all else is of another time or place. */
export interface StandingEvidence {
  readonly look: SeenLook | null;
  readonly record: SeenRecord | null;
}

/** The last stage asks what the experiment asks, every other one whether anything is worse. */
export const isLastStage = ({ definition, stage }: BegunRollout): boolean => stage.index === definition.stages.length - 1;

export const stageOf = ({ definition, stage }: BegunRollout) => {
  const found = definition.stages[stage.index];
  if (found === undefined) throw new Error(`"${definition.key}" is at stage ${stage.index + 1} of ${definition.stages.length}`);
  return found;
};

/** Whether the experiment is moved by this rollout, and by no other. */
export const isGoverned = ({ definition }: BegunRollout, experiment: Run | null): experiment is Run =>
  experiment?.ramp?.rollout === definition.key;

/** Whether it is in this run of it: what was seen of a run before says nothing of the next one. */
const isInThisRun = (rollout: BegunRollout, experiment: Run | null): experiment is Run =>
  isGoverned(rollout, experiment) && experiment.ramp?.run === rollout.run;

export const standingEvidence = (rollout: BegunRollout, { experiment, look, record }: RolloutFacts): StandingEvidence => {
  if (!isInThisRun(rollout, experiment)) return { look: null, record: null };
  const { definition } = rollout;
  const comparison = (experiment.segments.at(-1) ?? experiment.segments[0]).comparison;
  const isOfThis = (seen: SeenLook) =>
    seen.experiment === definition.experiment &&
    seen.environment === definition.environment &&
    seen.comparison === comparison &&
    seen.stage === stageOf(rollout).name;
  return { look: look !== null && isOfThis(look) ? look : null, record: record !== null && isOfThis(record) ? record : null };
};
