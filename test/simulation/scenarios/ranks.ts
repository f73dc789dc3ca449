/** Quantiles that are looked at again and again: by ranks of units, of few distinct values, and of events that come in units. */
import { designEffectOf, ladderRanks } from '@rampart/feedback-store';
import {
  burnIn,
  compareMeans,
  normal,
  quantileDifferenceSequence,
  quantileMoments,
  quantileRanks,
  type RankedArm,
} from '@rampart/statistics';
import type { Random } from '../random.js';
import { above, atMost, type Line, type Look, type Scenario, scenario, shown } from '../scenario.js';

const LOOKS = 50;
const UNITS_PER_LOOK = 200;
const PLANNED = LOOKS * UNITS_PER_LOOK;
const ALPHA = 0.05;

/** One arm's values in order, and of events how they fall on units. */
class Ranked {
  private sorted: number[] = [];
  private readonly pending: number[] = [];
  private readonly own: (readonly number[])[] = [];

  add(values: readonly number[]): void {
    this.pending.push(...values);
    this.own.push(values);
  }

  get units(): number {
    return this.own.length;
  }

  /** A new batch is sorted by itself and merged: what is there stays in order. */
  values(): readonly number[] {
    if (this.pending.length === 0) return this.sorted;
    const batch = this.pending.splice(0).sort((a, b) => a - b);
    const merged: number[] = [];
    let [at, next] = [0, 0];
    while (at < this.sorted.length || next < batch.length) {
      const [mine, theirs] = [this.sorted[at] ?? Number.POSITIVE_INFINITY, batch[next] ?? Number.POSITIVE_INFINITY];
      merged.push(Math.min(mine, theirs));
      if (mine <= theirs) at += 1;
      else next += 1;
    }
    this.sorted = merged;
    return merged;
  }

  at(rank: number): number {
    const { length } = this.sorted;
    return this.sorted[Math.min(length, Math.max(1, rank)) - 1] ?? 0;
  }

  /** As the store counts them: x = events, y = those up to the quantile. */
  clusters(nu: number) {
    const quantile = this.at(Math.ceil(nu * this.values().length - 1e-9));
    const sums = [0, 0, 0, 0, 0];
    for (const values of this.own) {
      const [x, y] = [values.length, values.filter((value) => value <= quantile).length];
      for (const [place, term] of [x, y, x * x, y * y, x * y].entries()) sums[place] = (sums[place] ?? 0) + term;
    }
    const [sumX = 0n, sumY = 0n, sumSquaresX = 0n, sumSquaresY = 0n, sumProducts = 0n] = sums.map(BigInt);
    return { sumX, sumY, sumSquaresX, sumSquaresY, sumProducts };
  }

  /** As a look is given them. */
  ranked(nu: number, isClustered: boolean): RankedArm {
    const { length } = this.values();
    const designEffect = isClustered ? designEffectOf(this.clusters(nu)) : 1;
    const ladder = ladderRanks(length, nu, designEffect).map((rank) => ({ rank, value: this.at(rank) }));
    return { n: length, ladder, ...(isClustered ? { clusters: { units: this.units, designEffect } } : {}) };
  }
}

interface Ordered extends Look {
  units: number;
  readonly control: Ranked;
  readonly treatment: Ranked;
}

/** @param seen  units that came before */
type Draw = (random: Random, isTreatment: boolean, seen: number) => readonly number[];

const arriving = (draw: Draw, treatmentShare = 0.5) =>
  function* (random: Random): Generator<Ordered> {
    const world: Ordered = { units: 0, control: new Ranked(), treatment: new Ranked() };
    for (let look = 0; look < LOOKS; look++) {
      for (let unit = 0; unit < UNITS_PER_LOOK; unit++) {
        const isTreatment = random.happens(treatmentShare);
        (isTreatment ? world.treatment : world.control).add(draw(random, isTreatment, world.units));
      }
      world.units += UNITS_PER_LOOK;
      yield world;
    }
  };

interface Asked {
  readonly nu: number;
  /** The truth, which the interval leaves out. */
  readonly truth?: number;
  readonly of?: 'units' | 'events';
  readonly treatmentShare?: number;
}

/** The two-sided interval that holds at every look, as results and verdicts have it, leaves out the truth. */
const leavesOut = ({ control, treatment }: Ordered, { nu, truth = 0, of = 'units', treatmentShare = 0.5 }: Asked): boolean => {
  const arms = [control, treatment].map((arm) => arm.ranked(nu, of === 'events'));
  const [a, b] = arms;
  if (a === undefined || b === undefined || (of === 'events' && !isOver(arms, nu))) return false;
  const about = { nu, tightestAtUnits: PLANNED / 2, treatmentShare, alpha: ALPHA, difference: 'absolute' } as const;
  const found = quantileDifferenceSequence({ control: a, treatment: b, ...about });
  return found.kind === 'sequence' && (found.lower > truth || found.upper < truth);
};

const isOver = (arms: readonly RankedArm[], nu: number): boolean =>
  burnIn(
    arms.flatMap(({ n, clusters }) => [
      { n: clusters?.units ?? n },
      { n: Number.MAX_SAFE_INTEGER, successes: (n / (clusters?.designEffect ?? 1)) * Math.min(nu, 1 - nu) },
    ]),
  ).kind === 'over';

/** The one-look test of order statistics, asked at every look. */
const differsNow = ({ control, treatment }: Ordered, nu: number): boolean => {
  const [a, b] = [control, treatment].map((arm) => {
    const n = arm.values().length;
    const { lower, upper } = quantileRanks(n, nu);
    return quantileMoments({
      n,
      nu,
      quantile: arm.at(Math.ceil(nu * n)),
      lower: arm.at(Math.floor(lower)),
      upper: arm.at(Math.ceil(upper)),
    });
  });
  if (a?.kind !== 'quantile' || b?.kind !== 'quantile') return false;
  const effect = compareMeans({ control: a.moments, treatment: b.moments, alpha: ALPHA, difference: 'absolute' });
  return effect.kind !== 'refused' && Math.abs(effect.statistic) >= normal.isf(ALPHA / 2);
};

const line = (method: string, claim: Line<Ordered>['claim'], asked: Asked): Line<Ordered> => ({
  method,
  claim,
  alarms: (at) => leavesOut(at, asked),
});

const latency = (random: Random): number => Math.exp(4 + 0.8 * random.normal());

const about = { looks: LOOKS, msPerRun: 150, runs: { default: 200, long: 1_000 } };

const units = scenario<Ordered>({
  ...about,
  name: 'quantile-sequence',
  title: 'A/A, one log-normal value of each unit, 10,000 units, 50 looks: intervals that ever leave out the truth',
  unfold: arriving((random) => [latency(random)]),
  lines: [
    line('median, exact', atMost(ALPHA), { nu: 0.5 }),
    line('95th percentile, exact', atMost(ALPHA), { nu: 0.95 }),
    { method: 'wrong: the one-look test of the median at every look', claim: above(ALPHA), alarms: (at) => differsNow(at, 0.5) },
  ],
});

/** A quarter of the control's 95th percentile slower. */
const SLOWER = 0.25 * Math.exp(4 + 0.8 * normal.quantile(0.95));

const slower = scenario<Ordered>({
  ...about,
  name: 'quantile-slower',
  title: 'the 95th percentile is 25 % worse, one log-normal value of each unit, a tenth of the units in the treatment',
  unfold: arriving((random, isTreatment) => [latency(random) + (isTreatment ? SLOWER : 0)], 0.1),
  lines: [
    line('the interval leaves out the true difference', atMost(ALPHA), { nu: 0.95, truth: SLOWER, treatmentShare: 0.1 }),
    line('the interval leaves out none: the slowness is found', shown, { nu: 0.95, treatmentShare: 0.1 }),
    line('the same, planned as if the arms were equal', shown, { nu: 0.95 }),
  ],
});

/** Whole numbers from 0 to about 12; a fifth of all values lie on the median itself. */
const few = (random: Random): number => random.poisson(4);

const atoms = scenario<Ordered>({
  ...about,
  name: 'quantile-atoms',
  title: 'A/A, counts of which a fifth lie on the quantile itself, or just end there',
  unfold: arriving((random) => [few(random)]),
  lines: [
    line('median, exact', atMost(ALPHA), { nu: 0.5 }),
    // P(X ≤ 3) of a Poisson count of mean 4: half of the samples have another quantile than the other half.
    line('the quantile at which a value just ends, exact', atMost(ALPHA), { nu: 0.43347 }),
  ],
});

/** The crowd of the night is slower than that of the day, in both arms: the logarithm swings by two standard deviations. */
const drifting = scenario<Ordered>({
  ...about,
  name: 'quantile-drift',
  title: 'A/A, log-normal values whose median swings between a fifth and five times its middle, in both arms',
  runs: { default: 100, long: 500 },
  unfold: arriving((random, _, seen) => [latency(random) * Math.exp(1.6 * Math.sin(seen / 600))]),
  lines: [line('median, exact', atMost(ALPHA), { nu: 0.5 }), line('95th percentile, exact', atMost(ALPHA), { nu: 0.95 })],
});

const events = scenario<Ordered>({
  ...about,
  name: 'quantile-events',
  title: 'A/A, 95th percentile of requests, one to many of each unit that are alike, 10,000 units, 50 looks',
  unfold: arriving((random) => {
    const own = random.normal();
    return Array.from({ length: random.geometric(4) }, () => Math.round(Math.exp(4 + 0.6 * own + 0.3 * random.normal())));
  }),
  msPerRun: 250,
  runs: { default: 150, long: 600 },
  lines: [
    line('requests taken together by unit, asymptotic', atMost(ALPHA), { nu: 0.95, of: 'events' }),
    line('wrong: requests as if each were drawn by itself', above(ALPHA), { nu: 0.95 }),
  ],
});

export const ranks: readonly Scenario[] = [units, slower, atoms, drifting, events];
