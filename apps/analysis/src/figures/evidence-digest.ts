/** One name for one body of evidence: equal whatever order, redelivery or machine the sums came from. */
import type { PopulationRow, SufficientStatistics } from '@rampart/contracts';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { canonicalDigest } from './canonical-digest.js';

/** @returns SHA-256 (hex) of the definition without ids, names and times, and the sums as decimal strings, in RFC 8785 form */
export const evidenceDigest = (
  definition: DefinitionInForce,
  sums: readonly SufficientStatistics[],
  population: readonly PopulationRow[],
): string => {
  const { unitType, assignment, variants, control, plan, policy } = definition.experiment;
  const metrics = definition.metrics.map(({ use, version, definition: metric }) => {
    const { name, description, ...meaning } = metric;
    const tau = use.tau === undefined ? {} : { tau: use.tau };
    return { role: use.role, margin: use.margin, ...tau, version, ...meaning };
  });
  return canonicalDigest({ definition: { unitType, assignment, variants, control, plan, policy, metrics }, sums, population });
};
