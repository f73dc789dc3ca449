/** Comparisons adjusted by what was known before: strata, strata with a covariate, ratios with the same ratio before. */
import {
  compareCupedRatios,
  crossMomentsFromIntegerSums,
  type PostStratified,
  postStratifiedContrast,
  postStratifiedCuped,
  postStratifiedMeans,
  studentT,
  unequalArmsWidening,
} from '@rampart/statistics';
import { emptyPair, hundredths, type Pair } from '../arm.js';
import { type Contrast, isBurntIn, sequenceAlarms } from '../judges.js';
import type { Random } from '../random.js';
import { about, above, atMost, type Line, type Look, type Scenario, scenario } from '../scenario.js';
import { LOOKS, SMALL_LEVEL, TIGHTEST, UNITS_PER_LOOK } from './sequences.js';

const STRATA = ['one', 'two', 'three'] as const;
const STRATUM_LOOKS = 45;
/** N*: half of what comes. */
const STRATUM_TIGHTEST = (STRATUM_LOOKS * UNITS_PER_LOOK) / 2;
/** The look of those who look once: 500 units a stratum, 50 of them treated. */
const ONE_LOOK = 14;
const TREATED = 0.1;
/** Of the treatment, times control's. */
const SPREAD = 3;

interface InStrata extends Look {
  units: number;
  readonly strata: readonly (Pair & { readonly name: string })[];
  readonly total: Pair;
}

/** @param value  hundredths, with a covariate or without */
function* inStrata(
  random: Random,
  value: (random: Random, stratum: number, isTreatment: boolean) => readonly [y: number, x: number],
): Generator<InStrata> {
  const world: InStrata = { units: 0, strata: STRATA.map((name) => ({ name, ...emptyPair() })), total: emptyPair() };
  for (let look = 0; look < STRATUM_LOOKS; look++) {
    for (let unit = 0; unit < UNITS_PER_LOOK; unit++) {
      const stratum = Math.floor(random.uniform() * STRATA.length);
      const arm = random.happens(TREATED) ? 'treatment' : 'control';
      const [y, x] = value(random, stratum, arm === 'treatment');
      world.strata[stratum]?.[arm].add(y, x);
      world.total[arm].add(y, x);
    }
    world.units += UNITS_PER_LOOK;
    yield world;
  }
}

const asked = { alpha: 0.05, difference: 'absolute' } as const;

const byStrata = ({ strata }: InStrata): PostStratified =>
  postStratifiedMeans(
    strata.map(({ name, control, treatment }) => ({ name, control: control.moments(), treatment: treatment.moments() })),
    asked,
  );

const pairsOf = ({ strata }: InStrata) =>
  strata.map(({ name, control, treatment }) => ({ name, control: control.pairs(), treatment: treatment.pairs() }));

const byStrataWithCovariate = (world: InStrata): PostStratified => postStratifiedCuped(pairsOf(world), asked);

/** As the platform watches it. */
const watched = (world: InStrata, judged: (world: InStrata) => PostStratified): Contrast | undefined => {
  const [control, treatment] = [world.total.control.moments(), world.total.treatment.moments()];
  if (!isBurntIn(control, treatment)) return undefined;
  const effect = judged(world);
  if (effect.kind === 'refused') return undefined;
  return { estimate: effect.estimate, se: effect.se * unequalArmsWidening(control, treatment), n: world.units };
};

const once =
  (level: number, judged: (world: InStrata) => PostStratified) =>
  (world: InStrata, look: number): boolean => {
    if (look !== ONE_LOOK) return false;
    const effect = judged(world);
    return effect.kind !== 'refused' && effect.p <= level;
  };

const linesOf = (judged: (world: InStrata) => PostStratified): readonly Line<InStrata>[] => [
  { method: 'one look at 1,500 units, two-sided', claim: about(0.05, 0.01), alarms: once(0.05, judged) },
  { method: 'the same at a share of α₋', claim: about(SMALL_LEVEL, 0.003), alarms: once(SMALL_LEVEL, judged) },
  {
    method: 'sequence, two-sided',
    claim: atMost(0.05),
    alarms: (world) => sequenceAlarms(watched(world, judged), { alpha: 0.05, tightestAtUnits: STRATUM_TIGHTEST }),
  },
  ...(['less', 'greater'] as const).map(
    (alternative): Line<InStrata> => ({
      method: `sequence, one-sided, ${alternative}, at a share of α₋`,
      claim: atMost(SMALL_LEVEL),
      alarms: (world) => sequenceAlarms(watched(world, judged), { alpha: SMALL_LEVEL, tightestAtUnits: STRATUM_TIGHTEST, alternative }),
    }),
  ),
];

const common = { looks: STRATUM_LOOKS, runs: { default: 4_000, long: 10_000 } };

const valueIn = (random: Random, stratum: number, isTreatment: boolean): number =>
  5 + 2 * stratum + (isTreatment ? SPREAD : 1) * random.normal();

const stratified = scenario<InStrata>({
  ...common,
  name: 'stratified',
  title: 'A/A, three strata whose means differ, a tenth in the treatment, whose variance is nine times as large',
  msPerRun: 10,
  unfold: (random) => inStrata(random, (...unit) => [hundredths(valueIn(...unit)), 0]),
  lines: [
    ...linesOf(byStrata),
    {
      method: 'wrong: p ≤ 5 % of one look at every look',
      claim: above(0.05),
      alarms: (world) => {
        const contrast = watched(world, byStrata);
        return contrast !== undefined && Math.abs(contrast.estimate) >= 1.96 * contrast.se;
      },
    },
  ],
});

const stratifiedCovariate = scenario<InStrata>({
  ...common,
  name: 'stratified-covariate',
  title: 'the same with a covariate in each stratum',
  msPerRun: 18,
  unfold: (random) =>
    inStrata(random, (chance, ...unit) => {
      const before = chance.normal();
      return [hundredths(valueIn(chance, ...unit) + 0.8 * before), hundredths(10 + before)];
    }),
  lines: [
    ...linesOf(byStrataWithCovariate),
    {
      method: 'wrong: one look, one residual variance for both arms',
      claim: above(0.05),
      alarms: once(0.05, (world) => postStratifiedCuped(pairsOf(world), { ...asked, residualVariance: 'pooled' })),
    },
  ],
});

/** What the treatment may lose, and loses, of control's mean. */
const LOSS = 0.4;

const keepsMargin =
  (level: number) =>
  (world: InStrata, look: number): boolean => {
    if (look !== ONE_LOOK) return false;
    const margin = { direction: 'increase', margin: { kind: 'relative', value: LOSS } } as const;
    const contrast = postStratifiedContrast({ kind: 'cuped', strata: pairsOf(world) }, margin);
    return contrast.kind !== 'refused' && studentT.sf(contrast.estimate / contrast.se, contrast.df) <= level;
  };

/** A slope of the treatment's own, too: it loses the share at every value of the covariate. */
const stratifiedMargin = scenario<InStrata>({
  ...common,
  name: 'stratified-margin',
  title: 'three strata with a covariate, a tenth in the treatment, worse by exactly its relative margin of 40 %',
  msPerRun: 4,
  unfold: (random) =>
    inStrata(random, (chance, stratum, isTreatment) => {
      const before = 2 * chance.normal();
      const level = (1 + 2 * stratum + before) * (isTreatment ? 1 - LOSS : 1);
      return [hundredths(level + (isTreatment ? 1 : SPREAD) * chance.normal()), hundredths(10 + before)];
    }),
  lines: [
    { method: 'one look at 1,500 units, one-sided', claim: about(0.05, 0.01), alarms: keepsMargin(0.05) },
    { method: 'the same at a share of α₋', claim: about(SMALL_LEVEL, 0.003), alarms: keepsMargin(SMALL_LEVEL) },
  ],
});

/** Sums of (clicks, views) after and before exposure, and of their products: whole numbers. */
class RatioArm {
  units = 0;
  private readonly sums = [0, 0, 0, 0];
  private readonly products = this.sums.map(() => [0, 0, 0, 0]);

  add(values: readonly number[]): void {
    this.units += 1;
    values.forEach((value, i) => {
      this.sums[i] = (this.sums[i] ?? 0) + value;
      const row = this.products[i] ?? [];
      values.forEach((other, j) => {
        row[j] = (row[j] ?? 0) + value * other;
      });
    });
  }

  moments() {
    const products = this.products.map((row) => row.map(BigInt));
    return crossMomentsFromIntegerSums({ n: this.units, sums: this.sums.map(BigInt), products, scale: 1 });
  }
}

interface RatioPair extends Look {
  units: number;
  readonly control: RatioArm;
  readonly treatment: RatioArm;
}

/** Each unit clicks at a rate of its own, before as after; how much it views it decides anew. */
function* clicking(random: Random): Generator<RatioPair> {
  const pair: RatioPair = { units: 0, control: new RatioArm(), treatment: new RatioArm() };
  for (let look = 0; look < LOOKS; look++) {
    for (let unit = 0; unit < UNITS_PER_LOOK; unit++) {
      const rate = random.uniform() ** 2;
      const period = (): readonly number[] => {
        const views = random.geometric(5);
        let clicks = 0;
        for (let view = 0; view < views; view++) if (random.happens(rate)) clicks += 1;
        return [clicks, views];
      };
      (random.happens(0.5) ? pair.treatment : pair.control).add([...period(), ...period()]);
    }
    pair.units += UNITS_PER_LOOK;
    yield pair;
  }
}

const adjustedRatios = ({ control, treatment, units }: RatioPair): Contrast | undefined => {
  if (Math.min(control.units, treatment.units) < 100) return undefined;
  const effect = compareCupedRatios({ control: control.moments(), treatment: treatment.moments(), ...asked });
  return effect.kind === 'refused' ? undefined : { estimate: effect.estimate, se: effect.se, n: units };
};

const cupedRatio = scenario<RatioPair>({
  looks: LOOKS,
  runs: { default: 1_000, long: 10_000 },
  msPerRun: 30,
  name: 'cuped-ratio',
  title: 'A/A, clicks per view with the same ratio before as covariate, 5 views a unit, rates differ between units',
  unfold: clicking,
  lines: [
    {
      method: 'sequence, two-sided, adjusted ratios',
      claim: atMost(0.05),
      alarms: (pair) => sequenceAlarms(adjustedRatios(pair), { alpha: 0.05, tightestAtUnits: TIGHTEST }),
    },
    {
      method: 'the same at a share of α₋',
      claim: atMost(SMALL_LEVEL),
      alarms: (pair) => sequenceAlarms(adjustedRatios(pair), { alpha: SMALL_LEVEL, tightestAtUnits: TIGHTEST }),
    },
    {
      method: 'wrong: |z| ≥ 1.96 of the adjusted ratios at every look',
      claim: above(0.05),
      alarms: (pair) => {
        const contrast = adjustedRatios(pair);
        return contrast !== undefined && Math.abs(contrast.estimate) >= 1.96 * contrast.se;
      },
    },
  ],
});

export const strata: readonly Scenario[] = [stratified, stratifiedCovariate, stratifiedMargin, cupedRatio];
