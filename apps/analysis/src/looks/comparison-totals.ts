/** The sums of every watched comparison, moved forward by what changed since the last look instead of counted anew. */

import { isDeepStrictEqual } from 'node:util';
import { canonicalJson, type InstantUs } from '@rampart/contracts';
import { addSums, type ComparisonQuery, type ComparisonSums, type FeedbackStore } from '@rampart/feedback-store';

interface Total {
  /** The query without its known time: another one has other sums. */
  readonly meaning: string;
  readonly knownUntilUs: InstantUs;
  readonly sums: ComparisonSums;
}

/** New comparisons are counted for so long in one look: those that are only moved don't wait for them. */
const COUNT_FOR_MS = 1_000;

export class ComparisonTotals {
  private readonly totals = new Map<string, Total>();
  /** Of the store: totals of another filling are not its rows'. */
  private filling: string | undefined;

  constructor(
    private readonly store: Pick<FeedbackStore, 'sums' | 'delta' | 'identity' | 'erasedUnits' | 'lastErasureUs'>,
    private readonly countForMs = COUNT_FOR_MS,
  ) {}

  /**
   * @param queries  by comparison; all with the same known time
   * @returns the sums of each that is moved, and of the new ones as many as can be counted meanwhile, one at least: the others' turn comes with the
   * next looks
   */
  async at(queries: ReadonlyMap<string, ComparisonQuery>): Promise<ReadonlyMap<string, ComparisonSums>> {
    const filling = await this.store.identity();
    if (filling !== this.filling) this.totals.clear();
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
    for (const key of this.totals.keys()) if (!keys.has(key)) this.totals.delete(key);
  }

  /** Counts one comparison from all its rows and keeps that. @returns whether the kept total was the same */
  async recount(key: string, query: ComparisonQuery): Promise<boolean> {
    const total = this.totals.get(key);
    if (total === undefined) return true;
    const sums = await this.store.sums({ ...query, knownUntilUs: total.knownUntilUs });
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
      if ((await this.store.erasedUnits(query, total.knownUntilUs)) > 0) this.totals.delete(key);
    }
  }

  private byLastLook(queries: ReadonlyMap<string, ComparisonQuery>): ReadonlyMap<InstantUs | null, ReadonlyMap<string, ComparisonQuery>> {
    const groups = new Map<InstantUs | null, Map<string, ComparisonQuery>>();
    for (const [key, query] of queries) {
      const total = this.totals.get(key);
      const isContinued =
        query.quantiles !== true && total !== undefined && total.meaning === meaningOf(query) && total.knownUntilUs <= query.knownUntilUs;
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
      totals.set(key, this.keptOf(key, query) ?? totalOf(query, await this.store.sums(query)));
      if (performance.now() - startedMs >= this.countForMs) break;
    }
    return totals;
  }

  /** What can't be moved need not be counted twice as of one moment. */
  private keptOf(key: string, query: ComparisonQuery): Total | undefined {
    const total = this.totals.get(key);
    return total?.meaning === meaningOf(query) && total.knownUntilUs === query.knownUntilUs ? total : undefined;
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

const meaningOf = ({ knownUntilUs: _, ...meaning }: ComparisonQuery): string => canonicalJson(meaning);
