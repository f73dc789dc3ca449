/** When a unit counts, and what "more information" means: closing windows, a day's rhythm, late rows, units that come back, changing shares. */
import { groupSequentialBounds, ratioMoments } from '@rampart/statistics';
import { Arm, emptyPair, hundredths, type Pair } from '../arm.js';
import { type Contrast, contrastOf, isBurntIn, sequenceAlarms } from '../judges.js';
import type { Random } from '../random.js';
import { above, atMost, type Scenario, scenario, shown } from '../scenario.js';

const HOURS = 24;

interface Enrolled {
  readonly isTreatment: boolean;
  /** In hours. */
  readonly exposedAt: number;
  /** When it converts, and when that is known; Infinity = never. */
  readonly convertsAt: number;
  readonly knownAt: number;
}

const WINDOW = 24;
const LATENESS = 1;
const DAYS = 8;

/** Traffic and conversion follow the day; a twentieth of the conversions become known hours late. */
const enrolledIn = (random: Random, hour: number): readonly Enrolled[] => {
  const daylight = Math.sin((2 * Math.PI * hour) / HOURS);
  return Array.from({ length: random.poisson(60 * (1 + 0.8 * daylight)) }, () => {
    const exposedAt = hour + random.uniform();
    const convertsAt = random.happens(0.2 + 0.1 * daylight) ? exposedAt + random.exponential(8) : Number.POSITIVE_INFINITY;
    const knownAt = convertsAt + (random.happens(0.05) ? random.exponential(6) : random.exponential(0.05));
    return { isTreatment: random.happens(0.5), exposedAt, convertsAt, knownAt };
  });
};

const closesAt = ({ exposedAt }: Enrolled): number => exposedAt + WINDOW + LATENESS;
const isConverted = ({ exposedAt, convertsAt, knownAt }: Enrolled): boolean =>
  convertsAt <= exposedAt + WINDOW && knownAt <= exposedAt + WINDOW + LATENESS;

/** Hourly looks at closed units only; what becomes known after closing changes nothing. */
function* week(random: Random): Generator<Pair> {
  const pair = emptyPair();
  let open: Enrolled[] = [];
  for (let hour = 1; hour <= DAYS * HOURS; hour++) {
    open.push(...enrolledIn(random, hour - 1));
    for (const unit of open.filter((one) => closesAt(one) <= hour))
      (unit.isTreatment ? pair.treatment : pair.control).add(isConverted(unit) ? 100 : 0);
    open = open.filter((one) => closesAt(one) > hour);
    pair.units = pair.control.units + pair.treatment.units;
    yield pair;
  }
}

const proportions = ({ control, treatment }: Pair): Contrast | undefined => {
  const [a, b] = [control.proportion(), treatment.proportion()];
  return isBurntIn(a, b, { control: control.successes, treatment: treatment.successes }) ? contrastOf(a, b) : undefined;
};

const simulatedWeek = scenario<Pair>({
  name: 'week',
  title: 'A/A, 8 days, traffic and conversion follow the day, windows of 1 day + 1 h, late rows, looked at hourly',
  looks: DAYS * HOURS,
  runs: { default: 2_000, long: 10_000 },
  msPerRun: 8,
  unfold: week,
  lines: [
    {
      method: 'sequence, two-sided, closed units',
      claim: atMost(0.05),
      alarms: (pair) => sequenceAlarms(proportions(pair), { alpha: 0.05, tightestAtUnits: 5_000 }),
    },
    {
      method: 'wrong: |z| ≥ 1.96 at every look',
      claim: above(0.05),
      alarms: (pair) => {
        const contrast = proportions(pair);
        return contrast !== undefined && Math.abs(contrast.estimate) >= 1.96 * contrast.se;
      },
    },
  ],
});

interface Visits extends Pair {
  /** The same visits, each as if it were a unit. */
  readonly asUnits: Pair;
}

const VISITS = 10;

/** Ten visits a unit with a correlation of ½ between them. */
function* visiting(random: Random): Generator<Visits> {
  const visits: Visits = { ...emptyPair(), asUnits: emptyPair() };
  for (let look = 0; look < 100; look++) {
    for (let unit = 0; unit < 20; unit++) {
      const side = random.happens(0.5) ? 'treatment' : 'control';
      const level = 5 + random.normal() * Math.SQRT1_2;
      let sum = 0;
      for (let visit = 0; visit < VISITS; visit++) {
        const value = hundredths(level + random.normal() * Math.SQRT1_2);
        sum += value;
        visits.asUnits[side].add(value);
      }
      visits[side].add(sum, VISITS * 100);
    }
    visits.units += 20;
    yield visits;
  }
}

const byUnit = ({ control, treatment }: Pair): Contrast | undefined => {
  const [a, b] = [ratioMoments(control.pairs()), ratioMoments(treatment.pairs())];
  return a.kind === 'refused' || b.kind === 'refused' || !isBurntIn(a.moments, b.moments) ? undefined : contrastOf(a.moments, b.moments);
};

const comingBack = scenario<Visits>({
  name: 'coming-back',
  title: 'A/A, ten visits a unit, correlation ½ within a unit',
  looks: 100,
  runs: { default: 1_000, long: 5_000 },
  msPerRun: 6,
  unfold: visiting,
  lines: [
    {
      method: 'sequence, two-sided, variance over units',
      claim: atMost(0.05),
      alarms: (visits) => sequenceAlarms(byUnit(visits), { alpha: 0.05, tightestAtUnits: 1_000 }),
    },
    {
      method: 'wrong: variance over visits',
      claim: above(0.05),
      alarms: ({ asUnits }) =>
        sequenceAlarms(contrastOf(asUnits.control.moments(), asUnits.treatment.moments()), { alpha: 0.05, tightestAtUnits: 10_000 }),
    },
  ],
});

/** Shares of the treatment, stage by stage: sums are those of all stages together, as a comparison has them. */
const SHARES = [0.01, 0.05, 0.25, 0.5];
const LOOKS_PER_STAGE = 50;

function* ramped(random: Random, level: (progress: number) => number): Generator<Pair> {
  const pair: Pair = { units: 0, control: new Arm(), treatment: new Arm() };
  const looks = SHARES.length * LOOKS_PER_STAGE;
  for (let look = 0; look < looks; look++) {
    const share = SHARES[Math.floor(look / LOOKS_PER_STAGE)] ?? 0.5;
    for (let unit = 0; unit < 200; unit++)
      (random.happens(share) ? pair.treatment : pair.control).add(hundredths(level(look / looks) + random.normal()));
    pair.units += 200;
    yield pair;
  }
}

const pooledOverStages = (pair: Pair): Contrast | undefined => {
  const [a, b] = [pair.control.moments(), pair.treatment.moments()];
  return isBurntIn(a, b) ? contrastOf(a, b) : undefined;
};

const changingShares = (name: string, title: string, level: (progress: number) => number, isValid: boolean): Scenario =>
  scenario<Pair>({
    name,
    title,
    looks: SHARES.length * LOOKS_PER_STAGE,
    runs: { default: 1_500, long: 10_000 },
    msPerRun: 7,
    unfold: (random) => ramped(random, level),
    lines: (['less', 'greater'] as const).map((alternative) => ({
      method: `${isValid ? 'sequence' : 'wrong: stages added up'}, one-sided, ${alternative}`,
      claim: isValid ? atMost(0.05) : alternative === 'less' ? shown : above(0.05),
      alarms: (pair) => sequenceAlarms(pooledOverStages(pair), { alpha: 0.05, tightestAtUnits: 20_000, alternative }),
    })),
  });

const DAILY_LOOKS = 28;
const stalledBounds = groupSequentialBounds({
  informationFractions: [...Array.from({ length: 13 }, (_, look) => (look + 1) / 14), ...new Array<number>(15).fill(1)],
  alphaPerSide: 0.025,
  spending: { kind: 'obrien-fleming' },
  sides: 'symmetric',
});

/** Twenty looks on schedule. */
const SCHEDULED = 20;
const bounds = groupSequentialBounds({
  informationFractions: Array.from({ length: SCHEDULED }, (_, look) => (look + 1) / SCHEDULED),
  alphaPerSide: 0.025,
  spending: { kind: 'obrien-fleming' },
  sides: 'symmetric',
});

function* scheduled(random: Random): Generator<Pair> {
  const pair = emptyPair();
  for (let look = 0; look < SCHEDULED; look++) {
    for (let unit = 0; unit < 500; unit++) (random.happens(0.5) ? pair.treatment : pair.control).add(hundredths(5 + random.normal()));
    pair.units += 500;
    yield pair;
  }
}

const groupSequential = scenario<Pair>({
  name: 'group-sequential',
  title: 'A/A, normal metric, 20 scheduled looks at 500 units each',
  looks: SCHEDULED,
  runs: { default: 3_000, long: 20_000 },
  msPerRun: 2,
  unfold: scheduled,
  lines: [
    {
      method: 'O’Brien–Fleming spending, two-sided',
      claim: atMost(0.05),
      alarms: ({ control, treatment }, look) => {
        const contrast = contrastOf(control.moments(), treatment.moments());
        const z = bounds[look]?.z ?? null;
        return z !== null && contrast !== undefined && Math.abs(contrast.estimate) >= z * contrast.se;
      },
    },
  ],
});

interface Accumulating extends Pair {
  readonly values: number[];
}

/** Everybody enters on the first day and values keep growing: the number of units stands still while the estimate moves. */
function* accumulating(random: Random): Generator<Accumulating> {
  const UNITS = 400;
  const state: Accumulating = { ...emptyPair(), values: new Array<number>(UNITS).fill(0) };
  for (let day = 0; day < DAILY_LOOKS; day++) {
    state.values.forEach((before, unit) => {
      const arm = unit % 2 === 0 ? state.control : state.treatment;
      const after = before + hundredths(random.normal());
      if (day > 0) arm.remove(before);
      arm.add(after);
      state.values[unit] = after;
    });
    state.units = UNITS;
    yield state;
  }
}

const stalledClock = scenario<Accumulating>({
  name: 'stalled-clock',
  title: 'A/A, all units enter on day 1, open-ended metric, 28 daily looks',
  looks: DAILY_LOOKS,
  runs: { default: 1_000, long: 5_000 },
  msPerRun: 1.5,
  unfold: accumulating,
  lines: [
    {
      method: 'wrong: group-sequential bounds by a clock that stands still',
      claim: above(0.05),
      alarms: ({ control, treatment }, look) => {
        const contrast = contrastOf(control.moments(), treatment.moments());
        const z = stalledBounds[Math.min(look + 14, stalledBounds.length - 1)]?.z ?? null;
        return z !== null && contrast !== undefined && Math.abs(contrast.estimate) >= z * contrast.se;
      },
    },
  ],
});

export const clocks: readonly Scenario[] = [
  simulatedWeek,
  comingBack,
  changingShares('changing-shares', 'A/A, treatment share 1 %, 5 %, 25 %, 50 %, steady metric', () => 5, true),
  changingShares('changing-shares-drift', 'A/A, the same while the metric itself drifts by 0.2 σ', (progress) => 5 + 0.2 * progress, false),
  groupSequential,
  stalledClock,
];
