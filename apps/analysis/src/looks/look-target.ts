/** Up to when a comparison is to be looked at next, and whether that look is its last. */
import type { InstantUs } from '@rampart/contracts';
import type { PlanState } from '@rampart/domain';
import { type DefinitionInForce, planOf } from '../definitions/definition-in-force.js';

export interface LookTarget {
  readonly plan: PlanState;
  /** W of the look: the watermark, or the earlier moment at which the comparison was closed or its one look was planned. */
  readonly knownUntilUs: InstantUs;
  /** Nothing that comes later can change it. */
  readonly isLast: boolean;
}

/** @param watermarkUs  everything known by then is stored; of a historical environment: the import is complete */
export const lookTarget = (definition: DefinitionInForce, watermarkUs: InstantUs): LookTarget => {
  const { environment, state } = definition;
  const plan = planOf(definition, { importing: false, knownUntilUs: watermarkUs });
  if (environment.kind === 'historical') return { plan, knownUntilUs: watermarkUs, isLast: true };
  const closedAtUs = state?.closedAtUs ?? null;
  const endUs = Math.min(plan.lookAtUs ?? watermarkUs, closedAtUs ?? watermarkUs, watermarkUs);
  const isClosed = closedAtUs !== null && closedAtUs <= watermarkUs;
  return { plan, knownUntilUs: endUs, isLast: isClosed || (plan.lookAtUs !== null && plan.lookAtUs <= watermarkUs) };
};
