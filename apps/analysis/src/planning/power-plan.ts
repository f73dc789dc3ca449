/** From what is expected to what it takes, for every method that a plan can name: pure, over the library's own boundaries. */
import type { HistoryQuestion, PlannedUnits, PowerPlan, PowerQuestion } from '@rampart/contracts';
import { type BoundaryCrossing, boundaryCrossing, findRoot, normal, type SampleSizePlan, sampleSize } from '@rampart/statistics';
import { type ExpectedMetric, expectedMetric } from './expected-metric.js';
import { planRefused } from './plan-refused.js';
import { driftAt, looksOf, type PlannedComparison, plannedBoundary, relativeError, standardError } from './planned-boundary.js';

type Question = Omit<HistoryQuestion, 'metric' | 'adjusted'>;

const CURVE_POINTS = 20;
const MOST_UNITS = 1e12;
const MOST_LOG_UNITS = Math.log(MOST_UNITS);
/** Of the logarithm of units. */
const NEAR_ENOUGH = 1e-5;

/** @throws DomainError invalid-request for an effect that such a metric can't have, or that such a plan never finds */
export const powerPlan = (question: PowerQuestion): PowerPlan => planFor(question, expectedMetric(question));

/** @throws DomainError as `powerPlan` */
export const planFor = (question: Question, expected: ExpectedMetric): PowerPlan => {
  const { alpha, power, sides, method, treatments, successMetrics, controlPerTreatment } = question;
  if (method === 'bayesian' && expected.mean === 0)
    throw planRefused('/metric', 'has a mean of 0, and a prior is about shares of control’s mean: choose another method');
  requireCountable(question, expected);
  const alphaOfOne = alpha / (treatments * successMetrics);
  const asked: SampleSizePlan = {
    ...{ minimumEffect: expected.effect, varianceControl: expected.control, varianceTreatment: expected.treatment },
    ...{ alpha: alphaOfOne, power, sides: method === 'bayesian' ? 'one-sided' : sides, controlPerTreatment },
  };
  const pair = sampleSize(asked);
  const fixed: PlannedUnits = { ...pair, total: pair.control + pair.treatment * treatments };
  const planned: PlannedComparison = {
    ...{ ...expected, question, alpha: alphaOfOne },
    shareOfControl: pair.control / fixed.total,
    shareOfTreatment: pair.treatment / fixed.total,
  };
  const crossings = new Crossings(planned);
  if (fixed.total > MOST_UNITS) throw planRefused('/minimumEffect', `takes ${fixed.total} units at one look: name a larger one`);
  const most = method === 'fixed-horizon' ? fixed.total : unitsFor(crossings, fixed.total, power);
  const isWatched = method !== 'fixed-horizon';
  const outcome = crossings.at(most);
  const shareOfPair = planned.shareOfControl + planned.shareOfTreatment;
  const days = question.unitsPerDay === undefined ? null : Math.ceil(most / question.unitsPerDay);
  return {
    method,
    alphaOfOne: method === 'bayesian' ? null : alphaOfOne,
    fixed,
    watched: isWatched
      ? {
          looks: looksOf(question),
          maximumUnits: most,
          inflation: most / fixed.total,
          averageUnits: Math.ceil(outcome.expectedInformation * most),
          averageUnitsWithoutEffect: Math.ceil(crossings.under(most, 0).expectedInformation * most),
        }
      : null,
    plannedUnits: isWatched ? Math.ceil(most * shareOfPair) : null,
    days,
    assurance: method === 'bayesian' ? assuranceOf(crossings, most) : null,
    withUnits: question.units === undefined ? null : foundWith(crossings, question.units, power),
    curve: curveOf(crossings, most, power),
    sentence: sentenceOf(question, { fixed, most, days }),
  };
};

/** Beyond these, nothing that is computed means anything: the units of a plan are whole numbers, and so many do not come. */
const [LEAST_SHARE, MOST_SHARE] = [1e-6, 1e4];

const requireCountable = ({ method, tau }: Question, { effect, mean, control, treatment }: ExpectedMetric): void => {
  const spread = Math.sqrt(Math.max(control, treatment));
  if (!(Number.isFinite(mean) && Math.min(control, treatment) > 0 && Number.isFinite(spread) && spread > 0))
    throw planRefused('/metric', `has a mean of ${mean} and a spread of ${spread} between units: name numbers that can be counted with`);
  const isBeside = (value: number) => value >= LEAST_SHARE * spread && value <= MOST_SHARE * spread;
  const range = `from ${LEAST_SHARE} to ${MOST_SHARE} times the spread between units, which is ${spread}`;
  if (!isBeside(Math.abs(effect))) throw planRefused('/minimumEffect', `is ${effect}, and must be ${range}`);
  if (method === 'msprt' && !isBeside(tau ?? 0)) throw planRefused('/tau', `is ${tau}, and must be ${range}`);
  // Effects that a prior expects are hundredths of the mean.
  if (method === 'bayesian' && !isBeside(Math.abs(mean) / 100))
    throw planRefused('/metric', `has a mean of ${mean} beside a spread of ${spread}: a prior on shares of that mean says nothing of it`);
};

/** Boundaries that were computed are kept: most methods have one, however many units there will be. */
class Crossings {
  private readonly known = new Map<string, ReturnType<typeof boundaryCrossing>>();

  constructor(readonly planned: PlannedComparison) {}

  /** With the effect that is planned for. @param units  of all arms, at the last look */
  at(units: number): BoundaryCrossing {
    return this.under(units, driftAt(this.planned, units));
  }

  under(units: number, drift: number): BoundaryCrossing {
    const { key, plan } = plannedBoundary(this.planned, units);
    const known = this.known.get(key) ?? boundaryCrossing(plan());
    this.known.set(key, known);
    return known(drift);
  }
}

/** The fewest with which the plan has its power. */
const unitsFor = (crossings: Crossings, fixedUnits: number, power: number): number => {
  const lacking = (logUnits: number): number => {
    const reached = crossings.at(Math.exp(logUnits)).power;
    return normal.quantile(Math.min(1 - 1e-12, Math.max(1e-12, reached))) - normal.quantile(power);
  };
  const one = Math.log(Math.max(4, fixedUnits));
  if (lacking(one) >= 0) {
    const fewest = Math.log(Math.max(4, fixedUnits / 8));
    return Math.ceil(Math.exp(lacking(fewest) >= 0 ? fewest : findRoot(lacking, fewest, one, NEAR_ENOUGH)));
  }
  // Most plans take up to twice the units of one look: each step is a boundary of its own.
  let [low, step] = [one, Math.LN2];
  let high = low + step;
  while (lacking(high) < 0) {
    if (high >= MOST_LOG_UNITS) throw planRefused('/minimumEffect', 'is found by no number of units with this plan: name a larger one');
    [low, step] = [high, 2 * step];
    high = Math.min(MOST_LOG_UNITS, low + step);
  }
  return Math.ceil(Math.exp(findRoot(lacking, low, high, NEAR_ENOUGH)));
};

const foundWith = (crossings: Crossings, units: number, power: number): NonNullable<PowerPlan['withUnits']> => {
  const reached = crossings.at(units).power;
  const drift = driftFor((tried) => crossings.under(units, tried).power - power);
  return { units, power: reached, minimumEffect: drift === null ? null : effectOf(crossings.planned, units, drift) };
};

const LARGEST_DRIFT = 60;

/** @param from  a drift that is too small, where one is known @returns null where none is large enough */
const driftFor = (lacking: (drift: number) => number, from = 0, tolerance = 1e-10): number | null => {
  if (lacking(from) >= 0) return from;
  let [low, high] = [from, Math.min(LARGEST_DRIFT, from === 0 ? LARGEST_DRIFT : 1.25 * from)];
  while (lacking(high) < 0) {
    if (high >= LARGEST_DRIFT) return null;
    [low, high] = [high, Math.min(LARGEST_DRIFT, 2 * high)];
  }
  return findRoot(lacking, low, high, tolerance);
};

/** What is so many standard errors with so many units. */
const effectOf = (planned: PlannedComparison, units: number, drift: number): { relative: number | null; absolute: number } => {
  const perOne =
    planned.question.method === 'bayesian' ? relativeError(planned, units) * Math.abs(planned.mean) : standardError(planned, units);
  const absolute = drift * perOne;
  return { relative: planned.mean === 0 ? null : absolute / Math.abs(planned.mean), absolute };
};

/** Simpson's rule over eight standard deviations of the prior. */
const assuranceOf = (crossings: Crossings, units: number): number | null => {
  const { question, effect, mean } = crossings.planned;
  const prior = question.bayesian?.prior;
  if (prior === undefined || prior === 'flat') return null;
  const [intervals, reach] = [200, 8];
  let [sum, weights] = [0, 0];
  for (let at = 0; at <= intervals; at++) {
    const z = reach * ((2 * at) / intervals - 1);
    const weight = normal.pdf(z) * (at === 0 || at === intervals ? 1 : at % 2 === 1 ? 4 : 2);
    const relative = Math.sign(effect) * prior.mean + z * prior.sd;
    const drift = Math.sign(relative) * driftAt(crossings.planned, units, relative * Math.abs(mean));
    sum += weight * crossings.under(units, drift).power;
    weights += weight;
  }
  return sum / weights;
};

/** With units of one look each, or from look to look of the plan as it is: what is found by then, and what would be with the power that was asked for. */
const curveOf = (crossings: Crossings, most: number, power: number): PowerPlan['curve'] => {
  const { planned } = crossings;
  const { powerByLook } = crossings.at(most);
  const looks = powerByLook.length;
  if (looks === 1) {
    const drift = driftFor((tried) => crossings.under(most, tried).power - power);
    return Array.from({ length: CURVE_POINTS }, (_, at) => Math.ceil((most * (at + 1)) / CURVE_POINTS)).map((units) => ({
      ...{ units, power: crossings.at(units).power },
      minimumEffect: drift === null ? null : effectOf(planned, units, drift),
    }));
  }
  const points = Math.min(looks, CURVE_POINTS);
  // Backwards: the sooner it is to be found, the larger an effect has to be.
  let drift: number | null = 0;
  return Array.from({ length: points }, (_, at) => Math.ceil((looks * (points - at)) / points))
    .map((look) => {
      drift = drift === null ? null : driftFor((tried) => (crossings.under(most, tried).powerByLook[look - 1] ?? 0) - power, drift, 1e-6);
      return {
        ...{ units: Math.ceil((most * look) / looks), power: powerByLook[look - 1] ?? 0 },
        minimumEffect: drift === null ? null : effectOf(planned, most, drift),
      };
    })
    .reverse();
};

const SAID: Readonly<Record<Exclude<Question['method'], 'fixed-horizon'>, (looks: number) => string>> = {
  sequential: () => 'watched continuously',
  msprt: () => 'watched continuously (msprt)',
  bayesian: () => 'watched continuously and judged by expected loss',
  'group-sequential': (looks) => `at ${looks} planned ${looks === 1 ? 'look' : 'looks'}`,
};

const sentenceOf = (question: Question, { fixed, most, days }: { fixed: PlannedUnits; most: number; days: number | null }): string => {
  const { method, minimumEffect, power, treatments } = question;
  const effect = 'relative' in minimumEffect ? `${percent(minimumEffect.relative)} of control’s mean` : `${minimumEffect.absolute}`;
  const arms = treatments === 1 ? '' : ` in ${treatments + 1} arms`;
  const last = days === null ? '' : `: ${days} ${days === 1 ? 'day' : 'days'} at ${question.unitsPerDay} units a day`;
  const units =
    method === 'fixed-horizon'
      ? `${fixed.total} units${arms} at one look`
      : `at most ${most} units${arms}, ${SAID[method](looksOf(question))}; one look would take ${fixed.total}`;
  return `To find an effect of ${effect} with a chance of ${percent(power)} takes ${units}${last}.`;
};

const percent = (share: number): string => `${Number((share * 100).toPrecision(4))} %`;
