/** Confidence sequences on A/A data that is looked at 200 times, and on a horizon without end, where a boundary's whole level is spent. */

import { emptyPair, hundredths, type Pair } from '../arm.js';
import { contrastOf, isBurntIn, naiveAlarms, type Sequence, sequenceAlarms } from '../judges.js';
import type { Random } from '../random.js';
import { above, atMost, type Line, type Look, type Scenario, scenario, shown } from '../scenario.js';

export const LOOKS = 200;
export const UNITS_PER_LOOK = 100;
const PLANNED_UNITS = LOOKS * UNITS_PER_LOOK;
/** N* as the plan freezes it. */
export const TIGHTEST = PLANNED_UNITS / 2;

/** A share of each arm's level in a decision with S + G + D + Q = 11 tests. */
export const SMALL_LEVEL = 0.05 / 11;

/** Units arrive in steps and draw their arm; `value` gives hundredths, and a second number where the metric needs one. */
export function* arriving(
  random: Random,
  value: (random: Random, isTreatment: boolean) => number | readonly [y: number, x: number],
  { looks = LOOKS, perLook = UNITS_PER_LOOK, treatmentShare = 0.5 } = {},
): Generator<Pair> {
  const pair = emptyPair();
  for (let look = 0; look < looks; look++) {
    for (let unit = 0; unit < perLook; unit++) {
      const isTreatment = random.happens(treatmentShare);
      const drawn = value(random, isTreatment);
      const arm = isTreatment ? pair.treatment : pair.control;
      if (typeof drawn === 'number') arm.add(drawn);
      else arm.add(drawn[0], drawn[1]);
    }
    pair.units += perLook;
    yield pair;
  }
}

export const meanAlarms = (pair: Pair, sequence: Sequence): boolean => {
  const [control, treatment] = [pair.control.moments(), pair.treatment.moments()];
  return isBurntIn(control, treatment) && sequenceAlarms(contrastOf(control, treatment), sequence);
};

const line = (method: string, sequence: Sequence): Line<Pair> => ({
  method,
  claim: atMost(sequence.alpha),
  alarms: (pair) => meanAlarms(pair, sequence),
});

const normalMetric = scenario<Pair>({
  name: 'normal',
  title: 'A/A, normal metric, 20,000 units',
  looks: LOOKS,
  runs: { default: 2_000, long: 10_000 },
  msPerRun: 8,
  unfold: (random) => arriving(random, (chance) => hundredths(5 + chance.normal())),
  lines: [
    line('sequence, two-sided, N* = half the plan', { alpha: 0.05, tightestAtUnits: TIGHTEST }),
    line('sequence, two-sided, N* ten times too large', { alpha: 0.05, tightestAtUnits: 10 * TIGHTEST }),
    line('sequence, two-sided, N* ten times too small', { alpha: 0.05, tightestAtUnits: TIGHTEST / 10 }),
    line('sequence, one-sided', { alpha: 0.05, tightestAtUnits: TIGHTEST, alternative: 'less' }),
    line('sequence, one-sided, at a share of α₋', { alpha: SMALL_LEVEL, tightestAtUnits: TIGHTEST, alternative: 'less' }),
    {
      method: 'wrong: |z| ≥ 1.96 at every look',
      claim: above(0.05),
      alarms: ({ control, treatment }) => naiveAlarms(contrastOf(control.moments(), treatment.moments()), 0.05),
    },
  ],
});

interface Walk extends Look {
  units: number;
  sum: number;
}

/** Looks 4 % of information apart, from N*⁄1000 on: the sum of so many normal units is drawn directly, which is exact. */
const STEP = 1.04;
const FIRST = 10;
const ENDLESS_LOOKS = 400;

function* endless(random: Random): Generator<Walk> {
  const walk: Walk = { units: 0, sum: 0 };
  for (let look = 0; look < ENDLESS_LOOKS; look++) {
    const units = FIRST * STEP ** look;
    walk.sum += Math.sqrt(units - walk.units) * random.normal();
    walk.units = units;
    yield walk;
  }
}

const ofWalk = ({ units, sum }: Walk) => ({ estimate: sum / units, se: 1 / Math.sqrt(units), n: units });

const onWalk = (method: string, claim: Line<Walk>['claim'], sequence: (walk: Walk) => Sequence): Line<Walk> => ({
  method,
  claim,
  alarms: (walk) => sequenceAlarms(ofWalk(walk), sequence(walk)),
});

const endlessLooks = scenario<Walk>({
  name: 'endless',
  title: 'A/A, normal, known variance, 10 to 60 million units',
  looks: ENDLESS_LOOKS,
  runs: { default: 2_000, long: 20_000 },
  msPerRun: 5,
  unfold: endless,
  lines: [
    onWalk('sequence, two-sided', atMost(0.05), () => ({ alpha: 0.05 })),
    onWalk('sequence, one-sided', atMost(0.05), () => ({ alpha: 0.05, alternative: 'greater' })),
    onWalk('wrong: N* follows n', above(0.05), ({ units }) => ({ alpha: 0.05, tightestAtUnits: units })),
    onWalk('wrong: one-sided with twice its level', above(0.05), () => ({ alpha: 0.1, alternative: 'greater' })),
    onWalk('wrong: one-sided with half its level: valid, but deaf', shown, () => ({ alpha: 0.025, alternative: 'greater' })),
  ],
});

export const sequences: readonly Scenario[] = [normalMetric, endlessLooks];
