/** Guardrails with a margin: a treatment that is worse by exactly the margin must not be shown to be non-inferior. */
import {
  cupedAdjusted,
  cupedNonInferiorityContrast,
  cupedTheta,
  type Margin,
  mergeCoMoments,
  nonInferiorityContrast,
  unequalArmsWidening,
} from '@rampart/statistics';
import { hundredths, type Pair } from '../arm.js';
import { type Contrast, isBurntIn, sequenceAlarms } from '../judges.js';
import type { Random } from '../random.js';
import { above, atMost, type Line, type Scenario, scenario } from '../scenario.js';
import { arriving, LOOKS, TIGHTEST } from './sequences.js';

const ALPHA = 0.05;
const relative: Margin = { kind: 'relative', value: 0.1 };
const common = { looks: LOOKS, runs: { default: 2_000, long: 10_000 }, msPerRun: 6 };

const keepsMargin = (contrast: Contrast | undefined): boolean =>
  sequenceAlarms(contrast, { alpha: ALPHA, tightestAtUnits: TIGHTEST, alternative: 'greater' });

const plainContrast = ({ control, treatment, units }: Pair, direction: 'increase' | 'decrease', margin: Margin): Contrast | undefined => {
  const [a, b] = [control.moments(), treatment.moments()];
  const contrast = nonInferiorityContrast({ control: a, treatment: b, direction, margin });
  return contrast.kind === 'refused' || !isBurntIn(a, b)
    ? undefined
    : { ...contrast, se: contrast.se * unequalArmsWidening(a, b), n: units };
};

const margin = (name: string, title: string, value: (random: Random) => number, direction: 'increase' | 'decrease'): Scenario => {
  const factor = direction === 'increase' ? 0.9 : 1.1;
  return scenario<Pair>({
    ...common,
    name,
    title,
    unfold: (random) => arriving(random, (chance, isTreatment) => hundredths(value(chance) * (isTreatment ? factor : 1))),
    lines: [
      {
        method: 'sequence, one-sided, relative margin',
        claim: atMost(ALPHA),
        alarms: (pair) => keepsMargin(plainContrast(pair, direction, relative)),
      },
      {
        method: 'wrong: the one-look test (z ≥ 1.645) at every look',
        claim: above(ALPHA),
        alarms: (pair) => {
          const contrast = plainContrast(pair, direction, relative);
          return contrast !== undefined && contrast.estimate >= 1.6449 * contrast.se;
        },
      },
    ],
  });
};

/** The covariate knows four fifths; the margin is on the unadjusted control mean. */
const adjusted = scenario<Pair>({
  ...common,
  name: 'margin-cuped',
  title: 'exactly 5 % worse than control, covariate with correlation 0.8',
  unfold: (random) =>
    arriving(random, (chance, isTreatment): readonly [number, number] => {
      const before = chance.normal();
      return [hundredths((isTreatment ? 9.5 : 10) + 0.8 * before + 0.6 * chance.normal()), hundredths(10 + before)];
    }),
  lines: [
    {
      method: 'sequence, one-sided, relative margin, adjusted means',
      claim: atMost(ALPHA),
      alarms: ({ control, treatment, units }) => {
        const [a, b] = [control.pairs(), treatment.pairs()];
        const [theta, centre] = [cupedTheta([a, b]), mergeCoMoments(a, b).meanX];
        if (!isBurntIn({ n: a.n, mean: 0, m2: 0 }, { n: b.n, mean: 0, m2: 0 })) return false;
        const contrast = cupedNonInferiorityContrast({
          control: a,
          treatment: b,
          adjustedControl: cupedAdjusted(a, theta, centre),
          adjustedTreatment: cupedAdjusted(b, theta, centre),
          theta,
          direction: 'increase',
          margin: { kind: 'relative', value: 0.05 },
        });
        return contrast.kind === 'contrast' && keepsMargin({ ...contrast, n: units });
      },
    } satisfies Line<Pair>,
  ],
});

export const margins: readonly Scenario[] = [
  margin('margin', 'exactly 10 % worse than control, log-normal (σ = 0.8)', (chance) => 10 * Math.exp(0.8 * chance.normal()), 'increase'),
  margin('margin-latency', 'exactly 10 % more than control, where less is better', (chance) => chance.exponential(20), 'decrease'),
  adjusted,
];
