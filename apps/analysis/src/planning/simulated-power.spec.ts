/** The planner against the decisions themselves: seeded random walks, held against what each method's decisions compute at a look. */
import { describe, expect, it } from '@jest/globals';
import { type PowerRequest, powerQuestion } from '@rampart/contracts';
import { groupSequentialBounds, normal, normalPosterior } from '@rampart/statistics';
import { oneSidedLogE } from '../figures/anytime.js';
import { powerPlan } from './power-plan.js';

const RUNS = 2_500;
/** 2.5 standard errors of 2,500 runs at a power of 80 %; the runs are the same every time. */
const TOLERANCE = 0.02;

const seeded = (seed: number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
};

const MEAN = 20;
const SD = 5;
const RELATIVE = 0.01;
const ask = {
  metric: { mean: MEAN, sd: SD },
  minimumEffect: { relative: RELATIVE },
  sides: 'one-sided',
  alpha: 0.05,
} as const satisfies PowerRequest;

interface Seen {
  /** 1, 2 … */
  readonly look: number;
  /** Units of both arms. */
  readonly units: number;
  readonly statistic: number;
  readonly se: number;
}

/** Share of runs that are shown a gain at any look, and the average units at their end. */
const simulated = (units: number, looks: number, isShown: (seen: Seen) => boolean, { relative = RELATIVE, runs = RUNS } = {}) => {
  const random = seeded(20_261);
  let [shown, ended] = [0, 0];
  for (let run = 0; run < runs; run++) {
    let sum = 0;
    let stop = units;
    for (let look = 1; look <= looks; look++) {
      sum += normal.quantile(random()) / Math.sqrt(looks);
      const t = look / looks;
      const se = SD * Math.sqrt(4 / (units * t));
      const statistic = sum / Math.sqrt(t) + (relative * MEAN) / se;
      if (!isShown({ look, units: units * t, statistic, se })) continue;
      [shown, stop] = [shown + 1, units * t];
      break;
    }
    ended += stop;
  }
  return { power: shown / runs, averageUnits: ended / runs };
};

const planned = (more: Partial<PowerRequest>) => {
  const { watched, ...plan } = powerPlan(powerQuestion.parse({ ...ask, ...more }));
  if (watched === null) throw new Error('every method here has several looks');
  return { ...plan, ...watched };
};

const agrees = (plan: ReturnType<typeof planned>, found: ReturnType<typeof simulated>, power = 0.8) => {
  expect(Math.abs(found.power - power)).toBeLessThan(TOLERANCE);
  expect(Math.abs(found.averageUnits / plan.averageUnits - 1)).toBeLessThan(TOLERANCE);
};

describe('the power that was planned is the power of the decisions', () => {
  it('sequential', () => {
    const plan = planned({ method: 'sequential' });
    const side = (n: number) => ({ level: 0.05, n, tightestAtUnits: plan.maximumUnits / 2 });
    const isShown = ({ units, statistic }: Seen) => units >= 200 && oneSidedLogE(statistic, side(units)) >= Math.log(20);
    agrees(plan, simulated(plan.maximumUnits, 100, isShown));
  });

  it('msprt', () => {
    const plan = planned({ method: 'msprt', tau: 0.1, power: 0.9 });
    const isShown = ({ units, statistic, se }: Seen) =>
      units >= 200 && oneSidedLogE(statistic, { level: 0.05, n: units, tightestAtUnits: 1, spread: (0.1 / se) ** 2 }) >= Math.log(20);
    agrees(plan, simulated(plan.maximumUnits, 100, isShown), 0.9);
  });

  it('group-sequential', () => {
    const plan = planned({ method: 'group-sequential', looks: 4, spending: { power: 2 } });
    const bounds = groupSequentialBounds({
      ...{ informationFractions: [0.25, 0.5, 0.75, 1], alphaPerSide: 0.05, spending: { kind: 'power', exponent: 2 }, sides: 'upper' },
    });
    const isShown = ({ look, statistic }: Seen) => statistic >= (bounds[look - 1]?.z ?? Number.POSITIVE_INFINITY);
    agrees(plan, simulated(plan.maximumUnits, 4, isShown));
  });

  it('bayesian, with the chance averaged over its prior', () => {
    const prior = { mean: 0, sd: 0.02 };
    const plan = planned({ method: 'bayesian', bayesian: { prior, minimumUnits: 500, expectedLoss: 0.0005 } });
    const isShown = ({ units, statistic, se }: Seen) => {
      const relative = se / MEAN;
      const posterior = normalPosterior({
        ...{ estimate: statistic * relative, se: relative },
        prior: { mean: 0, variance: 4e-4 },
        alpha: 0.05,
      });
      return units >= 1_000 && posterior.kind === 'posterior' && posterior.chanceToWin >= 0.95 && posterior.lossShipTreatment <= 0.0005;
    };
    agrees(plan, simulated(plan.maximumUnits, 100, isShown));
    const steps = 16;
    let assurance = 0;
    for (let at = 0; at < steps; at++) {
      const relative = 0.02 * normal.quantile((at + 0.5) / steps);
      assurance += simulated(plan.maximumUnits, 100, isShown, { relative, runs: 250 }).power / steps;
    }
    expect(Math.abs((plan.assurance ?? 0) - assurance)).toBeLessThan(TOLERANCE);
  });
});
