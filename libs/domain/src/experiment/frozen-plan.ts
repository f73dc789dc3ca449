/** What a plan promised its error rates for: it can't change while the comparison goes on, or they would hold for another plan. */
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { isWatched } from '../verdict/plan-state.js';
import { comparisonStartUs, type Run } from './experiment.js';
import { assignsTheSame, type ExperimentDefinition } from './experiment-definition.js';

/** A change that the comparison in force can't take: begin anew with it, or leave it. */
export interface PlanBreach {
  /** By the path in the definition, `plan.alpha`; never empty. */
  readonly changed: readonly [string, ...string[]];
  /** plan-frozen or look-is-over, with what may be done instead. */
  readonly refusal: DomainError;
}

interface Place {
  readonly environment: string;
  readonly run: Run;
  readonly atUs: number;
}

/**
 * For a run in a live environment. What assigns differently begins a new comparison, and with it a new plan, anyway.
 * When it ends (minimumRunUs, plannedEndUs), texts and secondary metrics may change: looks hold whenever they are taken.
 * @returns null where the comparison goes on under the new definition
 */
export const planBreach = (before: ExperimentDefinition, after: ExperimentDefinition, place: Place): PlanBreach | null => {
  if (place.run.kind !== 'live') return null;
  if (isWatched(before.plan.method)) return assignsTheSame(before, after) ? frozenWhileWatched(before, after, place) : null;
  return frozenBehindItsLook(before, after, place) ?? frozenRanges(before, after, place);
};

const frozenWhileWatched = (before: ExperimentDefinition, after: ExperimentDefinition, { environment, run }: Place): PlanBreach | null => {
  const [was, is] = [frozen(before, run), frozen(after, run)];
  const [first, ...others] = Object.keys(was).filter((field) => !isEqual(was[field], is[field]));
  if (first === undefined) return null;
  const changed = [first, ...others] as const;
  const values = `${text(was[first])} to ${text(is[first])}`;
  const more = others.length === 0 ? '' : ` (and ${others.join(', ')})`;
  const message = `"${before.key}" is ${run.status} in ${environment} with a ${before.plan.method} plan, which is looked at from its start: ${first} can't change from ${values}${more} in this comparison; leave it, ${anew(before, run)}`;
  const path = `/${first.replace('.', '/')}`;
  return { changed, refusal: new DomainError('plan-frozen', message, { path, experiment: before.key, environment, changed }) };
};

/** A fixed horizon has one look. What it judges, and how, can't change behind it: the verdict would change with it. */
const frozenBehindItsLook = (
  before: ExperimentDefinition,
  after: ExperimentDefinition,
  { environment, run, atUs }: Place,
): PlanBreach | null => {
  const { plannedEndUs, minimumRunUs } = before.plan;
  if (plannedEndUs === undefined) return null;
  const lookAtUs = Math.max(plannedEndUs, comparisonStartUs(run) + minimumRunUs);
  const [was, is] = [judged(before), judged(after)];
  const [first, ...others] = Object.keys(was).filter((field) => !isEqual(was[field], is[field]));
  if (atUs < lookAtUs || first === undefined) return null;
  const at = new Date(lookAtUs / 1000).toISOString();
  const message = `the one look of "${before.key}" in ${environment} was at ${at}, and this changes what it judges (plan, metrics, policy or control): leave it, ${anew(before, run)}`;
  const data = { path: '/plan', experiment: before.key, environment, lookAtUs };
  return { changed: [first, ...others], refusal: new DomainError('look-is-over', message, data) };
};

/** Ranges are laid out from the control on: with another one every unit would change its arm, within one comparison. */
const frozenRanges = (before: ExperimentDefinition, after: ExperimentDefinition, { environment, run }: Place): PlanBreach | null => {
  const { key, assignment, control } = before;
  if (assignment !== 'rampart' || control === after.control || !assignsTheSame(before, after)) return null;
  const changed = ['control'] as const;
  const message = `"${key}" is ${run.status} in ${environment}, where units have their arms by ranges that begin with the control: control can't change from ${text(control)} to ${text(after.control)} in this comparison, since each would get another arm; leave it, ${anew(before, run)}`;
  return { changed, refusal: new DomainError('plan-frozen', message, { path: '/control', experiment: key, environment, changed }) };
};

const anew = ({ assignment }: ExperimentDefinition, { status, ramp }: Run): string => {
  if (ramp !== undefined) return 'or roll back, change it, and start the rollout again';
  if (status === 'enrolment-frozen') return 'or decide the experiment and define a new one: nobody is enrolled any more';
  const units = assignment === 'rampart' ? 'units are assigned anew' : 'units must be assigned anew where that is done';
  return `or ask for ?newComparison=true: ${units}, and what was seen so far decides nothing in it`;
};

const judged = ({ plan, metrics, policy, control }: ExperimentDefinition): Readonly<Record<string, unknown>> => ({
  ...{ plan, metrics, policy, control },
});

/** A metric without a version goes by the one that the run counts with. */
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
