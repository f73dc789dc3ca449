/**
 * What a decision record's id is made of. Both texts are hashed with SHA-256 by whoever has it (no hash lives here), as 64 hex digits: that of the
 * definition goes into that of the record. Forever: ids stand in stored events.
 */
import { canonicalJson } from './canonical-json.js';
import type { ComparisonPlace, DecisionRecord, Policy, RecordedDefinition } from './decisions.js';
import type { ExperimentRamp } from './experiments.js';

/** Everything about the definition that moves a number; names and descriptions don't. */
export const definitionIdentity = ({ environment, experiment, state, metrics }: RecordedDefinition): string => {
  const { name: _name, hypothesis: _hypothesis, ...meaning } = experiment;
  const measured = metrics.map(({ use, version, definition: { name: _, description: __, ...metric } }) => ({ use, version, metric }));
  return canonicalJson({
    kind: environment.kind,
    experiment: meaning,
    metrics: measured,
    segments: state.segments,
    closedAtUs: state.closedAtUs,
    ...(state.ramp === undefined ? {} : { ramp: stepOf(state.ramp) }),
  });
};

/** Each step of each run has records of its own. */
const stepOf = ({ rollout, run, stage, policy }: ExperimentRamp) => ({ rollout, run, stage, policy });

/** @param definition  the hash of `definitionIdentity` */
export const recordIdentity = (
  { project, environment, experiment, comparison, stage, policy, knownUntilUs }: IdentifiedLook,
  definition: string,
): string => canonicalJson({ project, environment, experiment, comparison, stage, policy, definition, knownUntilUs });

interface IdentifiedLook extends ComparisonPlace, Pick<DecisionRecord, 'knownUntilUs'> {
  readonly policy: Policy;
}
