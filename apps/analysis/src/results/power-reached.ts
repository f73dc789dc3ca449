/** Would an effect worth finding have been found by now, and if not, what is missing? Beside the figures; no part of any verdict. */
import type { Comparison, MetricResult, PowerReached, Refusal } from '@rampart/contracts';
import type { ErrorBudget } from '@rampart/domain';
import {
  FIRST_ERROR_CONCENTRATIONS,
  forecastRuntime,
  LONGEST_FORECAST_DAYS,
  normal,
  QUANTILE_SEQUENCE_WIDENING,
  srmSequential,
} from '@rampart/statistics';
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
    // Harm is watched at every look, whatever the plan's own looks are.
    const lastBound = test.of === 'harm' ? undefined : (inForce.looks.at(-1)?.[test.of] ?? undefined);
    return {
      ...result,
      comparisons: result.comparisons.map((one, at) => ({
        ...one,
        powerReached: reached(deciding[at] ?? one, { definition, metric, result, ...test, lastBound, plannedPower, pace }),
      })),
    };
  });
};

interface Test {
  readonly of: 'superiority' | 'nonInferiority' | 'harm';
  /** One-sided. */
  readonly level: number;
}

/** What a go asks of the metric: a gain, or a kept margin; of what is only watched, that harm would show. */
const testOf = ({ use }: MetricInUse, levels: ErrorBudget): Test | undefined => {
  if (use.role === 'secondary') return undefined;
  const of = use.role === 'success' ? 'superiority' : use.margin === undefined ? 'harm' : 'nonInferiority';
  return { of, level: levels[of] };
};

interface Asked extends Test {
  readonly definition: DefinitionInForce;
  readonly metric: MetricInUse;
  readonly result: MetricResult;
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
  const errors = asked.of === 'harm' ? (anytime?.firstError ?? null) : null;
  const at = (times: number): AtUnits | null => {
    if (errors !== null) return firstErrorsAt(one, errors, asked, times);
    const se = (absolute.se * (anytime?.widening ?? 1)) / Math.sqrt(times);
    return { se, critical: criticalAt(asked, se, units * times) };
  };
  const powerAt = (effect: number, times: number) => {
    const found = at(times);
    return found === null ? 0 : normal.sf(found.critical - effect / found.se);
  };
  const now = at(1);
  if (now === null) return tooFewErrors(errors, asked);
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

interface AtUnits {
  readonly se: number;
  /** The statistic that shows it. */
  readonly critical: number;
}

type FirstErrors = NonNullable<NonNullable<Comparison['anytime']>['firstError']>;

/** Of units with a first error the e-process decides: how far apart the arms' shares are where it alarms. Null: so few can't, wherever they fall. */
const firstErrorsAt = (
  { absolute, control, treatment }: Comparison,
  { expectedShare, ...seen }: FirstErrors,
  { result, level }: Pick<Asked, 'result' | 'level'>,
  times: number,
): AtUnits | null => {
  if ('refused' in absolute) return null;
  const unitsOf = (name: string) => times * (result.arms.find(({ arm }) => arm === name)?.n ?? 0);
  const erring = Math.round(times * (seen.control + seen.treatment));
  const isMoreWorse = result.direction === 'decrease';
  // The arm in which they are worse, and how many of them alarm there: E rises with them beyond the share by design.
  const share = isMoreWorse ? expectedShare : 1 - expectedShare;
  if (!alarms(erring, 0, share, level)) return null;
  let [low, high] = [Math.floor(erring * share), erring];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (alarms(middle, erring - middle, share, level)) high = middle;
    else low = middle;
  }
  const [worse, better] = isMoreWorse ? [treatment, control] : [control, treatment];
  const se = absolute.se / Math.sqrt(times);
  return { se, critical: (high / unitsOf(worse) - (erring - high) / unitsOf(better)) / se };
};

const alarms = (worse: number, better: number, share: number, level: number): boolean =>
  srmSequential([{ observed: [worse, better], weights: [share, 1 - share] }], FIRST_ERROR_CONCENTRATIONS).logE >= -Math.log(level);

/** All of them in the worse arm, and still no alarm. */
const tooFewErrors = (errors: FirstErrors | null, { result, level }: Pick<Asked, 'result' | 'level'>): Refusal => {
  const { control = 0, treatment = 0, expectedShare = 0.5 } = errors ?? {};
  const share = result.direction === 'decrease' ? expectedShare : 1 - expectedShare;
  let needed = control + treatment + 1;
  while (!alarms(needed, 0, share, level)) needed += 1;
  return { refused: 'NOT_ENOUGH_DATA', have: control + treatment, needed };
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
