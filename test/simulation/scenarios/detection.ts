/** What is found, how often and how soon: harm of several sizes, crashes, and the planner's promised power. */
import { type SampleSizePlan, sampleSize, sequentialPlan } from '@rampart/statistics';
import { hundredths, type Pair } from '../arm.js';
import type { Random } from '../random.js';
import { about, type Look, type Scenario, scenario, shown } from '../scenario.js';
import { firstErrorAlarms } from './counts.js';
import { arriving, LOOKS, meanAlarms, SMALL_LEVEL, TIGHTEST } from './sequences.js';

const harm = (size: number): Scenario =>
  scenario<Pair>({
    name: `harm-${size}`,
    title: `normal metric, worse by ${size} standard deviations, half and half, at most 20,000 units`,
    looks: LOOKS,
    runs: { default: 400, long: 2_000 },
    msPerRun: 4,
    unfold: (random) => arriving(random, (chance, isTreatment) => hundredths(5 + chance.normal() - (isTreatment ? size : 0))),
    lines: [
      {
        method: 'sequence, one-sided, at a share of α₋',
        claim: shown,
        alarms: (pair) => meanAlarms(pair, { alpha: SMALL_LEVEL, tightestAtUnits: TIGHTEST, alternative: 'less' }),
      },
    ],
  });

/** `units` counts the erring ones: which arm the next of them falls on is all that the e-process sees. */
interface Crashes extends Look {
  units: number;
  readonly erring: [number, number];
}

function* crashing(random: Random, share: number): Generator<Crashes> {
  const crashes: Crashes = { units: 0, erring: [0, 0] };
  while (crashes.units < 1_000) {
    crashes.erring[random.happens(share) ? 1 : 0] += 1;
    crashes.units += 1;
    yield crashes;
  }
}

const crash = (name: string, title: string, times: number): Scenario =>
  scenario<Crashes>({
    name,
    title: `${title}; units = units that erred, of both arms, at most 1,000`,
    looks: 1_000,
    runs: { default: 1_000, long: 5_000 },
    msPerRun: 0.5,
    unfold: (random) => crashing(random, times === Number.POSITIVE_INFINITY ? 1 : times / (1 + times)),
    lines: [{ method: 'first error, at a share of α₋', claim: shown, alarms: (at) => firstErrorAlarms(at.erring, SMALL_LEVEL) }],
  });

/** The very plan that is promised, 200 looks: the share of runs that find the effect it was made for. */
const planned = (plan: Pick<SampleSizePlan, 'alpha' | 'power' | 'sides'>): Scenario => {
  const EFFECT = 0.1;
  const { maximumUnits, tightestAtUnits } = sequentialPlan(sampleSize({ ...plan, minimumEffect: EFFECT, varianceControl: 1 }), plan);
  const perLook = Math.ceil(maximumUnits / LOOKS);
  return scenario<Pair>({
    name: `power-${plan.sides}-${plan.alpha}-${plan.power}`,
    title: `planned for 0.1 standard deviations, α = ${plan.alpha} ${plan.sides}: at most ${maximumUnits.toLocaleString('en-US')} units`,
    looks: LOOKS,
    runs: { default: 1_500, long: 10_000 },
    msPerRun: 3,
    unfold: (random) =>
      arriving(random, (chance, isTreatment) => hundredths(5 + chance.normal() + (isTreatment ? EFFECT : 0)), { perLook }),
    lines: [
      {
        method: 'sequence, N* = half the plan',
        claim: about(plan.power, 0.03),
        alarms: (pair) =>
          meanAlarms(pair, { alpha: plan.alpha, tightestAtUnits, alternative: plan.sides === 'two-sided' ? 'two-sided' : 'greater' }),
      },
    ],
  });
};

export const detection: readonly Scenario[] = [
  harm(0.05),
  harm(0.1),
  harm(0.2),
  harm(0.5),
  crash('crash-twice', 'twice as many units err in the treatment', 2),
  crash('crash-thrice', 'three times as many', 3),
  crash('crash-tenfold', 'ten times as many', 10),
  crash('crash-new', 'errors in the treatment only', Number.POSITIVE_INFINITY),
  planned({ alpha: 0.05, power: 0.8, sides: 'two-sided' }),
  planned({ alpha: 0.05, power: 0.9, sides: 'two-sided' }),
  planned({ alpha: 0.05, power: 0.8, sides: 'one-sided' }),
  planned({ alpha: 0.025, power: 0.8, sides: 'one-sided' }),
];
