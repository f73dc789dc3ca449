/** The events of a scenario in the order they are sent: no I/O, no clock; the same scenario, seed and start give the same events. */
import { type CloudEvent, formatInstant } from '@rampart/contracts';
import { nearlyAllBelow } from '../scenario/distributions.js';
import type { Scenario } from '../scenario/scenario.js';
import { arrivalSeconds, expectedSeconds } from './arrivals.js';
import { type Assign, assignByScenario } from './assignment.js';
import { Behaviour, type Happening, type SimulatedUnit } from './behaviour.js';
import { type Clock, type Report, Reporting } from './reports.js';
import { Timeline } from './timeline.js';

export interface TimedEvent {
  /** When it is due. */
  readonly sendAtUs: number;
  /** When it truly happened; `event.time` says so by the unit's own clock. */
  readonly atUs: number;
  /** Of an event its name, else the experiment's key. */
  readonly name: string;
  readonly kind: Happening['kind'];
  readonly unit: SimulatedUnit;
  /** Sent before under the same id. */
  readonly isRepeat: boolean;
  /** Where it says when it was sent, the sender adds `sentat` as it sends: its own time and this much. */
  readonly sentAtAheadUs: number | undefined;
  readonly event: CloudEvent;
}

export interface TrafficOptions {
  /** Time runs so much faster, in the events too. */
  readonly speed?: number;
  readonly assign?: Assign;
}

export interface Traffic extends Iterable<TimedEvent> {
  /** So far. */
  readonly units: number;
  /** Reports that the scenario loses, so far. */
  readonly lost: number;
  /** In memory now: what units that have arrived do later. */
  readonly ahead: number;
}

/** @param startUs  when the first unit may arrive; times are cut to milliseconds, as services write them */
export const trafficOf = (
  scenario: Scenario,
  seed: number,
  startUs: number,
  { speed = 1, assign = assignByScenario }: TrafficOptions = {},
): Traffic => {
  if (!(speed > 0)) throw new RangeError(`speed must be above 0, got ${speed}`);
  return new ScenarioTraffic({ ...scenario, seed }, Math.floor(startUs / 1000) * 1000, speed, assign);
};

class ScenarioTraffic implements Traffic {
  units = 0;
  private readonly behaviour: Behaviour;
  private readonly reporting: Reporting;
  private readonly timeline = new Timeline<Report>();
  private readonly source: string;

  constructor(
    private readonly scenario: Scenario,
    private readonly startUs: number,
    private readonly speed: number,
    assign: Assign,
  ) {
    this.behaviour = new Behaviour(scenario, scenario.seed, startUs, assign);
    this.reporting = new Reporting(scenario, scenario.seed);
    this.source = scenario.source ?? `traffic/${scenario.key}`;
  }

  get lost(): number {
    return this.reporting.lost;
  }
  get ahead(): number {
    return this.timeline.size;
  }

  *[Symbol.iterator](): Generator<TimedEvent> {
    for (const seconds of arrivalSeconds(this.scenario)) {
      // Nothing is sent before its unit arrives: what is due by now is complete.
      yield* this.due(seconds);
      const unit = this.behaviour.unit(this.units++, seconds);
      for (const report of this.reporting.reports(unit, this.behaviour.happenings(unit))) this.timeline.add(report.sendSeconds, report);
    }
    yield* this.due(Number.MAX_VALUE);
  }

  private *due(untilSeconds: number): Generator<TimedEvent> {
    while (this.timeline.nextAt <= untilSeconds) {
      const report = this.timeline.take();
      if (report !== undefined) yield this.timed(report);
    }
  }

  private timed(report: Report): TimedEvent {
    const { unit, happening, clock, repeat } = report;
    const atUs = this.instant(happening.atSeconds);
    return {
      sendAtUs: this.instant(report.sendSeconds),
      atUs,
      name: happening.name,
      kind: happening.kind,
      unit,
      isRepeat: repeat !== undefined,
      sentAtAheadUs: clock?.saysSentAt === true ? aheadUs(clock) : undefined,
      event: cloudEvent(report, atUs + aheadUs(clock), this.source, this.scenario.unitType),
    };
  }

  private instant(seconds: number): number {
    return this.startUs + Math.round((seconds * 1000) / this.speed) * 1000;
  }
}

const aheadUs = (clock: Clock | undefined): number => (clock === undefined ? 0 : Math.round(clock.aheadSeconds * 1000) * 1000);

/** Fields without a value vanish in JSON. Written out, not spread: this is most of what an event costs here. */
const cloudEvent = ({ unit, happening, repeat }: Report, timeUs: number, source: string, unitType: string): CloudEvent => {
  const { type, name, assignment, value } = happening;
  const isOther = repeat?.hasOtherContent === true;
  // Not the unit's own id: ingestion would put its pseudonym there, and what is stored would not be what was acknowledged.
  const id = `${unit.id.replaceAll('-', '.')}-${happening.id}`;
  const time = textOf(timeUs);
  const ref = { type: unitType, id: unit.id };
  const properties = isOther
    ? { ...unit.properties, repeated: 'with other content' }
    : hasAny(unit.properties)
      ? unit.properties
      : undefined;
  if (type === 'metric.v1' || type === 'feedback.v1') {
    const said = isOther && value !== undefined ? value + 1 : value;
    return { specversion: '1.0', id, source, type, time, data: { unit: ref, name, value: said, properties } };
  }
  const { variant = '', reason } = assignment ?? {};
  return { specversion: '1.0', id, source, type, time, data: { unit: ref, experiment: name, variant, reason, properties } };
};

const secondTexts = { second: Number.NaN, text: '' };

/** Neighbours share their second: only the milliseconds differ. */
const textOf = (atUs: number): string => {
  const second = Math.floor(atUs / 1_000_000);
  if (second !== secondTexts.second) {
    secondTexts.second = second;
    secondTexts.text = formatInstant(second * 1_000_000).slice(0, -4);
  }
  return `${secondTexts.text}${String(Math.floor((atUs - second * 1_000_000) / 1000)).padStart(3, '0')}Z`;
};

const hasAny = (record: object): boolean => {
  for (const _ in record) return true;
  return false;
};

/** @returns seconds until nearly everything is sent: the last arrival and what follows it; Infinity where units arrive for ever */
export const lengthSeconds = (scenario: Scenario): number => {
  const { experiments, events, sending } = scenario;
  const longest = (numbers: readonly number[]): number => Math.max(0, ...numbers);
  const exposure = longest(
    experiments.map(({ exposureDelay, twoArms }) => nearlyAllBelow(exposureDelay) + (twoArms ? nearlyAllBelow(twoArms.after) : 0)),
  );
  const outcomes = longest(
    events.map(({ delay, spacing = delay, count }) => nearlyAllBelow(delay) + Math.max(0, nearlyAllBelow(count) - 1) * spacing.mean),
  );
  const late = longest(sending.late.map(({ by }) => nearlyAllBelow(by))) + (sending.twice ? nearlyAllBelow(sending.twice.after) : 0);
  return expectedSeconds(scenario) + exposure + outcomes + sending.shuffleSeconds + late;
};
