/** The sums that somebody asked for lately, moved forward to the moment asked for by what changed since, instead of counted anew. */
import { type ComparisonQuery, type ComparisonSums, END_OF_TIME, type FeedbackStore, meaningOf } from '@rampart/feedback-store';
import { ComparisonTotals } from '../looks/comparison-totals.js';

/** An open page asks every few seconds; nobody watches more of them through one process. */
const MOST_KEPT = 64;

type Counting = ConstructorParameters<typeof ComparisonTotals>[0];

interface Kept {
  readonly totals: ComparisonTotals;
  /** Until when it was counted, once `turn` is over. */
  knownUntilUs: number;
  /** One asks after the other: a change is added to the sums that it was counted from, and to no others. */
  turn: Promise<unknown>;
}

export class KeptSums {
  /** The one asked for last is the last. */
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly store: Counting & Pick<FeedbackStore, 'sums' | 'quantiles'>,
    private readonly most = MOST_KEPT,
  ) {}

  /** As `FeedbackStore.sums`, to the integer. */
  async sums(query: ComparisonQuery): Promise<ComparisonSums> {
    // Of a history that is still coming in nothing says what was there the last time.
    if (query.knownUntilUs === END_OF_TIME) return this.store.sums(query);
    if (query.quantiles !== true) return this.moved(query);
    // Order statistics can't be moved: they are counted beside the rest.
    const { quantiles: _, quantileLadder: __, quantilesByStratum: ___, ...movable } = query;
    const [sums, quantiles] = await Promise.all([this.moved(movable), this.store.quantiles(query)]);
    return { ...sums, quantiles };
  }

  private async moved(query: ComparisonQuery): Promise<ComparisonSums> {
    const { knownUntilUs } = query;
    const key = meaningOf(query);
    const kept = this.kept.get(key) ?? { totals: new ComparisonTotals(this.store), knownUntilUs: 0, turn: Promise.resolve() };
    this.remember(key, kept);
    const mine = kept.turn.then(async () => {
      // A look back leaves what is kept where it is.
      if (knownUntilUs < kept.knownUntilUs) return this.store.sums(query);
      const sums = (await kept.totals.at(new Map([[key, query]]))).get(key);
      kept.knownUntilUs = knownUntilUs;
      return sums ?? this.store.sums(query);
    });
    kept.turn = mine.catch(() => undefined);
    return mine;
  }

  private remember(key: string, kept: Kept): void {
    this.kept.delete(key);
    this.kept.set(key, kept);
    const [oldest] = this.kept.keys();
    if (this.kept.size > this.most && oldest !== undefined) this.kept.delete(oldest);
  }
}
