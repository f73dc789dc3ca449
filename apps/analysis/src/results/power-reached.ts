/** Would an effect worth finding have been found by now, and if not, what is missing? Beside the figures; no part of any verdict. */
import type { Comparison, MetricResult, PowerReached, Refusal } from '@rampart/contracts';
import type { ErrorBudget } from '@rampart/domain';
import { forecastRuntime, LONGEST_FORECAST_DAYS, normal, QUANTILE_SEQUENCE_WIDENING } from '@rampart/statistics';
import { type DefinitionInForce, type MetricInUse, planInForceOf } from '../definitions/definition-in-force.js';
import { anytimeTuning, oneSidedMultiplier, spreadOf } from '../figures/anytime.js';
import { decidingComparisons } from '../figures/corrected-for-many.js';

/** Newly counted units of each arm, a complete day each, oldest first. */
export type Pace = readonly Readonly<Record<string, number>>[];

const DAY_US = 86_400_000_000;

/** @returns the results, with the power reached by what decides in each judged metric; a Bayesian plan has losses and no power */
export const withPowerReached = (results: readonly MetricResult[], definition: DefinitionInForce, pace: Pace): readonly MetricResult[] => {
  const inForce = planInForceOf(definition);
  if (inForce === null || inForce.method === 'bayesian') return results;
  const plannedPower = inForce.powerOfEach ?? 1 - definition.experiment.plan.beta;
  return results.map((result, index) => {
    const metric = definition.metrics[index];
    const test = metric === undefined ? undefined : testOf(metric, inForce.levels);
    if (metric === undefined || test === undefined) return result;
    const deciding = decidingComparisons(result);
    const bounds = inForce.looks.at(-1);
    const lastBound = (test.isMargin ? bounds?.nonInferiority : bounds?.superiority) ?? undefined;
    return {
      ...result,
      comparisons: result.comparisons.map((one, at) => ({
        ...one,
        powerReached: reached(deciding[at] ?? one, { definition, metric, result, level: test.level, lastBound, plannedPower, pace }),
      })),
    };
  });
};

/** What a go asks of the metric: a gain, or a kept margin; of what is only watched, that harm would show. */
const testOf = ({ use }: MetricInUse, levels: ErrorBudget): { readonly level: number; readonly isMargin: boolean } | undefined => {
  if (use.role === 'secondary') return undefined;
  if (use.role === 'success') return { level: levels.superiority, isMargin: false };
  return use.margin === undefined ? { level: levels.harm, isMargin: false } : { level: levels.nonInferiority, isMargin: true };
};

interface Asked {
  readonly definition: DefinitionInForce;
  readonly metric: MetricInUse;
  readonly result: MetricResult;
  /** One-sided. */
  readonly level: number;
  /** Of a plan of several looks: that of its last one. */
  readonly lastBound: number | undefined;
  readonly plannedPower: number;
  readonly pace: Pace;
}

const reached = (one: Comparison, asked: Asked): PowerReached | Refusal => {
  const { absolute, anytime } = one;
  if ('refused' in absolute) return absolute;
  const { metric, result, plannedPower, pace } = asked;
  const arms = result.cuped !== null && !('refused' in result.cuped) ? result.cuped.arms : result.arms;
  const units = arms.filter(({ arm }) => arm === one.control || arm === one.treatment).reduce((sum, { n }) => sum + n, 0);
  const controlMean = result.arms.find(({ arm }) => arm === one.control)?.mean ?? 0;
  const at = (times: number) => {
    const se = (absolute.se * (anytime?.widening ?? 1)) / Math.sqrt(times);
    return { se, critical: criticalAt(asked, se, units * times) };
  };
  const powerAt = (effect: number, times: number) => {
    const { se, critical } = at(times);
    return normal.sf(critical - effect / se);
  };
  const now = at(1);
  const detectable = now.se * (now.critical + normal.quantile(plannedPower));
  const effect = worthFinding(metric, controlMean);
  const further = effect === null ? null : furtherTimes((times) => powerAt(effect, times), plannedPower);
  const furtherUnits = further === null ? null : Math.ceil(further * units);
  return {
    minimumEffect: effect,
    power: effect === null ? null : powerAt(effect, 1),
    detectable: { absolute: detectable, relative: controlMean === 0 ? null : detectable / Math.abs(controlMean) },
    plannedPower,
    units,
    furtherUnits,
    furtherDays: further === null ? null : daysFor(further, units, one, { metric, pace }),
  };
};

/** In the metric's unit; a margin that must be shown to be kept is one, where nothing else is named. */
const worthFinding = ({ use: { minimumEffect, margin } }: MetricInUse, controlMean: number): number | null => {
  const named = minimumEffect ?? margin;
  if (named === undefined) return null;
  if ('absolute' in named) return named.absolute;
  return controlMean === 0 ? null : named.relative * Math.abs(controlMean);
};

/** The statistic that shows it, with so many units: of a plan of several looks, at its last one. */
const criticalAt = ({ definition, metric, level, lastBound }: Asked, se: number, n: number): number => {
  if (lastBound !== undefined) return lastBound;
  const tuning = anytimeTuning(definition);
  if (tuning === null) return normal.isf(level);
  const { tau } = metric.use;
  const shape = tuning.isMixture && tau !== undefined ? { spread: spreadOf(tau, se) } : {};
  const widening = metric.definition.type === 'quantile' ? QUANTILE_SEQUENCE_WIDENING : 1;
  return widening * oneSidedMultiplier({ level, n, tightestAtUnits: tuning.tightestAtUnits, ...shape });
};

const MOST_TIMES = 2 ** 27;

/** How many times the units there are must come besides; null beyond every plan. Crossings before the end are left out: it takes no longer than that. */
const furtherTimes = (powerAt: (times: number) => number, wanted: number): number | null => {
  if (powerAt(1) >= wanted) return 0;
  let high = 2;
  while (powerAt(high) < wanted) {
    high *= 2;
    if (high > MOST_TIMES) return null;
  }
  let low = high / 2;
  for (let halving = 0; halving < 40; halving++) {
    const middle = (low + high) / 2;
    if (powerAt(middle) < wanted) low = middle;
    else high = middle;
  }
  return high - 1;
};

const daysFor = (
  further: number,
  units: number,
  { control, treatment }: Comparison,
  { metric, pace }: Pick<Asked, 'metric' | 'pace'>,
): number | null => {
  const windowDays = Math.ceil((metric.definition.delayUs + (metric.definition.windowUs ?? 0)) / DAY_US);
  const dailyPairUnits = pace.map((day) => (day[control] ?? 0) + (day[treatment] ?? 0));
  const forecast = forecastRuntime({ pairUnitsNow: units, scalingFactor: further, dailyPairUnits, windowDays });
  if (further === 0) return 0;
  return forecast.kind === 'unknown' ? null : Math.min(forecast.days, LONGEST_FORECAST_DAYS);
};

const MOST_DAYS = 7;

/** From what was counted at each day's end; nothing before a day is over. @param countedAt  by arm, as far as anybody recorded it by then */
export const paceOf = (
  countedAt: (atUs: number) => Readonly<Record<string, number>>,
  { startedAtUs, knownUntilUs }: { readonly startedAtUs: number; readonly knownUntilUs: number },
): Pace => {
  const days = Math.max(0, Math.min(MOST_DAYS, Math.floor((knownUntilUs - startedAtUs) / DAY_US)));
  const counts = Array.from({ length: days + 1 }, (_, back) => countedAt(knownUntilUs - (days - back) * DAY_US));
  return counts.slice(1).map((after, index) => {
    const before = counts[index] ?? {};
    return Object.fromEntries(Object.entries(after).map(([arm, units]) => [arm, Math.max(0, units - (before[arm] ?? 0))]));
  });
};
