/** From what is expected to what it takes: pure, over the library's own formulas. */
import type { PlannedUnits, PowerPlan, PowerQuestion } from '@rampart/contracts';
import { InvalidRequest } from '@rampart/service-kit';
import {
  liftedRateVariance,
  normal,
  powerOfEffect,
  type SampleSizePlan,
  sampleSize,
  sequenceMultiplier,
  sequentialPlan,
} from '@rampart/statistics';

interface Expected {
  /** In the metric's unit. */
  readonly effect: number;
  readonly mean: number;
  readonly control: number;
  readonly treatment: number;
}

const CURVE_POINTS = 20;

/** @throws InvalidRequest for an effect that such a metric can't have */
export const powerPlan = (question: PowerQuestion): PowerPlan => {
  const { alpha, power, sides, method, treatments, successMetrics, controlPerTreatment } = question;
  const expected = expectedOf(question);
  const alphaOfOne = alpha / (treatments * successMetrics);
  const asked: SampleSizePlan = {
    ...{ minimumEffect: expected.effect, varianceControl: expected.control, varianceTreatment: expected.treatment },
    ...{ alpha: alphaOfOne, power, sides, controlPerTreatment },
  };
  const pair = sampleSize(asked);
  const fixed = allArms(pair.control, pair.treatment, treatments);
  const watched = method === 'sequential' ? sequentialPlan(pair, asked) : null;
  const inflation = watched === null ? 1 : watched.maximumUnits / pair.total;
  const most = Math.ceil(fixed.total * inflation);
  const judge: Judge = {
    ...expected,
    alpha: alphaOfOne,
    sides,
    shareOfControl: pair.control / fixed.total,
    shareOfTreatment: pair.treatment / fixed.total,
  };
  const tightestAtUnits = watched?.tightestAtUnits ?? null;
  const powerAt = (units: number) => powerWith(judge, units, tightestAtUnits);
  const days = question.unitsPerDay === undefined ? null : Math.ceil(most / question.unitsPerDay);
  return {
    method,
    alphaOfOne,
    fixed,
    sequential: watched === null ? null : { maximumUnits: most, inflation },
    plannedUnits: watched?.maximumUnits ?? null,
    days,
    withUnits: question.units === undefined ? null : foundWith(judge, question.units, { tightestAtUnits, power }),
    curve: Array.from({ length: CURVE_POINTS }, (_, at) => Math.ceil((most * (at + 1)) / CURVE_POINTS)).map((units) => ({
      units,
      power: powerAt(units),
    })),
    sentence: sentenceOf(question, { fixed, most, days }),
  };
};

const expectedOf = ({ metric, minimumEffect, correlation }: PowerQuestion): Expected => {
  const kept = 1 - correlation ** 2;
  const mean = 'rate' in metric ? metric.rate : metric.mean;
  if ('relative' in minimumEffect && mean === 0)
    throw refused('/minimumEffect/relative', 'is a share of control’s mean, which is 0: name an absolute effect');
  const effect = 'relative' in minimumEffect ? mean * minimumEffect.relative : minimumEffect.absolute;
  if (!('rate' in metric)) return { effect, mean, control: metric.sd ** 2 * kept, treatment: metric.sd ** 2 * kept };
  const treated = mean + effect;
  if (!(treated > 0 && treated < 1))
    throw refused('/minimumEffect', `takes the rate from ${mean} to ${treated}, which is none: name a smaller one`);
  return { effect, mean, control: mean * (1 - mean) * kept, treatment: liftedRateVariance(mean, effect / mean) * kept };
};

const allArms = (control: number, treatment: number, treatments: number): PlannedUnits => ({
  ...{ control, treatment, total: control + treatment * treatments },
});

interface Judge extends Expected {
  readonly alpha: number;
  readonly sides: PowerQuestion['sides'];
  /** Of all arms' units. */
  readonly shareOfControl: number;
  readonly shareOfTreatment: number;
}

const standardError = ({ control, treatment, shareOfControl, shareOfTreatment }: Judge, units: number): number =>
  Math.sqrt(control / (units * shareOfControl) + treatment / (units * shareOfTreatment));

/** What the estimate must exceed, in standard errors. One side at α is two at 2α. */
const bound = ({ alpha, sides, shareOfControl, shareOfTreatment }: Judge, units: number, tightestAtUnits: number | null): number => {
  if (tightestAtUnits === null) return normal.isf(sides === 'two-sided' ? alpha / 2 : alpha);
  const pair = Math.max(2, Math.round(units * (shareOfControl + shareOfTreatment)));
  return sequenceMultiplier(pair, { alpha: sides === 'two-sided' ? alpha : Math.min(2 * alpha, 0.98), tightestAtUnits });
};

const powerWith = (judge: Judge, units: number, tightestAtUnits: number | null): number => {
  const se = standardError(judge, units);
  if (tightestAtUnits === null && judge.sides === 'two-sided') return powerOfEffect(judge.effect, se, judge.alpha);
  const shift = Math.abs(judge.effect) / se;
  const b = bound(judge, units, tightestAtUnits);
  return judge.sides === 'two-sided' ? normal.sf(b - shift) + normal.sf(b + shift) : normal.sf(b - shift);
};

const foundWith = (judge: Judge, units: number, { tightestAtUnits, power }: { tightestAtUnits: number | null; power: number }) => {
  const absolute = standardError(judge, units) * (bound(judge, units, tightestAtUnits) + normal.quantile(power));
  return {
    units,
    power: powerWith(judge, units, tightestAtUnits),
    minimumEffect: { relative: judge.mean === 0 ? null : absolute / Math.abs(judge.mean), absolute },
  };
};

const sentenceOf = (question: PowerQuestion, { fixed, most, days }: { fixed: PlannedUnits; most: number; days: number | null }): string => {
  const { method, minimumEffect, power, treatments } = question;
  const effect = 'relative' in minimumEffect ? `${percent(minimumEffect.relative)} of control’s mean` : `${minimumEffect.absolute}`;
  const arms = treatments === 1 ? '' : ` in ${treatments + 1} arms`;
  const last = days === null ? '' : `: ${days} ${days === 1 ? 'day' : 'days'} at ${question.unitsPerDay} units a day`;
  const units =
    method === 'sequential'
      ? `at most ${most} units${arms}, watched continuously; one look would take ${fixed.total}`
      : `${fixed.total} units${arms} at one look`;
  return `To find an effect of ${effect} with a chance of ${percent(power)} takes ${units}${last}.`;
};

const percent = (share: number): string => `${Number((share * 100).toPrecision(4))} %`;
const refused = (path: string, message: string) => new InvalidRequest([{ code: 'invalid', path, message }]);
