/** Whole comparisons: simulated units of several metrics at once, judged by the function that judges live ones. */
import { type Conclusion, conclude } from '@rampart/analysis/conclusion';
import { type ExperimentInput, experimentDefinition, type MetricInput, type MetricUse, metricDefinition } from '@rampart/contracts';
import { planState } from '@rampart/domain';
import { Arm } from './arm.js';
import type { Look } from './scenario.js';

type Concluding = Parameters<typeof conclude>[0];

export interface SimulatedMetric {
  readonly metric: Pick<MetricInput, 'key' | 'type'> & Partial<MetricInput>;
  readonly use: Omit<MetricUse, 'metric'>;
  /** What a unit's second number is. */
  readonly x: 'nothing' | 'denominator' | 'covariate';
}

const STARTED_AT_US = 1_000_000;
/** From one look of a comparison to the next. */
const LOOK_EVERY_US = 3_600_000_000;

/** Of the look with this number, from 1. */
export const momentOf = (look: number): number => STARTED_AT_US + look * LOOK_EVERY_US;
const DAY_US = 86_400_000_000;

/** Closed windows, two arms, continuously looked at; nothing but the sums tells when it is over. */
export const definitionOf = (
  metrics: readonly SimulatedMetric[],
  experiment: Pick<ExperimentInput, 'policy' | 'plan'>,
  weights: readonly [control: number, treatment: number] = [1, 1],
): Concluding['definition'] => {
  const uses = metrics.map(({ metric, use }): MetricUse => ({ metric: metric.key, ...use }));
  const segment = { segment: 1, comparison: 1, startedAtUs: STARTED_AT_US, coverage: 1, seed: 's', hashVersion: 2 as const };
  return {
    project: 'simulated',
    environment: { project: 'simulated', key: 'production', kind: 'live' },
    experiment: experimentDefinition.parse({
      key: 'simulated',
      name: 'Simulated',
      variants: [
        { key: 'A', weight: weights[0] },
        { key: 'B', weight: weights[1] },
      ],
      control: 'A',
      metrics: uses,
      ...experiment,
    }),
    version: 1,
    state: {
      experiment: 'simulated',
      version: 1,
      status: 'running',
      segments: [segment],
      startedAtUs: STARTED_AT_US,
      closedAtUs: null,
    },
    metrics: metrics.map(({ metric }, index) => ({
      use: uses[index] ?? { metric: metric.key, role: 'secondary' },
      version: 1,
      definition: metricDefinition.parse({
        name: metric.key,
        unitType: 'user',
        numerator: { event: metric.key },
        windowUs: DAY_US,
        ...metric,
      }),
    })),
  };
};

/** One hundredths value a metric, or two where it has an x. */
export type UnitValues = readonly (number | readonly [y: number, x: number])[];

/** A comparison under way: fills up, and is concluded look by look with what was latched before. */
export class Comparison implements Look {
  units = 0;
  conclusion: Conclusion | undefined;
  private arms: readonly (readonly Arm[])[];
  private looks = 0;

  private readonly definition: Concluding['definition'];

  /** @param run  of a rollout, whose runs share its α₋ */
  constructor(
    definition: Concluding['definition'],
    private readonly metrics: readonly SimulatedMetric[],
    run?: number,
  ) {
    this.definition = run === undefined ? definition : inRun(definition, run);
    this.arms = [0, 1].map(() => metrics.map(() => new Arm()));
  }

  /** The same units under another plan, added once for both. */
  under(definition: Concluding['definition'], metrics: readonly SimulatedMetric[]): Comparison {
    const twin = new Comparison(definition, metrics);
    twin.arms = this.arms;
    return twin;
  }

  add(isTreatment: boolean, values: UnitValues): void {
    this.units += 1;
    const arms = this.arms[isTreatment ? 1 : 0] ?? [];
    values.forEach((value, metric) => {
      if (typeof value === 'number') arms[metric]?.add(value);
      else arms[metric]?.add(value[0], value[1]);
    });
  }

  look(): Conclusion {
    return this.lookAt(this.looks + 1);
  }

  /** @param look  from 1; those before it were not taken */
  lookAt(look: number): Conclusion {
    this.looks = look;
    const knownUntilUs = momentOf(this.looks);
    const { plan } = this.definition.experiment;
    const schedule = { historical: false, importing: false, startedAtUs: STARTED_AT_US, closedAtUs: null };
    const plannedEndUs = plan.plannedEndUs ?? null;
    this.conclusion = conclude({
      definition: this.definition,
      query: { cells: ['A', 'B'].map((variant) => ({ variant, arm: variant })) },
      sums: this.sums(),
      plan: planState({ ...schedule, plannedEndUs, method: plan.method, minimumRunUs: plan.minimumRunUs, knownUntilUs }),
      seenEvents: new Set(this.metrics.map(({ metric }) => metric.key)),
      latchedBefore: this.conclusion?.latched ?? [],
      looksBefore: this.conclusion?.looks ?? [],
      knownUntilUs,
    });
    return this.conclusion;
  }

  private sums(): Concluding['sums'] {
    return {
      cells: this.arms.map((arms, cell) => ({
        cell,
        segment: 1,
        stratum: '',
        metrics: arms.map((arm, metric) => arm.stored(this.metrics[metric]?.x ?? 'nothing')),
      })),
      population: this.arms.map((arms, cell) => ({ cell, segment: 1, kind: 'counted', units: arms[0]?.units ?? 0 })),
      lateExposures: 0,
      crossedLate: 0,
    };
  }
}

const inRun = (definition: Concluding['definition'], run: number): Concluding['definition'] => {
  const { state, experiment } = definition;
  if (state === null) throw new Error('what is ramped has started');
  const ramp = { rollout: 'ramp', run, stage: 'stage', stageStartedAtUs: STARTED_AT_US, policy: experiment.policy };
  return { ...definition, state: { ...state, ramp } };
};

export const hasAlarmed = ({ conclusion }: Comparison): boolean => conclusion?.latched.some(({ test }) => test !== 'go') === true;
export const isGo = ({ conclusion }: Comparison): boolean => conclusion?.verdict.verdict === 'go';
/** After an alarm a ramp never goes on, whatever later looks say: harm rolls back, a broken ratio holds. */
export const forgetsAnAlarm = (comparison: Comparison): boolean =>
  hasAlarmed(comparison) && ['advance', 'stay'].includes(comparison.conclusion?.actions.ramp ?? 'stay');
