/** From what happened to what is sent of it, and when: lost, late, overtaken, twice, by a wrong clock. */
import { drawn } from '../scenario/distributions.js';
import type { Scenario, Sending } from '../scenario/scenario.js';
import type { Happening, SimulatedUnit } from './behaviour.js';
import { fnv32a, randomOf } from './random.js';

export interface Report {
  readonly sendSeconds: number;
  readonly unit: SimulatedUnit;
  readonly happening: Happening;
  readonly clock: Clock | undefined;
  /** Undefined for what is sent the first time. */
  readonly repeat: { readonly hasOtherContent: boolean } | undefined;
}

export interface Clock {
  readonly aheadSeconds: number;
  readonly saysSentAt: boolean;
}

export class Reporting {
  /** On purpose, as the scenario says. */
  lost = 0;
  private readonly sending: Sending;

  constructor(
    private readonly scenario: Scenario,
    private readonly seed: number,
  ) {
    this.sending = scenario.sending;
  }

  /** @param happenings  all of one unit */
  reports(unit: SimulatedUnit, happenings: readonly Happening[]): readonly Report[] {
    const random = randomOf(this.seed, unit.index, SENDING);
    const { twice, late, shuffleSeconds, clock: clocks } = this.sending;
    const clock =
      clocks !== undefined && random.isTrue(clocks.share)
        ? { aheadSeconds: drawn(clocks.offset, random), saysSentAt: clocks.saysSentAt }
        : undefined;
    const reports: Report[] = [];
    for (const happening of happenings) {
      if (this.isLost(unit, happening, () => random.uniform())) {
        this.lost++;
        continue;
      }
      let sendSeconds = happening.atSeconds + (shuffleSeconds > 0 ? shuffleSeconds * random.uniform() : 0);
      for (const { share, by, what } of late)
        if ((what === undefined || what === happening.kind) && random.isTrue(share)) sendSeconds += Math.max(0, drawn(by, random));
      reports.push({ sendSeconds, unit, happening, clock, repeat: undefined });
      if (twice === undefined || !random.isTrue(twice.share)) continue;
      const again = sendSeconds + Math.max(0, drawn(twice.after, random));
      reports.push({ sendSeconds: again, unit, happening, clock, repeat: { hasOtherContent: random.isTrue(twice.otherContent) } });
    }
    return reports;
  }

  private isLost(unit: SimulatedUnit, happening: Happening, chance: () => number): boolean {
    return this.sending.lost.some((rule) => {
      if (rule.what !== happening.kind) return false;
      if (rule.event !== undefined && rule.event !== happening.name) return false;
      if (unit.arrivedSeconds < rule.fromSeconds || unit.arrivedSeconds >= (rule.untilSeconds ?? Number.POSITIVE_INFINITY)) return false;
      if (!Object.entries(rule.where).every(([property, value]) => unit.properties[property] === value)) return false;
      if (rule.experiment !== undefined && !this.concerns(rule.experiment, rule.variant, unit, happening)) return false;
      return chance() < rule.share;
    });
  }

  /** A report of the experiment itself, or an event of a unit in it. */
  private concerns(key: string, variant: string | undefined, unit: SimulatedUnit, { kind, name, assignment }: Happening): boolean {
    const place = this.scenario.experiments.findIndex((experiment) => experiment.key === key);
    if (kind !== 'event') return name === key && (variant === undefined || assignment?.variant === variant);
    const own = unit.assignments[place];
    return own !== undefined && (variant === undefined || own.variant === variant);
  }
}

const SENDING = fnv32a('sending');
