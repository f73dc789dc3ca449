/** Evidence for specs that is counted from rows by the definition of sums. */
import type { FeedbackRow } from '@rampart/contracts';
import {
  type ComparisonQuery,
  type ComparisonSums,
  MemoryFeedbackStore,
  type StratumCount,
  type TrackedCount,
} from '@rampart/feedback-store';
import { KeptSums } from '../feedback/kept-sums.js';
import { EvidenceOf, type StoredEvidence } from './evidence.examples.js';

/** When every example unit is exposed. */
export const EXPOSED_AT = 2_000_000;

export interface ExampleUnit {
  readonly variant: string;
  /** In the experiment `banner`, at the same moment; absent: the unit never met it. */
  readonly inBanner?: string;
  readonly properties?: FeedbackRow['properties'];
  /** Values of events by name: of those before the exposure the name begins with `before:`. */
  readonly events?: Readonly<Record<string, readonly number[]>>;
}

/** @returns evidence of these units of the example experiment, each exposed at the same moment, everything known when it happened */
export class CountedEvidence extends EvidenceOf {
  private readonly store = new MemoryFeedbackStore();
  private readonly kept = new KeptSums(this.store);

  constructor(
    private readonly units: readonly ExampleUnit[],
    about: Partial<StoredEvidence> = {},
  ) {
    super({ watermarkUs: 100_000_000, sumsAt: () => ({ cells: [], population: [], lateExposures: 0, crossedLate: 0 }), ...about });
  }

  override async sums(query: ComparisonQuery): Promise<ComparisonSums> {
    await this.fill();
    return this.store.sums(query);
  }

  override async currentSums(query: ComparisonQuery): Promise<ComparisonSums> {
    await this.fill();
    return this.kept.sums(query);
  }

  override async strata(query: ComparisonQuery, property: string, limit: number): Promise<readonly StratumCount[]> {
    await this.fill();
    return this.store.strata(query, property, limit);
  }

  override async tracked(query: ComparisonQuery): Promise<readonly TrackedCount[]> {
    await this.fill();
    return this.store.tracked(query);
  }

  private filled = false;

  private async fill(): Promise<void> {
    if (this.filled) return;
    this.filled = true;
    const rows = this.units.flatMap(rowsOfUnit);
    await this.store.insert(
      rows.map((row, place) => ({ row, position: BigInt(place), knownAtUs: row.at })),
      [],
    );
  }
}

const rowsOfUnit = ({ variant, inBanner, properties, events = {} }: ExampleUnit, index: number): readonly FeedbackRow[] => {
  const about = {
    project: 'shop',
    environment: 'past',
    unitType: 'user',
    unit: index.toString(16).padStart(32, '0'),
    source: 'spec',
    digest: '0'.repeat(16),
    key: 'k',
  };
  const told = Object.entries(events).flatMap(([name, values]) =>
    values.map((value, place): FeedbackRow => {
      const isBefore = name.startsWith('before:');
      const at = EXPOSED_AT + (isBefore ? -1000 : 1000) + place;
      const millionths = String(Math.round(value * 1e6));
      return { ...about, kind: 'metric', name: name.replace('before:', ''), id: `${name}-${index}-${place}`, at, value: millionths };
    }),
  );
  const exposure: FeedbackRow = {
    ...about,
    kind: 'exposure',
    name: 'button',
    id: `exposure-${index}`,
    at: EXPOSED_AT,
    variant,
    segment: 1,
    reason: 'SPLIT',
    ...(properties === undefined ? {} : { properties }),
  };
  const elsewhere = inBanner === undefined ? [] : [{ ...exposure, name: 'banner', id: `banner-${index}`, variant: inBanner }];
  return [exposure, ...elsewhere, ...told];
};
