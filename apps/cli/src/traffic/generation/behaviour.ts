/** What one unit is and does: pure, of the scenario, the seed and the unit's number. */
import { drawn } from '../scenario/distributions.js';
import { type Change, changedBy, type Scenario, type ScenarioEvent, type ScenarioExperiment } from '../scenario/scenario.js';
import type { Assign, Assignment } from './assignment.js';
import { fnv32a, type Random, randomOf } from './random.js';

export type Properties = Readonly<Record<string, string>>;

export interface SimulatedUnit {
  readonly index: number;
  readonly id: string;
  readonly arrivedSeconds: number;
  readonly properties: Properties;
  /** One per experiment of the scenario. */
  readonly assignments: readonly (Assignment | undefined)[];
}

/** Something that truly happened. Its `id` is unique within the unit. */
export interface Happening {
  readonly kind: 'assignment' | 'exposure' | 'event';
  readonly id: string;
  readonly atSeconds: number;
  /** Of an event its name, else the experiment's key. */
  readonly name: string;
  readonly type: 'assignment.v1' | 'exposure.v1' | 'metric.v1' | 'feedback.v1';
  readonly assignment?: Assignment;
  readonly value?: number;
}

interface Influence {
  readonly experiment: number;
  readonly variant: string;
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  readonly probability: Change | undefined;
  readonly value: Change | undefined;
  readonly count: Change | undefined;
}
interface PreparedEvent extends ScenarioEvent {
  readonly index: number;
  readonly purpose: number;
  readonly influences: readonly Influence[];
}
interface PreparedExperiment extends ScenarioExperiment {
  readonly index: number;
  readonly purpose: number;
}

export class Behaviour {
  private readonly events: readonly PreparedEvent[];
  private readonly experiments: readonly PreparedExperiment[];
  private readonly properties: readonly {
    readonly name: string;
    readonly purpose: number;
    readonly shares: readonly (readonly [string, number])[];
  }[];
  private readonly run: string;

  constructor(
    private readonly scenario: Scenario,
    private readonly seed: number,
    startUs: number,
    private readonly assign: Assign,
  ) {
    this.run = runOf(seed, startUs);
    this.experiments = scenario.experiments.map((one, index) => ({ ...one, index, purpose: fnv32a(`experiment ${one.key}`) }));
    this.events = scenario.events.map((one, index) => ({
      ...one,
      index,
      purpose: fnv32a(`event ${one.name}`),
      influences: influencesOn(one.name, scenario.experiments),
    }));
    this.properties = Object.entries(scenario.properties).map(([name, shares]) => ({
      name,
      purpose: fnv32a(`property ${name}`),
      shares: Object.entries(shares),
    }));
  }

  unit(index: number, arrivedSeconds: number): SimulatedUnit {
    const id = `${this.scenario.key}-${this.run}-${index.toString(36)}`;
    const properties: Record<string, string> = {};
    for (const { name, purpose, shares } of this.properties) {
      const value = chosen(shares, randomOf(this.seed, index, purpose).uniform());
      if (value !== undefined) properties[name] = value;
    }
    const assignments = this.experiments.map((experiment) => this.assigned(experiment, id, randomOf(this.seed, index, experiment.purpose)));
    return { index, id, arrivedSeconds, properties, assignments };
  }

  happenings(unit: SimulatedUnit): readonly Happening[] {
    const early = this.events.flatMap((event) => (event.beforeExposure > 0 ? this.eventsOf(event, unit, 'early') : []));
    const all: Happening[] = [];
    let exposedSeconds = unit.arrivedSeconds;
    for (const experiment of this.experiments) {
      const seen = this.exposuresOf(experiment, unit);
      for (const one of seen)
        if (one.kind === 'assignment' || early.length === 0) {
          all.push(one);
          // Outcomes follow the first exposure; a second arm may be seen later.
          if (one.id.startsWith('x')) exposedSeconds = Math.max(exposedSeconds, one.atSeconds);
        }
    }
    if (early.length > 0) return [...all, ...early];
    for (const event of this.events) all.push(...this.eventsOf(event, unit, 'after', exposedSeconds));
    return all;
  }

  private assigned(experiment: PreparedExperiment, unitId: string, random: Random): Assignment | undefined {
    const given = this.assign(experiment, unitId, random);
    if (given === undefined || experiment.choices.length === 0) return given;
    let point = random.uniform();
    for (const { reason, share, variant } of experiment.choices) {
      if (point < share) return { reason, variant };
      point -= share;
    }
    return given;
  }

  private exposuresOf(experiment: PreparedExperiment, unit: SimulatedUnit): readonly Happening[] {
    const assignment = unit.assignments[experiment.index];
    if (assignment === undefined) return [];
    const random = randomOf(this.seed, unit.index, experiment.purpose ^ EXPOSURES);
    const atSeconds = unit.arrivedSeconds + Math.max(0, drawn(experiment.exposureDelay, random));
    const of = { name: experiment.key, assignment };
    const found: Happening[] = [];
    const number = experiment.index.toString(36);
    if (experiment.sendsAssignments)
      found.push({ kind: 'assignment', type: 'assignment.v1', id: `a${number}`, atSeconds: unit.arrivedSeconds, ...of });
    found.push({ kind: 'exposure', type: 'exposure.v1', id: `x${number}`, atSeconds, ...of });
    const { twoArms, arms } = experiment;
    if (twoArms === undefined || arms.length < 2 || !random.isTrue(twoArms.share)) return found;
    const others = arms.filter(({ variant }) => variant !== assignment.variant);
    const other = others[Math.floor(random.uniform() * others.length)]?.variant ?? assignment.variant;
    const again = {
      ...of,
      assignment: { ...assignment, variant: other },
      atSeconds: atSeconds + Math.max(0, drawn(twoArms.after, random)),
    };
    return [...found, { kind: 'exposure', type: 'exposure.v1', id: `y${number}`, ...again }];
  }

  private eventsOf(
    event: PreparedEvent,
    unit: SimulatedUnit,
    when: 'early' | 'after',
    fromSeconds = unit.arrivedSeconds,
  ): readonly Happening[] {
    const random = randomOf(this.seed, unit.index, event.purpose);
    let { probability } = event;
    let valueMean = event.value?.mean ?? 0;
    let countMean = event.count.mean;
    for (const one of event.influences) {
      if (unit.assignments[one.experiment]?.variant !== one.variant) continue;
      if (unit.arrivedSeconds < one.fromSeconds || unit.arrivedSeconds >= one.untilSeconds) continue;
      if (one.probability !== undefined) probability = changedBy(probability, one.probability);
      if (one.value !== undefined) valueMean = changedBy(valueMean, one.value);
      if (one.count !== undefined) countMean = changedBy(countMean, one.count);
    }
    if (!random.isTrue(probability)) return [];
    if (when === 'early' && !random.isTrue(event.beforeExposure)) return [];
    const count = Math.round(drawn(event.count, random, countMean));
    const found: Happening[] = [];
    const prefix = `e${event.index.toString(36)}.`;
    let atSeconds = fromSeconds;
    for (let number = 0; number < count; number++) {
      atSeconds += Math.max(0, drawn(number === 0 ? event.delay : (event.spacing ?? event.delay), random));
      const value = event.value === undefined ? undefined : rounded(drawn(event.value, random, valueMean), event.decimals);
      const type = event.type === 'feedback' ? 'feedback.v1' : 'metric.v1';
      found.push({ kind: 'event', type, id: `${prefix}${number.toString(36)}`, atSeconds, name: event.name, value });
    }
    return found;
  }
}

const EXPOSURES = fnv32a('exposures');

/** Part of every id: runs that differ in seed or start share none. */
export const runOf = (seed: number, startUs: number): string => fnv32a(`${seed}/${startUs}`).toString(36).padStart(7, '0');

const influencesOn = (event: string, experiments: readonly ScenarioExperiment[]): readonly Influence[] =>
  experiments.flatMap(({ arms }, experiment) =>
    arms.flatMap(({ variant, effects }) =>
      effects
        .filter((effect) => effect.event === event)
        .map(({ probability, value, count, fromSeconds, untilSeconds = Number.POSITIVE_INFINITY }) => ({
          ...{ experiment, variant, fromSeconds, untilSeconds },
          ...{ probability, value, count },
        })),
    ),
  );

const chosen = (shares: readonly (readonly [string, number])[], point: number): string | undefined => {
  let left = point;
  for (const [value, share] of shares) {
    if (left < share) return value;
    left -= share;
  }
  return undefined;
};

const rounded = (value: number, decimals: number): number => {
  const scale = 10 ** decimals;
  // Not −0, which JSON would write as 0.
  return Math.round(value * scale) / scale + 0;
};
