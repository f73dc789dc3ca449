/** What the planner promises of each method, against the decisions: units as planned, looks as planned, and a go counted as found. */
import { powerPlan } from '@rampart/analysis/planning';
import { type ExperimentInput, type PowerRequest, powerQuestion } from '@rampart/contracts';
import { hundredths } from '../arm.js';
import { Comparison, definitionOf, isGo, momentOf, type SimulatedMetric, type UnitValues } from '../comparison.js';
import type { Random } from '../random.js';
import { about, type Scenario, scenario } from '../scenario.js';

type Plan = NonNullable<ExperimentInput['plan']>;

const [MEAN, SD, LIFT] = [20, 5, 0.02];
const POWER = 0.8;
/** Decisions have one side. */
const ASKED = { minimumEffect: { relative: LIFT }, sides: 'one-sided', power: POWER } as const;
const SPEND: PowerRequest['metric'] = { mean: MEAN, sd: SD };

interface Planned {
  readonly name: string;
  readonly title: string;
  readonly question: Omit<PowerRequest, 'minimumEffect' | 'sides' | 'power'>;
  readonly looks: number;
  readonly metric: SimulatedMetric;
  readonly plan: (units: number) => Plan;
  readonly values: (random: Random, isTreatment: boolean) => UnitValues;
}

const mean = (random: Random, isTreatment: boolean): UnitValues => [hundredths(MEAN * (isTreatment ? 1 + LIFT : 1) + SD * random.normal())];
const spend: SimulatedMetric = { metric: { key: 'spend', type: 'mean' }, use: { role: 'success' }, x: 'nothing' };

const CORRELATION = 0.8;
/** What was spent before knows four fifths of what is spent. */
const adjusted = (random: Random, isTreatment: boolean): UnitValues => {
  const before = random.normal();
  const now = CORRELATION * before + Math.sqrt(1 - CORRELATION ** 2) * random.normal();
  return [[hundredths(MEAN * (isTreatment ? 1 + LIFT : 1) + SD * now), hundredths(MEAN + SD * before)]];
};

const DENOMINATOR = { mean: 5, sd: 1 };
const NUMERATOR_NOISE = 4;
/** Value per visit: visits vary, and the value with them. */
const perVisit = (random: Random, isTreatment: boolean): UnitValues => {
  const visits = DENOMINATOR.mean + DENOMINATOR.sd * random.normal();
  return [[hundredths(4 * (isTreatment ? 1 + LIFT : 1) * visits + NUMERATOR_NOISE * random.normal()), hundredths(visits)]];
};
const NUMERATOR_SD = Math.hypot(4 * DENOMINATOR.sd, NUMERATOR_NOISE);

const planned: readonly Planned[] = [
  {
    ...{ name: 'planned-sequential', title: 'sequential, 50 looks', question: { metric: SPEND, method: 'sequential' }, looks: 50 },
    ...{ metric: spend, values: mean, plan: (plannedUnits) => ({ plannedUnits }) },
  },
  {
    ...{ name: 'planned-msprt', title: 'msprt, τ = 2 % of the mean, 50 looks', looks: 50, values: mean },
    question: { metric: SPEND, method: 'msprt', tau: 0.4 },
    metric: { ...spend, use: { role: 'success', tau: 0.4 } },
    plan: (plannedUnits) => ({ method: 'msprt', plannedUnits }),
  },
  {
    ...{ name: 'planned-looks', title: 'group-sequential, O’Brien–Fleming, five looks', looks: 5, metric: spend, values: mean },
    question: { metric: SPEND, method: 'group-sequential' },
    plan: (plannedUnits) => ({ method: 'group-sequential', plannedUnits, looks: { atUs: [1, 2, 3, 4, 5].map(momentOf) } }),
  },
  {
    ...{ name: 'planned-bayesian', title: 'bayesian, prior N(0, 2 %), 50 looks', looks: 50, metric: spend, values: mean },
    question: { metric: SPEND, method: 'bayesian', bayesian: { prior: { mean: 0, sd: 0.02 }, minimumUnits: 200, expectedLoss: 0.001 } },
    plan: (plannedUnits) => ({
      ...{ method: 'bayesian', plannedUnits },
      bayesian: { prior: { mean: 0, sd: 0.02 }, minimumUnits: 200, expectedLoss: 0.001 },
    }),
  },
  {
    ...{ name: 'planned-covariate', title: 'sequential with a covariate (correlation 0.8), 50 looks', looks: 50, values: adjusted },
    question: { metric: SPEND, method: 'sequential', correlation: CORRELATION },
    metric: {
      metric: { key: 'spend', type: 'mean', covariate: { lookbackUs: 1_209_600_000_000 } },
      use: { role: 'success' },
      x: 'covariate',
    },
    plan: (plannedUnits) => ({ plannedUnits }),
  },
  {
    ...{ name: 'planned-ratio', title: 'sequential, a ratio, 50 looks', looks: 50, values: perVisit },
    question: {
      metric: {
        ratio: {
          numerator: { mean: 4 * DENOMINATOR.mean, sd: NUMERATOR_SD },
          denominator: DENOMINATOR,
          correlation: (4 * DENOMINATOR.sd) / NUMERATOR_SD,
        },
      },
      method: 'sequential',
    },
    metric: {
      ...{ metric: { key: 'spend', type: 'ratio', denominator: { event: 'visit' } }, use: { role: 'success' }, x: 'denominator' },
    },
    plan: (plannedUnits) => ({ plannedUnits }),
  },
];

const underPlan = ({ name, title, question, looks, metric, plan, values }: Planned): Scenario => {
  const { plannedUnits } = powerPlan(powerQuestion.parse({ ...ASKED, ...question, looks }));
  if (plannedUnits === null) throw new RangeError(`${name} has one look`);
  const perLook = Math.ceil(plannedUnits / looks);
  const definition = definitionOf([metric], { policy: 'ship', plan: { minimumRunUs: 0, ...plan(perLook * looks) } });
  return scenario<Comparison>({
    name,
    title: `${title}: planned for a gain of 2 % with 80 %, at most ${(perLook * looks).toLocaleString('en-US')} units`,
    looks,
    runs: { default: 1_500, long: 6_000 },
    msPerRun: 12,
    unfold: function* (random) {
      const comparison = new Comparison(definition, [metric]);
      for (let look = 0; look < looks; look++) {
        for (let unit = 0; unit < perLook; unit++) {
          const isTreatment = random.happens(0.5);
          comparison.add(isTreatment, values(random, isTreatment));
        }
        comparison.look();
        yield comparison;
      }
    },
    lines: [{ method: 'policy ship: a go', claim: about(POWER, 0.02), alarms: isGo }],
  });
};

export const planner: readonly Scenario[] = planned.map(underPlan);
