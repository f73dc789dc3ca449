/** What a plan that is watched promised its error rates for: it can't change while it is looked at, or they would hold for another plan. */
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { isWatched } from '../verdict/plan-state.js';
import type { Run } from './experiment.js';
import type { ExperimentDefinition } from './experiment-definition.js';

/**
 * For a run that has begun in a live environment and goes on in the same comparison; a new comparison begins with a new plan.
 * When it ends (minimumRunUs, plannedEndUs), texts and secondary metrics may change: looks hold whenever they are taken.
 * @throws DomainError plan-frozen
 */
export const requireFrozenPlan = (before: ExperimentDefinition, after: ExperimentDefinition, environment: string, run: Run): void => {
  if (run.kind !== 'live' || !isWatched(before.plan.method)) return;
  const [was, is] = [frozen(before, run), frozen(after, run)];
  const changed = Object.keys(was).filter((field) => !isEqual(was[field], is[field]));
  const [first] = changed;
  if (first === undefined) return;
  const values = `${text(was[first])} to ${text(is[first])}`;
  const more = changed.length === 1 ? '' : ` (and ${changed.slice(1).join(', ')})`;
  const message = `"${before.key}" is ${run.status} in ${environment} with a ${before.plan.method} plan, which is looked at from its start: ${first} can't change from ${values}${more}; leave it, or decide the experiment and define a new one`;
  const path = `/${first.replace('.', '/')}`;
  throw new DomainError('plan-frozen', message, { path, experiment: before.key, environment, changed });
};

/** By the path in the definition. A metric without a version goes by the one that the run counts with. */
const frozen = ({ plan, metrics, policy, control }: ExperimentDefinition, { metricVersions }: Run): Readonly<Record<string, unknown>> => ({
  'plan.method': plan.method,
  'plan.alpha': plan.alpha,
  'plan.alphaMinus': plan.alphaMinus,
  'plan.plannedUnits': plan.plannedUnits,
  'plan.intervalLevel': plan.intervalLevel,
  'plan.allowedLatenessUs': plan.allowedLatenessUs,
  'plan.multipleExposure': plan.multipleExposure,
  'plan.cupedTheta': plan.cupedTheta,
  'plan.harmBound': plan.harmBound,
  'plan.spending': plan.spending,
  'plan.looks': plan.looks,
  // A view beside another method decides nothing.
  'plan.bayesian': plan.method === 'bayesian' ? plan.bayesian : undefined,
  // What only widens figures that are shown may change; how e-values are corrected decides.
  'plan.multiplicity': plan.multiplicity === 'e-bh' ? plan.multiplicity : undefined,
  'plan.stratum': plan.stratum,
  metrics: metrics
    .filter(({ role }) => role !== 'secondary')
    .map(({ metric, version, role, margin, tau, onHarm = 'roll-back' }) => ({
      metric,
      version: version ?? metricVersions[metric],
      role,
      margin,
      tau,
      onHarm,
    })),
  policy,
  control,
});

const text = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));
