/** The evidence that results are made of, from the store. */
import { Injectable } from '@nestjs/common';
import {
  type ComparisonQuery,
  type ComparisonSums,
  type DuplicateCount,
  FeedbackStore,
  FeedbackViews,
  type MetricPreview,
  type StratumCount,
  type TrackedCount,
} from '@rampart/feedback-store';
import { Evidence, type KnownQuery, type PreviewQuery, type SeenEvent } from '../results/evidence.source.js';
import { KeptSums } from './kept-sums.js';
import { Watermark } from './watermark.js';

/**
 * What was sent before a completion may have a later known time in its own partition: those of one batch are told apart by their number, and servers of a
 * log by their clocks. So a completion is in force so much later, and whatever the log knew by then counts.
 */
const SETTLING_US = 1_000_000;

@Injectable()
export class StoredEvidence extends Evidence {
  private readonly kept: KeptSums;

  constructor(
    private readonly store: FeedbackStore,
    private readonly views: FeedbackViews,
    private readonly known: Watermark,
  ) {
    super();
    this.kept = new KeptSums(store);
  }

  watermark(): Promise<number | null> {
    return this.known.now();
  }

  sums(query: ComparisonQuery): Promise<ComparisonSums> {
    return this.store.sums(query);
  }

  currentSums(query: ComparisonQuery): Promise<ComparisonSums> {
    return this.kept.sums(query);
  }

  expiredUntil(query: ComparisonQuery): Promise<number | null> {
    return this.store.expiredUntil(query);
  }

  strata(query: ComparisonQuery, property: string, limit: number): Promise<readonly StratumCount[]> {
    return this.store.strata(query, property, limit);
  }

  tracked(query: ComparisonQuery): Promise<readonly TrackedCount[]> {
    return this.store.tracked(query);
  }

  duplicates(query: ComparisonQuery): Promise<DuplicateCount> {
    return this.views.duplicates(query);
  }

  async importCompletedAtUs(project: string, environment: string, byUs: number): Promise<number | null> {
    const completed = await this.views.completedImport({ project, environment, loggedUntilUs: byUs - SETTLING_US });
    return completed === null ? null : completed.loggedAtUs + SETTLING_US;
  }

  seenEvents(project: string, environment: string, loggedUntilUs?: number): Promise<readonly SeenEvent[]> {
    return this.views.lastSeen({ project, environment, loggedUntilUs });
  }

  laterRows(query: ComparisonQuery): Promise<number> {
    return this.views.laterRows(query);
  }

  erasedUnits(query: ComparisonQuery, sinceUs: number): Promise<number> {
    return this.store.erasedUnits(query, sinceUs);
  }

  knownEvents({ project, environment, afterUs, untilUs }: KnownQuery): Promise<readonly string[]> {
    return this.views.knownEvents({ project, environment }, afterUs, untilUs);
  }

  preview(query: PreviewQuery): Promise<MetricPreview> {
    return this.views.preview(query);
  }
}
