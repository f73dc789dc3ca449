/** Sums of comparisons as of successive moments, each counted once: what was known at a moment does not change. */
import type { InstantUs } from '@rampart/contracts';
import { addSums, type ComparisonQuery, type ComparisonSums, type FeedbackStore, meaningOf } from '@rampart/feedback-store';

interface Counted {
  readonly atUs: InstantUs;
  readonly sums: ComparisonSums;
}

const KEPT_SERIES = 500;

export class CountedMoments {
  /** By the query without its known time: the newest moment that was counted, from which the next one is reached by what changed. */
  private readonly newest = new Map<string, Counted>();
  /** One after another, whoever asks: each takes all cores of the store. */
  private inHand: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: Pick<FeedbackStore, 'sums' | 'delta'>) {}

  at(query: ComparisonQuery): Promise<ComparisonSums> {
    const counted = this.inHand.then(() => this.counted(query));
    this.inHand = counted.catch(() => undefined);
    return counted;
  }

  private async counted(query: ComparisonQuery): Promise<ComparisonSums> {
    const series = meaningOf(query);
    const before = this.newest.get(series);
    const atUs = query.knownUntilUs;
    if (before?.atUs === atUs) return before.sums;
    const sums = await this.sumsAt(query, before);
    if (before === undefined || before.atUs < atUs) this.keep(series, { atUs, sums });
    return sums;
  }

  private async sumsAt(query: ComparisonQuery, before: Counted | undefined): Promise<ComparisonSums> {
    if (before === undefined || before.atUs > query.knownUntilUs) return this.store.sums(query);
    const [delta] = await this.store.delta([query], before.atUs);
    return delta === undefined ? this.store.sums(query) : addSums(before.sums, delta);
  }

  private keep(series: string, counted: Counted): void {
    // The one that was asked for last goes last.
    this.newest.delete(series);
    this.newest.set(series, counted);
    const [oldest] = this.newest.keys();
    if (this.newest.size > KEPT_SERIES && oldest !== undefined) this.newest.delete(oldest);
  }
}

/** As it was asked at that moment: segments that began later say nothing of it, so that a new stage leaves all earlier points as they are. */
export const askedAt = (query: ComparisonQuery, atUs: InstantUs): ComparisonQuery => {
  const [first, ...later] = query.timeline;
  const begun = later.filter(({ fromUs }) => fromUs <= atUs);
  const begunSegments = new Set([first, ...begun].map(({ segment }) => segment));
  const segments = query.segments.filter((segment) => begunSegments.has(segment));
  return {
    ...query,
    knownUntilUs: atUs,
    timeline: [first, ...begun],
    segments: segments.length > 0 ? segments : query.segments.slice(0, 1),
  };
};
