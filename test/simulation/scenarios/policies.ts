/** The whole decision, not a test: several metrics of the same units, sample ratio, budget, latches and policy, as live comparisons are judged. */
import { decisionBudget, sampleSize, sequentialPlan } from '@rampart/statistics';
import { hundredths } from '../arm.js';
import { Comparison, definitionOf, forgetsAnAlarm, hasAlarmed, isGo, type SimulatedMetric, type UnitValues } from '../comparison.js';
import type { Random } from '../random.js';
import { atLeast, atMost, type Line, never, type Scenario, scenario, shown } from '../scenario.js';

const ALPHA = 0.05;
const ALPHA_MINUS = 0.05;
const BETA = 0.2;

/** One success metric with a covariate, two guardrails with margins (one of them a ratio), one for first errors. */
const SHIP_METRICS: readonly SimulatedMetric[] = [
  {
    metric: { key: 'spend', type: 'mean', covariate: { lookbackUs: 1_209_600_000_000 } },
    use: { role: 'success' },
    x: 'covariate',
  },
  { metric: { key: 'converted', type: 'proportion' }, use: { role: 'guardrail', margin: { relative: 0.1 } }, x: 'nothing' },
  {
    metric: {
      key: 'wait',
      type: 'ratio',
      denominator: { event: 'request', filters: [] },
      denominatorAggregate: 'sum',
      direction: 'decrease',
    },
    use: { role: 'guardrail', margin: { relative: 0.1 } },
    x: 'denominator',
  },
  { metric: { key: 'crash', type: 'first-error', direction: 'decrease' }, use: { role: 'guardrail' }, x: 'nothing' },
];

interface Effects {
  readonly spend: number;
  readonly conversion: number;
  readonly wait: number;
}

const NOTHING: Effects = { spend: 0, conversion: 1, wait: 1 };

/** All metrics of a unit follow one disposition, so that they rise, fall and alarm together. */
const unitValues = (random: Random, { spend, conversion, wait }: Effects): UnitValues => {
  const disposition = random.normal();
  const before = 0.7 * disposition + 0.7 * random.normal();
  const requests = 1 + random.poisson(4);
  const slowness = wait * 0.2 * Math.exp(0.4 * random.normal() - 0.2 * disposition);
  return [
    [hundredths(20 + spend + 3 * disposition + 2 * random.normal()), hundredths(20 + 4 * before)],
    random.happens(conversion * (disposition > 0 ? 0.4 : 0.2)) ? 100 : 0,
    [hundredths(requests * slowness), requests * 100],
    random.happens(disposition < -1 ? 0.05 : 0.005) ? 100 : 0,
  ];
};

const LOOKS = 100;

const shipPlan = (plannedUnits: number) => ({ alpha: ALPHA, alphaMinus: ALPHA_MINUS, beta: BETA, plannedUnits, minimumRunUs: 0 });

/** Definitions are parsed once, as a service does. */
const once = <Key, Value>(make: (key: Key) => Value): ((key: Key) => Value) => {
  const made = new Map<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
};

const shipDefinition = once((plannedUnits: number) => definitionOf(SHIP_METRICS, { policy: 'ship', plan: shipPlan(plannedUnits) }));

function* shipping(random: Random, effects: Effects, plannedUnits: number): Generator<Comparison> {
  const comparison = new Comparison(shipDefinition(plannedUnits), SHIP_METRICS);
  const perLook = Math.ceil(plannedUnits / LOOKS);
  for (let look = 0; look < LOOKS; look++) {
    for (let unit = 0; unit < perLook; unit++) {
      const isTreatment = random.happens(0.5);
      comparison.add(isTreatment, unitValues(random, isTreatment ? effects : NOTHING));
    }
    comparison.look();
    yield comparison;
  }
}

const ships = { looks: LOOKS, runs: { default: 400, long: 10_000 }, msPerRun: 110 };
const PLANNED_UNITS = 20_000;

const shipNothing = scenario<Comparison>({
  ...ships,
  name: 'ship',
  title:
    'whole policy, A/A: S = 1 (CUPED), G = 2 (a proportion, a ratio), D = 1 (first errors), sample ratio; correlated metrics, 20,000 units',
  unfold: (random) => shipping(random, NOTHING, PLANNED_UNITS),
  lines: [
    { method: 'wrong ship: a go at any look', claim: atMost(ALPHA), alarms: isGo },
    { method: 'false alarm: harm or sample ratio, all tests together', claim: atMost(ALPHA_MINUS), alarms: hasAlarmed },
    { method: 'an alarm that is forgotten at a later look', claim: never, alarms: forgetsAnAlarm },
  ],
});

const shipAtMargin = scenario<Comparison>({
  ...ships,
  name: 'ship-at-margin',
  title: 'whole policy, spend clearly better, conversion worse by exactly its margin of 10 %',
  unfold: (random) => shipping(random, { spend: 0.5, conversion: 0.9, wait: 1 }, PLANNED_UNITS),
  lines: [
    { method: 'wrong ship: a go at any look', claim: atMost(ALPHA), alarms: isGo },
    { method: 'stopped for harm, which it is', claim: shown, alarms: hasAlarmed },
  ],
});

/** Planned as the documents say: β* for each test, the largest of the plans; the success metric has its effect, the guardrails are as before. */
const planned = (() => {
  const { powerEach } = decisionBudget({
    success: 1,
    guardrail: 2,
    deterioration: 1,
    quality: 1,
    alpha: ALPHA,
    beta: BETA,
    alphaMinus: ALPHA_MINUS,
  });
  const power = powerEach ?? 0.95;
  const EFFECT = 0.4;
  // Variance of spend given the covariate; of a 30 % conversion against a tenth of it.
  const spend = { minimumEffect: EFFECT, varianceControl: 9.2 };
  const conversion = { minimumEffect: 0.03, varianceControl: 0.21 };
  const units = [spend, conversion].map((test) => {
    const about = { alpha: ALPHA, power, sides: 'one-sided' as const };
    return sequentialPlan(sampleSize({ ...test, ...about }), about).maximumUnits;
  });
  return { effect: EFFECT, units: Math.max(...units) };
})();

const shipWin = scenario<Comparison>({
  ...ships,
  msPerRun: 60,
  name: 'ship-power',
  title: `whole policy, spend better by the planned effect, guardrails unharmed, at most ${planned.units.toLocaleString('en-US')} units as planned`,
  unfold: (random) => shipping(random, { ...NOTHING, spend: planned.effect }, planned.units),
  lines: [
    { method: 'a go by the end of the plan', claim: atLeast(1 - BETA), alarms: isGo },
    { method: 'false alarm', claim: atMost(ALPHA_MINUS), alarms: hasAlarmed },
  ],
});

/** Four guardrails without margins: what a ramp watches. */
const STAGE_METRICS: readonly SimulatedMetric[] = [
  { metric: { key: 'crash', type: 'first-error', direction: 'decrease' }, use: { role: 'guardrail' }, x: 'nothing' },
  { metric: { key: 'converted', type: 'proportion' }, use: { role: 'guardrail' }, x: 'nothing' },
  { metric: { key: 'latency', type: 'mean', direction: 'decrease' }, use: { role: 'guardrail' }, x: 'nothing' },
  { metric: { key: 'revenue', type: 'mean' }, use: { role: 'guardrail' }, x: 'nothing' },
];

interface Harm {
  readonly crash: number;
  readonly latency: number;
}

const HARMLESS: Harm = { crash: 1, latency: 1 };

const stageValues = (random: Random, { crash, latency }: Harm): UnitValues => {
  const disposition = random.normal();
  const isBuyer = random.happens(disposition > 0 ? 0.3 : 0.1);
  return [
    random.happens(crash * 0.01) ? 100 : 0,
    isBuyer ? 100 : 0,
    hundredths(latency * random.exponential(2)),
    isBuyer ? hundredths(20 * Math.exp(random.normal() + 0.3 * disposition)) : 0,
  ];
};

/** Units a look in each stage of a ramp to 1, 10, 50 and 100 per cent; the split stays half and half. */
const STAGES = [4, 40, 200, 400];
const LOOKS_PER_STAGE = 20;

const stageDefinition = once((treatmentShare: number) => {
  const weights = [Math.round((1 - treatmentShare) * 100), Math.round(treatmentShare * 100)] as const;
  const plan = { alphaMinus: ALPHA_MINUS, minimumRunUs: 0, plannedUnits: 12_000 };
  return definitionOf(STAGE_METRICS, { policy: 'stage', plan }, weights);
});

function* ramping(random: Random, harm: Harm, run: number, treatmentShare: number): Generator<Comparison> {
  const comparison = new Comparison(stageDefinition(treatmentShare), STAGE_METRICS, run);
  for (const units of STAGES)
    for (let look = 0; look < LOOKS_PER_STAGE; look++) {
      for (let unit = 0; unit < units; unit++) {
        const isTreatment = random.happens(treatmentShare);
        comparison.add(isTreatment, stageValues(random, isTreatment ? harm : HARMLESS));
      }
      comparison.look();
      yield comparison;
    }
}

/** A rollout and what follows a roll back: the same change once more, as run 2, then as run 3. */
interface Rollout {
  readonly units: number;
  readonly run: number;
  readonly comparison: Comparison;
}

function* rollout(random: Random): Generator<Rollout> {
  let units = 0;
  for (let run = 1; run <= 3; run++) {
    let last = units;
    for (const comparison of ramping(random, HARMLESS, run, 0.5)) {
      last = units + comparison.units;
      yield { units: last, run, comparison };
    }
    units = last;
  }
}

const inRun =
  (run: number): Line<Rollout>['alarms'] =>
  (at) =>
    at.run === run && hasAlarmed(at.comparison);

const rollouts = scenario<Rollout>({
  name: 'rollout',
  title: 'policy stage, A/A: a ramp of four stages, four guardrails and the sample ratio, 80 looks; three runs, each the whole ramp',
  looks: 3 * STAGES.length * LOOKS_PER_STAGE,
  runs: { default: 400, long: 10_000 },
  msPerRun: 250,
  unfold: rollout,
  lines: [
    { method: 'false roll back or hold in any of three runs', claim: atMost(ALPHA_MINUS), alarms: (at) => hasAlarmed(at.comparison) },
    { method: 'of these in run 1, which has half of α₋', claim: atMost(ALPHA_MINUS / 2), alarms: inRun(1) },
    { method: 'of these in run 2, which has a quarter', claim: atMost(ALPHA_MINUS / 4), alarms: inRun(2) },
    { method: 'of these in run 3, which has an eighth', claim: atMost(ALPHA_MINUS / 8), alarms: inRun(3) },
    { method: 'an alarm that is forgotten at a later look', claim: never, alarms: (at) => forgetsAnAlarm(at.comparison) },
  ],
});

const canary = scenario<Comparison>({
  name: 'rollout-canary',
  title: 'policy stage, A/A: the same ramp once, with weights 95:5 and a skewed revenue among the guardrails',
  looks: STAGES.length * LOOKS_PER_STAGE,
  runs: { default: 400, long: 5_000 },
  msPerRun: 80,
  unfold: (random) => ramping(random, HARMLESS, 1, 0.05),
  lines: [{ method: 'false roll back or hold in run 1', claim: atMost(ALPHA_MINUS / 2), alarms: hasAlarmed }],
});

const harmful = (name: string, title: string, harm: Harm): Scenario =>
  scenario<Comparison>({
    name,
    title: `policy stage: ${title}`,
    looks: STAGES.length * LOOKS_PER_STAGE,
    runs: { default: 200, long: 1_000 },
    msPerRun: 15,
    unfold: (random) => ramping(random, harm, 1, 0.5),
    lines: [{ method: 'rolled back within the ramp', claim: shown, alarms: hasAlarmed }],
  });

export const policies: readonly Scenario[] = [
  shipNothing,
  shipAtMargin,
  shipWin,
  rollouts,
  canary,
  harmful('rollout-slow', 'latency worse by 10 %', { crash: 1, latency: 1.1 }),
  harmful('rollout-slower', 'latency worse by 30 %', { crash: 1, latency: 1.3 }),
  harmful('rollout-crash', '1 % of units crash, 3 % in the treatment', { crash: 3, latency: 1 }),
];
