/** The methods of a plan on the same units: what each promises, and what it costs to act on something else. */
import type { ExperimentInput } from '@rampart/contracts';
import { hundredths } from '../arm.js';
import { Comparison, definitionOf, isGo, momentOf, type SimulatedMetric, type UnitValues } from '../comparison.js';
import type { Random } from '../random.js';
import { above, atLeast, atMost, type Line, type Look, type Scenario, scenario, shown } from '../scenario.js';

type Plan = NonNullable<ExperimentInput['plan']>;

const LOOKS = 50;
const UNITS = 20_000;
const PER_LOOK = UNITS / LOOKS;
const [MEAN, SD] = [20, 5];

const spend = (key: string, use: SimulatedMetric['use'] = { role: 'success' }): SimulatedMetric => ({
  metric: { key, type: 'mean' },
  use,
  x: 'nothing',
});

/** Every fifth of the looks is planned. */
const PLANNED = Array.from({ length: LOOKS / 5 }, (_, index) => momentOf(5 * (index + 1)));
const BETWEEN = { minimumRunUs: 0, plannedUnits: UNITS };
const PRIOR_SD = 0.02;

const PLANS = {
  'group-sequential': { ...BETWEEN, method: 'group-sequential', looks: { atUs: PLANNED } },
  pocock: { ...BETWEEN, method: 'group-sequential', spending: 'pocock', looks: { atUs: PLANNED } },
  msprt: { ...BETWEEN, method: 'msprt' },
  bayesian: { ...BETWEEN, method: 'bayesian', bayesian: { prior: { mean: 0, sd: PRIOR_SD } } },
  sequential: { ...BETWEEN, method: 'sequential' },
} as const satisfies Record<string, Plan>;
type Named = keyof typeof PLANS;

/** τ of the mixture: a fortieth of the mean. */
const metricsOf = (plan: Plan): readonly SimulatedMetric[] => [
  spend('spend', { role: 'success', ...(plan.method === 'msprt' ? { tau: MEAN / 40 } : {}) }),
];

/** The same units under every plan; the first one is given them. */
const underEach = <Name extends string>(definitions: Readonly<Record<Name, Defined>>): Readonly<Record<Name, Comparison>> => {
  const [first, ...rest] = Object.entries<Defined>(definitions);
  if (first === undefined) throw new RangeError('nothing is compared');
  const [name, { definition, metrics }] = first;
  const given = new Comparison(definition, metrics);
  const others = rest.map(([other, defined]) => [other, given.under(defined.definition, defined.metrics)] as const);
  return Object.fromEntries([[name, given], ...others]) as Readonly<Record<Name, Comparison>>;
};

interface Defined {
  readonly definition: ReturnType<typeof definitionOf>;
  readonly metrics: readonly SimulatedMetric[];
}

const defined = <Name extends string>(plans: Readonly<Record<Name, Plan>>, metrics: (plan: Plan) => readonly SimulatedMetric[]) =>
  Object.fromEntries(
    Object.entries<Plan>(plans).map(([name, plan]) => [
      name,
      { metrics: metrics(plan), definition: definitionOf(metrics(plan), { policy: 'ship', plan }) },
    ]),
  ) as Readonly<Record<Name, Defined>>;

const DEFINITIONS = defined<Named>(PLANS, metricsOf);

interface Watched extends Look {
  units: number;
  /** Of the relative effect. */
  readonly effect: number;
  readonly by: Readonly<Record<Named, Comparison>>;
}

function* watched(random: Random, effect: number): Generator<Watched> {
  const by = underEach(DEFINITIONS);
  const world: Watched = { units: 0, effect, by };
  for (let look = 0; look < LOOKS; look++) {
    for (let unit = 0; unit < PER_LOOK; unit++) {
      const isTreatment = random.happens(0.5);
      by['group-sequential'].add(isTreatment, [hundredths(MEAN * (isTreatment ? 1 + effect : 1) + SD * random.normal())]);
    }
    for (const comparison of Object.values(by)) comparison.look();
    world.units += PER_LOOK;
    yield world;
  }
}

const goes = (method: string, name: Named, claim: Line<Watched>['claim']): Line<Watched> => ({
  method,
  claim,
  alarms: ({ by }) => isGo(by[name]),
});

/** The flat view of a comparison that is not decided by it. */
const chanceOf = ({ by }: Watched): number => {
  const bayesian = by.sequential.conclusion?.figures.metrics[0]?.comparisons[0]?.bayesian;
  return bayesian === undefined || 'refused' in bayesian ? 0 : bayesian.chanceToWin;
};

const about = { looks: LOOKS, msPerRun: 110 };

const withoutEffect = scenario<Watched>({
  ...about,
  name: 'methods',
  title: 'policy ship, A/A: the same 20,000 units under each method; ten of the 50 looks are planned ones',
  runs: { default: 600, long: 6_000 },
  unfold: (random) => watched(random, 0),
  lines: [
    goes('sequential: a go', 'sequential', atMost(0.05)),
    goes('msprt, τ = 2.5 % of the mean: a go', 'msprt', atMost(0.05)),
    goes('group-sequential, O’Brien–Fleming: a go', 'group-sequential', atMost(0.05)),
    goes('group-sequential, Pocock: a go', 'pocock', atMost(0.05)),
    goes('bayesian, prior N(0, 2 %): a go, which is expected to lose little', 'bayesian', shown),
    { method: 'wrong: flat prior, chance to win ≥ 95 % at any look', claim: above(0.05), alarms: (at) => chanceOf(at) >= 0.95 },
  ],
});

/** 0.07 standard deviations: what one look at 20,000 units finds with 99.9 %. */
const EFFECT = 0.0175;

const withEffect = scenario<Watched>({
  ...about,
  name: 'methods-gain',
  title: 'policy ship: the same units, the treatment better by 1.75 % (0.07 standard deviations)',
  runs: { default: 200, long: 2_000 },
  unfold: (random) => watched(random, EFFECT),
  lines: [
    goes('sequential: a go', 'sequential', shown),
    goes('msprt, τ = 2.5 % of the mean: a go', 'msprt', shown),
    goes('group-sequential, O’Brien–Fleming: a go', 'group-sequential', atLeast(0.95)),
    goes('group-sequential, Pocock: a go', 'pocock', atLeast(0.9)),
    goes('bayesian, prior N(0, 2 %): a go', 'bayesian', atLeast(0.95)),
  ],
});

const fromThePrior = scenario<Watched>({
  ...about,
  name: 'methods-prior',
  title: 'policy ship: effects spread as the prior says, N(0, 2 %)',
  runs: { default: 400, long: 4_000 },
  unfold: (random) => watched(random, PRIOR_SD * random.normal()),
  lines: [
    {
      method: 'bayesian: a go for a treatment that is worse',
      claim: atMost(0.05),
      alarms: ({ by, effect }) => effect < 0 && isGo(by.bayesian),
    },
    goes('bayesian: a go', 'bayesian', shown),
  ],
});

const KEYS = ['a', 'b', 'c', 'd'];
const MANY = KEYS.map((key) => spend(key));
const AT_THE_END = { minimumRunUs: 0, method: 'fixed-horizon', plannedEndUs: momentOf(LOOKS) } as const;
const CORRECTED = {
  'e-bh': { ...BETWEEN, multiplicity: 'e-bh' },
  holm: { ...AT_THE_END, multiplicity: 'holm' },
  hochberg: { ...AT_THE_END, multiplicity: 'hochberg' },
  bh: { ...AT_THE_END, multiplicity: 'bh' },
  by: { ...AT_THE_END, multiplicity: 'by' },
} as const satisfies Record<string, Plan>;
type Corrected = keyof typeof CORRECTED;
const CORRECTIONS = defined<Corrected>(CORRECTED, () => MANY);

interface Many extends Look {
  units: number;
  readonly by: Readonly<Record<Corrected, Comparison>>;
}

/** Four metrics of the same units that rise and fall together a little, as metrics do. */
function* many(random: Random): Generator<Many> {
  const by = underEach(CORRECTIONS);
  const world: Many = { units: 0, by };
  for (let look = 1; look <= LOOKS; look++) {
    for (let unit = 0; unit < PER_LOOK / 10; unit++) {
      const isTreatment = random.happens(0.5);
      const disposition = random.normal();
      const values: UnitValues = KEYS.map(() => hundredths(MEAN + 2 * disposition + SD * random.normal()));
      by['e-bh'].add(isTreatment, values);
    }
    by['e-bh'].look();
    world.units += PER_LOOK / 10;
    if (look < LOOKS) yield world;
  }
  for (const [name, comparison] of Object.entries(by)) if (name !== 'e-bh') comparison.lookAt(LOOKS);
  yield world;
}

const shownBy = (method: string, name: Corrected): Line<Many> => ({ method, claim: atMost(0.05), alarms: ({ by }) => isGo(by[name]) });

const corrections = scenario<Many>({
  name: 'many',
  title: 'policy ship, A/A: four success metrics that rise and fall together, 2,000 units, 50 looks or one at the end',
  looks: LOOKS,
  // A correction that uses its whole level is told from one that goes beyond it only by many runs.
  runs: { default: 600, long: 60_000 },
  msPerRun: 60,
  unfold: many,
  lines: [
    shownBy('e-BH at every look: a go', 'e-bh'),
    shownBy('Holm at the end: a go', 'holm'),
    shownBy('Hochberg at the end: a go', 'hochberg'),
    shownBy('Benjamini–Hochberg at the end: a go', 'bh'),
    shownBy('Benjamini–Yekutieli at the end: a go', 'by'),
    {
      method: 'wrong: any of four with p ≤ α at the end',
      claim: above(0.05),
      alarms: ({ by }) =>
        by.holm.conclusion?.figures.metrics.some(({ comparisons: [one] }) => {
          const absolute = one?.absolute;
          return absolute !== undefined && !('refused' in absolute) && absolute.statistic > 0 && absolute.p / 2 <= 0.05;
        }) ?? false,
    },
  ],
});

export const methods: readonly Scenario[] = [withoutEffect, withEffect, fromThePrior, corrections];
