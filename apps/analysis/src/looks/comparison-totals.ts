/** The sums of every watched comparison, moved forward by what changed since the last look instead of counted anew. */

import { isDeepStrictEqual } from 'node:util';
import type { InstantUs } from '@rampart/contracts';
import { addSums, type ComparisonQuery, type ComparisonSums, type FeedbackStore, meaningOf } from '@rampart/feedback-store';

interface Total {
  /** The query without its known time: another one has other sums. */
  readonly meaning: string;
  readonly knownUntilUs: InstantUs;
  readonly sums: ComparisonSums;
}

/** Order statistics can't be moved: they are counted whole at each look. */
interface Ranked {
  readonly meaning: string;
  readonly knownUntilUs: InstantUs;
  readonly quantiles: NonNullable<ComparisonSums['quantiles']>;
}

/** New comparisons, and order statistics, are counted for so long in one look: those that are only moved don't wait for them. */
const COUNT_FOR_MS = 1_000;

export class ComparisonTotals {
  private readonly totals = new Map<string, Total>();
  /** Whose turn was longest ago is the first. */
  private readonly ranked = new Map<string, Ranked>();
  /** Of the store: totals of another filling are not its rows'. */
  private filling: string | undefined;

  constructor(
    private readonly store: Pick<FeedbackStore, 'sums' | 'quantiles' | 'delta' | 'identity' | 'erasedUnits' | 'lastErasureUs'>,
    private readonly countForMs = COUNT_FOR_MS,
  ) {}

  /**
   * @param queries  by comparison; all with the same known time
   * @returns the sums of each that is moved, and of the new ones, and of those with order statistics, as many as can be counted meanwhile, one at least: the
   * others' turn comes with the next looks
   */
  async at(queries: ReadonlyMap<string, ComparisonQuery>): Promise<ReadonlyMap<string, ComparisonSums>> {
    const sums = new Map(await this.movable(new Map([...queries].map(([key, query]) => [key, withoutQuantiles(query)]))));
    const asked = [...queries].filter(([key, { quantiles }]) => quantiles === true && sums.has(key));
    const ranked = await this.rankedOf(asked);
    for (const [key] of asked) {
      const [own, quantiles] = [sums.get(key), ranked.get(key)];
      if (own === undefined || quantiles === undefined) sums.delete(key);
      else sums.set(key, { ...own, quantiles });
    }
    return sums;
  }

  private async movable(queries: ReadonlyMap<string, ComparisonQuery>): Promise<ReadonlyMap<string, ComparisonSums>> {
    if (queries.size === 0) return new Map();
    const filling = await this.store.identity();
    if (filling !== this.filling) {
      this.totals.clear();
      this.ranked.clear();
    }
    this.filling = filling;
    await this.forgetErased(queries);
    const sums = new Map<string, ComparisonSums>();
    for (const [sinceUs, group] of this.byLastLook(queries)) {
      const moved = sinceUs === null ? await this.counted(group) : await this.moved(group, sinceUs);
      for (const [key, total] of moved) {
        this.totals.set(key, total);
        sums.set(key, total.sums);
      }
    }
    return sums;
  }

  /** Forgets all other comparisons: nobody looks at them any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const kept of [this.totals, this.ranked]) for (const key of kept.keys()) if (!keys.has(key)) kept.delete(key);
  }

  /** Counts one comparison from all its rows and keeps that. @returns whether the kept total was the same */
  async recount(key: string, query: ComparisonQuery): Promise<boolean> {
    const total = this.totals.get(key);
    if (total === undefined) return true;
    const sums = await this.store.sums({ ...withoutQuantiles(query), knownUntilUs: total.knownUntilUs });
    const isSame = isDeepStrictEqual(sums, total.sums);
    if (!isSame) this.totals.set(key, { ...total, sums });
    return isSame;
  }

  /** What was counted with a unit that is no more can't be moved: neither what it had now nor what it had then is there. */
  private async forgetErased(queries: ReadonlyMap<string, ComparisonQuery>): Promise<void> {
    const lastUs = await this.store.lastErasureUs();
    if (lastUs === null) return;
    for (const [key, query] of queries) {
      const total = this.totals.get(key);
      if (total === undefined || total.knownUntilUs >= lastUs) continue;
      if ((await this.store.erasedUnits(query, total.knownUntilUs)) === 0) continue;
      this.totals.delete(key);
      this.ranked.delete(key);
    }
  }

  private byLastLook(queries: ReadonlyMap<string, ComparisonQuery>): ReadonlyMap<InstantUs | null, ReadonlyMap<string, ComparisonQuery>> {
    const groups = new Map<InstantUs | null, Map<string, ComparisonQuery>>();
    for (const [key, query] of queries) {
      const total = this.totals.get(key);
      const isContinued = total !== undefined && total.meaning === meaningOf(query) && total.knownUntilUs <= query.knownUntilUs;
      const since = isContinued ? total.knownUntilUs : null;
      const group = groups.get(since) ?? new Map<string, ComparisonQuery>();
      groups.set(since, group.set(key, query));
    }
    return groups;
  }

  private async counted(queries: ReadonlyMap<string, ComparisonQuery>): Promise<ReadonlyMap<string, Total>> {
    const totals = new Map<string, Total>();
    const startedMs = performance.now();
    // One after another: each takes all cores already.
    for (const [key, query] of queries) {
      totals.set(key, totalOf(query, await this.store.sums(query)));
      if (performance.now() - startedMs >= this.countForMs) break;
    }
    return totals;
  }

  private async rankedOf(asked: readonly (readonly [string, ComparisonQuery])[]): Promise<ReadonlyMap<string, Ranked['quantiles']>> {
    const turns = [...this.ranked.keys()];
    const inTurn = asked.toSorted(([a], [b]) => turns.indexOf(a) - turns.indexOf(b));
    const found = new Map<string, Ranked['quantiles']>();
    const startedMs = performance.now();
    for (const [key, query] of inTurn) {
      const kept = this.ranked.get(key);
      // Counted as of this moment already, by a look that came to nothing.
      const isCounted = kept?.meaning === meaningOf(query) && kept.knownUntilUs === query.knownUntilUs;
      if (!isCounted && found.size > 0 && performance.now() - startedMs >= this.countForMs) continue;
      const quantiles = isCounted ? kept.quantiles : await this.store.quantiles(query);
      this.ranked.delete(key);
      this.ranked.set(key, { meaning: meaningOf(query), knownUntilUs: query.knownUntilUs, quantiles });
      found.set(key, quantiles);
    }
    return found;
  }

  private async moved(queries: ReadonlyMap<string, ComparisonQuery>, sinceUs: InstantUs): Promise<ReadonlyMap<string, Total>> {
    const deltas = await this.store.delta([...queries.values()], sinceUs);
    const totals = new Map<string, Total>();
    let index = 0;
    for (const [key, query] of queries) {
      const [before, delta] = [this.totals.get(key), deltas[index++]];
      if (before === undefined || delta === undefined) throw new Error(`no total or no delta for ${key}`);
      totals.set(key, totalOf(query, addSums(before.sums, delta)));
    }
    return totals;
  }
}

const totalOf = (query: ComparisonQuery, sums: ComparisonSums): Total => ({
  meaning: meaningOf(query),
  knownUntilUs: query.knownUntilUs,
  sums,
});

const withoutQuantiles = ({ quantiles: _, quantileLadder: __, quantilesByStratum: ___, ...query }: ComparisonQuery): ComparisonQuery =>
  query;
