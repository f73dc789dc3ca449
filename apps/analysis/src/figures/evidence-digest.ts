/** One name for one body of evidence: equal whatever order, redelivery or machine the sums came from. */
import { createHash } from 'node:crypto';
import type { PopulationRow, SufficientStatistics } from '@rampart/contracts';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';

/** @returns SHA-256 (hex) of the definition without ids, names and times, and the sums as decimal strings, in RFC 8785 form */
export const evidenceDigest = (
  definition: DefinitionInForce,
  sums: readonly SufficientStatistics[],
  population: readonly PopulationRow[],
): string => {
  const { unitType, assignment, variants, control, plan, policy } = definition.experiment;
  const metrics = definition.metrics.map(({ use, version, definition: metric }) => {
    const { name, description, ...meaning } = metric;
    return { role: use.role, margin: use.margin, version, ...meaning };
  });
  const evidence = { definition: { unitType, assignment, variants, control, plan, policy, metrics }, sums, population };
  return createHash('sha256').update(canonicalJson(evidence)).digest('hex');
};

/** RFC 8785: keys in order of their UTF-16 code units, numbers and strings as JavaScript writes them, no spaces; undefined is left out. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`JSON has no ${value}`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};
