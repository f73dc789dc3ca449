/** Order statistics of comparisons as of successive moments: each a count of all rows, and the same for ever, so that it is made once, beside whoever asks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type ComparisonQuery, type ComparisonSums, type FeedbackStore, meaningOf } from '@rampart/feedback-store';

export type Quantiles = NonNullable<ComparisonSums['quantiles']>;

const KEPT = 1_000;

export class CountedQuantiles {
  private readonly log = new Logger(CountedQuantiles.name);
  private readonly counted = new Map<string, Quantiles>();
  /** By series: what was asked for last, and is not counted yet. An older wish is forgotten, for its newest moment is nobody's any more. */
  private readonly wanted = new Map<string, readonly ComparisonQuery[]>();
  private working: Promise<void> = Promise.resolve();
  private isWorking = false;
  private underWay: string | undefined;

  constructor(private readonly store: Pick<FeedbackStore, 'quantiles'>) {}

  of(query: ComparisonQuery): Quantiles | undefined {
    return this.counted.get(keyOf(query));
  }

  /**
   * Has them counted one after another, the first ones first; several series take turns.
   * @param queries  of one series
   * @returns when nothing is left to count, or after `patienceMs`: what is missing then is being counted
   */
  async count(queries: readonly ComparisonQuery[], patienceMs: number): Promise<void> {
    const [first] = queries;
    if (first === undefined) return;
    const missing = queries.filter((query) => this.of(query) === undefined && keyOf(query) !== this.underWay);
    if (queries.every((query) => this.of(query) !== undefined)) return;
    this.wanted.set(meaningOf(first), missing);
    if (!this.isWorking) this.working = this.work();
    const waiting = new AbortController();
    const patience = sleep(patienceMs, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined);
    await Promise.race([this.working, patience]);
    waiting.abort();
  }

  private async work(): Promise<void> {
    this.isWorking = true;
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const [series, query] = next;
      const key = keyOf(query);
      this.underWay = key;
      try {
        this.keep(key, await this.store.quantiles(query));
      } catch (error) {
        // Whoever asks again has them counted again.
        this.wanted.delete(series);
        this.log.warn(`quantiles as of an earlier moment could not be counted: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.underWay = undefined;
    this.isWorking = false;
  }

  private next(): readonly [series: string, query: ComparisonQuery] | undefined {
    for (const [series, [query, ...later]] of this.wanted) {
      this.wanted.delete(series);
      if (query === undefined) continue;
      // At the end of the line.
      this.wanted.set(series, later);
      return [series, query];
    }
    return undefined;
  }

  private keep(key: string, quantiles: Quantiles): void {
    this.counted.set(key, quantiles);
    const [oldest] = this.counted.keys();
    if (this.counted.size > KEPT && oldest !== undefined) this.counted.delete(oldest);
  }
}

const keyOf = (query: ComparisonQuery): string => `${meaningOf(query)} ${query.knownUntilUs}`;
