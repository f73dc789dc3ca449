/** One scenario per kind of metric, A/A, looked at 200 times: the same units as the store would sum them. */
import { compareCuped } from '@rampart/statistics';
import { hundredths, type Pair } from '../arm.js';
import { contrastOf, isBurntIn, naiveAlarms, ownVariances, type Sequence, sequenceAlarms } from '../judges.js';
import type { Random } from '../random.js';
import { above, atMost, type Line, type Scenario, scenario } from '../scenario.js';
import { arriving, LOOKS, meanAlarms, SMALL_LEVEL, TIGHTEST } from './sequences.js';

const RUNS = { default: 2_000, long: 10_000 };
const common = { looks: LOOKS, runs: RUNS, msPerRun: 4 };

const proportionAlarms = ({ control, treatment }: Pair, sequence: Sequence): boolean => {
  const successes = { control: control.successes, treatment: treatment.successes };
  const [a, b] = [control.proportion(), treatment.proportion()];
  return isBurntIn(a, b, successes) && sequenceAlarms(contrastOf(a, b), sequence);
};

const binary = (name: string, rate: number, treatmentShare: number, title: string): Scenario =>
  scenario<Pair>({
    ...common,
    name,
    title,
    unfold: (random) => arriving(random, (chance) => (chance.happens(rate) ? 100 : 0), { treatmentShare }),
    lines: (['less', 'greater'] as const).flatMap((alternative): Line<Pair>[] => [
      {
        method: `sequence, one-sided, ${alternative === 'less' ? 'fewer' : 'more'} in the treatment`,
        claim: atMost(0.05),
        alarms: (pair) => proportionAlarms(pair, { alpha: 0.05, tightestAtUnits: TIGHTEST, alternative }),
      },
      {
        method: `the same at a share of α₋, ${alternative === 'less' ? 'fewer' : 'more'}`,
        claim: atMost(SMALL_LEVEL),
        alarms: (pair) => proportionAlarms(pair, { alpha: SMALL_LEVEL, tightestAtUnits: TIGHTEST, alternative }),
      },
    ]),
  });

/** One success among a hundred units is a low rate with a low variance: far from 0 in standard errors, and mere chance. */
const burnInMatters = scenario<Pair>({
  ...common,
  name: 'burn-in',
  title: 'A/A, 5 % conversion, a twentieth in the treatment, N* = 2,000, looks 50 units apart',
  unfold: (random) => arriving(random, (chance) => (chance.happens(0.05) ? 100 : 0), { treatmentShare: 0.05, perLook: 50 }),
  lines: [
    {
      method: 'sequence, one-sided, after the burn-in',
      claim: atMost(0.05),
      alarms: (pair) => proportionAlarms(pair, { alpha: 0.05, tightestAtUnits: 2_000, alternative: 'less' }),
    },
    {
      method: 'wrong: from the first unit on, each arm by its own variance',
      claim: above(0.05),
      alarms: ({ control, treatment }) =>
        sequenceAlarms(ownVariances(control.proportion(), treatment.proportion()), {
          alpha: 0.05,
          tightestAtUnits: 2_000,
          alternative: 'less',
        }),
    },
  ],
});

const logNormal = (random: Random, sigma: number): number => hundredths(10 * Math.exp(sigma * random.normal()));

const heavyTailed = scenario<Pair>({
  ...common,
  name: 'heavy-tailed',
  title: 'A/A, log-normal (σ = 1.5), half and half',
  unfold: (random) => arriving(random, (chance) => logNormal(chance, 1.5)),
  lines: (['less', 'greater'] as const).flatMap((alternative) =>
    [0.05, SMALL_LEVEL].map(
      (alpha): Line<Pair> => ({
        method: `sequence, one-sided, ${alternative}${alpha < 0.05 ? ', at a share of α₋' : ''}`,
        claim: atMost(alpha),
        alarms: (pair) => meanAlarms(pair, { alpha, tightestAtUnits: TIGHTEST, alternative }),
      }),
    ),
  ),
});

/** Mean and variance of a small, skewed arm rise and fall together: without its large values it is low, and sure of it. */
const heavyTailedCanary = scenario<Pair>({
  ...common,
  name: 'heavy-tailed-canary',
  title: 'A/A, log-normal (σ = 1.5), a twentieth in the treatment',
  unfold: (random) => arriving(random, (chance) => logNormal(chance, 1.5), { treatmentShare: 0.05 }),
  lines: [
    ...(['less', 'greater'] as const).map(
      (alternative): Line<Pair> => ({
        method: `sequence, one-sided, ${alternative}, at a share of α₋`,
        claim: atMost(SMALL_LEVEL),
        alarms: (pair) => meanAlarms(pair, { alpha: SMALL_LEVEL, tightestAtUnits: TIGHTEST, alternative }),
      }),
    ),
    {
      method: 'wrong: each arm by its own variance alone, less',
      claim: above(SMALL_LEVEL),
      alarms: ({ control, treatment }) => {
        const [a, b] = [control.moments(), treatment.moments()];
        return (
          isBurntIn(a, b) && sequenceAlarms(ownVariances(a, b), { alpha: SMALL_LEVEL, tightestAtUnits: TIGHTEST, alternative: 'less' })
        );
      },
    },
  ],
});

/** Clicks per page view: busy units have more views, and each unit a rate of its own. */
const clicksPerView = (chance: Random): readonly [clicks: number, views: number] => {
  const views = chance.geometric(5);
  const rate = 0.3 * chance.uniform() ** 2;
  let clicks = 0;
  for (let view = 0; view < views; view++) if (chance.happens(rate)) clicks += 1;
  return [clicks * 100, views * 100];
};

const ratio = scenario<Pair>({
  ...common,
  name: 'ratio',
  title: 'A/A, clicks per view, 5 views a unit, rates differ between units',
  unfold: (random) => arriving(random, clicksPerView),
  lines: [
    {
      method: 'sequence, two-sided, delta method over units',
      claim: atMost(0.05),
      alarms: ({ control, treatment }) => {
        const [a, b] = [control.ratio(), treatment.ratio()];
        return (
          a !== undefined &&
          b !== undefined &&
          isBurntIn(a, b) &&
          sequenceAlarms(contrastOf(a, b), { alpha: 0.05, tightestAtUnits: TIGHTEST })
        );
      },
    },
  ],
});

/** Spend now against spend before: correlation 0.8. */
const spendWithHistory = (chance: Random): readonly [now: number, before: number] => {
  const before = chance.normal();
  return [hundredths(10 + 0.8 * before + 0.6 * chance.normal()), hundredths(10 + before)];
};

const cuped = scenario<Pair>({
  ...common,
  runs: { default: 1_000, long: 10_000 },
  msPerRun: 14,
  name: 'cuped',
  title: 'A/A, covariate with correlation 0.8, one slope over both arms estimated at every look',
  unfold: (random) => arriving(random, spendWithHistory),
  lines: [
    {
      method: 'sequence, two-sided, adjusted means',
      claim: atMost(0.05),
      alarms: ({ control, treatment, units }) => {
        const effect = compareCuped({ control: control.pairs(), treatment: treatment.pairs(), alpha: 0.05, difference: 'absolute' });
        const isEarly = Math.min(control.units, treatment.units) < 100;
        if (effect.kind === 'refused' || isEarly) return false;
        return sequenceAlarms({ estimate: effect.estimate, se: effect.se, n: units }, { alpha: 0.05, tightestAtUnits: TIGHTEST });
      },
    },
    {
      method: 'wrong: |z| ≥ 1.96 of the plain means at every look',
      claim: above(0.05),
      alarms: ({ control, treatment }) => naiveAlarms(contrastOf(control.moments(), treatment.moments()), 0.05),
    },
  ],
});

export const metrics: readonly Scenario[] = [
  binary('binary', 0.05, 0.5, 'A/A, 5 % conversion, half and half'),
  binary('binary-canary', 0.05, 0.05, 'A/A, 5 % conversion, a twentieth in the treatment'),
  burnInMatters,
  heavyTailed,
  heavyTailedCanary,
  ratio,
  cuped,
];
