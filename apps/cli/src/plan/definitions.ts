/** From a plan, and what was seen in its data, to the metrics and the experiment that the platform is told. */
import { type ExperimentInput, experimentDefinition, type MetricInput, metricDefinition } from '@rampart/contracts';
import type { z } from 'zod';
import { usage } from '../refusal.js';
import { didYouMean } from '../suggestion.js';
import type { Cell, ImportPlan, PlanMetric, ValueSpec } from './plan.js';

export interface Definitions {
  readonly metrics: readonly MetricInput[];
  readonly experiment: ExperimentInput;
}

const DAY_US = 86_400_000_000;

/**
 * @param cells  the plan's, or those found in the data
 * @param scales  per event name, 1 where nothing is scaled
 * @throws Refusal where the parts do not fit each other
 */
export const definitionsOf = (plan: ImportPlan, cells: readonly Cell[], scales: ReadonlyMap<string, bigint>): Definitions => {
  const uses = metricsOf(plan);
  const metrics = uses.map((use) => metricInput(use, plan, scales));
  const decides = uses.some(({ role, margin }) => role === 'success' || margin !== undefined);
  const experiment: ExperimentInput = {
    key: plan.key,
    name: plan.name ?? plan.key,
    ...(plan.hypothesis === undefined ? {} : { hypothesis: plan.hypothesis }),
    unitType: plan.unit.type,
    assignment: 'external',
    variants: cells.map(({ variant, arm, weight }) => ({ key: variant, ...(arm === undefined ? {} : { arm }), weight })),
    control: controlOf(plan, cells),
    metrics: uses.map(({ role, margin }, index) => ({
      metric: metrics[index]?.key ?? '',
      // Somebody has to decide: where the plan names nobody, the first metric does.
      role: role ?? (!decides && index === 0 ? 'success' : 'secondary'),
      ...(margin === undefined ? {} : { margin }),
    })),
    plan: { ...plan.plan, ...(plan.multipleExposure === undefined ? {} : { multipleExposure: plan.multipleExposure }) },
    policy: plan.policy,
  };
  checked(experimentDefinition, experiment, 'The experiment');
  return { metrics, experiment };
};

/** The metrics of a plan: its own, or the mean of each value. */
export const metricsOf = (plan: ImportPlan): readonly PlanMetric[] =>
  plan.metrics ??
  plan.values.map(({ event }) => ({
    type: 'mean' as const,
    event: { event },
    // A single covariate can only be meant for all.
    ...(plan.covariates.length === 1 ? { covariate: defaultCovariate(plan.covariates[0]) } : {}),
  }));

const defaultCovariate = (spec: ValueSpec | undefined) => ({
  event: spec?.event ?? '',
  whenMissing: 'zero' as const,
  lookbackUs: undefined,
});

/** Every event that a metric reads: they share one scale. */
export const eventsOf = ({ event, numerator, denominator, covariate }: PlanMetric): readonly string[] =>
  [event?.event, numerator?.event, denominator?.event, covariate?.event].filter((name) => name !== undefined);

const metricInput = (use: PlanMetric, plan: ImportPlan, scales: ReadonlyMap<string, bigint>): MetricInput => {
  const { event, numerator = event, covariate, role: _role, margin: _margin, key, name, ...rest } = use;
  if (numerator === undefined) throw usage('A metric needs an event.');
  const scale = scales.get(numerator.event) ?? 1n;
  const readsProperty = numerator.property ?? rest.denominator?.property;
  if (scale > 1n && readsProperty !== undefined)
    throw usage(
      `A metric of "${numerator.event}" reads the property "${readsProperty}", but its events are scaled by ${scale}: send that column as a value.`,
    );
  const input: MetricInput = {
    ...rest,
    numerator,
    key: key ?? slugOf(numerator.event),
    name: name ?? key ?? numerator.event,
    unitType: plan.unit.type,
    scale: Number(scale),
    ...(covariate === undefined
      ? {}
      : {
          covariate: {
            selector: { event: covariate.event },
            lookbackUs: covariate.lookbackUs ?? DAY_US,
            whenMissing: covariate.whenMissing,
          },
        }),
  };
  checked(metricDefinition, input, `The metric "${input.key}"`);
  return input;
};

/** `Sum of Rounds` → `sum-of-rounds`. */
export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 80) || 'value';

const controlOf = (plan: ImportPlan, cells: readonly Cell[]): string => {
  const arms = [...new Set(cells.map(({ variant, arm }) => arm ?? variant))];
  const control = plan.control ?? 'control';
  if (arms.includes(control)) return control;
  const list = arms.map((arm) => `"${arm}"`).join(', ');
  if (plan.control === undefined) throw usage(`Which arm is the control? The arms are ${list}; say it with "control" in the plan.`);
  throw usage(`The control "${control}" is none of the arms, which are ${list}.${didYouMean(control, arms)}`);
};

const checked = (schema: z.ZodType, input: unknown, what: string): void => {
  const outcome = schema.safeParse(input);
  if (outcome.success) return;
  const why = outcome.error.issues.map(({ path, message }) => `${path.join('.') || 'it'} ${message}`).join('; ');
  throw usage(`${what} of this plan is not valid: ${why}.`);
};
