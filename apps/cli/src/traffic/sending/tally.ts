/** What became of the events sent: counted by code, by name and by arm. */
import type { ItemAnswer } from '@rampart/contracts';
import type { TimedEvent } from '../generation/traffic.js';

/** Experiment → variant → number of events. */
export type ByArm = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Rejected {
  readonly code: string;
  readonly count: number;
  readonly first: { readonly id: string; readonly path: string; readonly message: string };
}

export interface TrafficSummary {
  readonly sent: number;
  /** The log has them. */
  readonly acknowledged: number;
  readonly rejected: readonly Rejected[];
  /** Sent, and neither acknowledged nor rejected: nobody knows. 0 unless sending was given up. */
  readonly unacknowledged: number;
  readonly requests: number;
  readonly retries: number;
  /** By why; a few. */
  readonly retriedBecause: Readonly<Record<string, number>>;
  readonly longestBehindSeconds: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Of the acknowledged ones, repeats included. */
  readonly counts: {
    readonly assignments: ByArm;
    readonly exposures: ByArm;
    /** By name; a unit in several experiments counts under each. */
    readonly events: Readonly<Record<string, { readonly all: number; readonly byArm: ByArm }>>;
    readonly repeats: number;
  };
}

const MOST_REASONS = 20;

type Counts = Record<string, Record<string, number>>;

export class Tally {
  sent = 0;
  acknowledged = 0;
  rejectedCount = 0;
  requests = 0;
  retries = 0;
  longestBehindUs = 0;
  private repeats = 0;
  private readonly why = new Map<string, number>();
  private readonly codes = new Map<string, { count: number; first: Rejected['first'] }>();
  private readonly assignments: Counts = {};
  private readonly exposures: Counts = {};
  private readonly events: Record<string, { all: number; byArm: Counts }> = {};

  /** @param experiments  their keys, in the order of a unit's assignments */
  constructor(private readonly experiments: readonly string[]) {}

  get unacknowledged(): number {
    return this.sent - this.acknowledged - this.rejectedCount;
  }

  retried(why: string): void {
    this.retries++;
    if (this.why.size < MOST_REASONS || this.why.has(why)) this.why.set(why, (this.why.get(why) ?? 0) + 1);
  }

  answered(timed: TimedEvent, answer: ItemAnswer): void {
    if (answer.status === 'accepted') this.accept(timed);
    else {
      this.rejectedCount++;
      const { code, path, message } = answer;
      const known = this.codes.get(code);
      if (known === undefined) this.codes.set(code, { count: 1, first: { id: timed.event.id, path, message } });
      else known.count++;
    }
  }

  private accept({ event, kind, name, unit, isRepeat }: TimedEvent): void {
    this.acknowledged++;
    if (isRepeat) this.repeats++;
    if (event.type === 'exposure.v1' || event.type === 'assignment.v1') {
      increment(kind === 'exposure' ? this.exposures : this.assignments, name, event.data.variant);
      return;
    }
    this.events[name] ??= { all: 0, byArm: {} };
    const counted = this.events[name];
    counted.all++;
    for (const [index, key] of this.experiments.entries()) {
      const variant = unit.assignments[index]?.variant;
      if (variant !== undefined) increment(counted.byArm, key, variant);
    }
  }

  summary(elapsedMs: number): TrafficSummary {
    return {
      sent: this.sent,
      acknowledged: this.acknowledged,
      rejected: [...this.codes].map(([code, found]) => ({ code, ...found })),
      unacknowledged: this.unacknowledged,
      requests: this.requests,
      retries: this.retries,
      retriedBecause: Object.fromEntries(this.why),
      longestBehindSeconds: this.longestBehindUs / 1_000_000,
      seconds: elapsedMs / 1000,
      eventsPerSecond: elapsedMs <= 0 ? 0 : Math.round((this.acknowledged * 1000) / elapsedMs),
      counts: { assignments: this.assignments, exposures: this.exposures, events: this.events, repeats: this.repeats },
    };
  }
}

const increment = (counts: Counts, experiment: string, variant: string): void => {
  counts[experiment] ??= {};
  const arms = counts[experiment];
  arms[variant] = (arms[variant] ?? 0) + 1;
};
