/** The evidence that results are made of, from the store. */
import { Injectable } from '@nestjs/common';
import {
  type ComparisonQuery,
  type ComparisonSums,
  type DuplicateCount,
  FeedbackStore,
  FeedbackViews,
  type MetricPreview,
} from '@rampart/feedback-store';
import { Evidence, type KnownQuery, type PreviewQuery, type SeenEvent } from '../results/evidence.source.js';
import { Watermark } from './watermark.js';

@Injectable()
export class StoredEvidence extends Evidence {
  constructor(
    private readonly store: FeedbackStore,
    private readonly views: FeedbackViews,
    private readonly known: Watermark,
  ) {
    super();
  }

  watermark(): Promise<number | null> {
    return this.known.now();
  }

  sums(query: ComparisonQuery): Promise<ComparisonSums> {
    return this.store.sums(query);
  }

  duplicates(query: ComparisonQuery): Promise<DuplicateCount> {
    return this.views.duplicates(query);
  }

  async importCompletedAtUs(project: string, environment: string): Promise<number | null> {
    return (await this.views.completedImport({ project, environment }))?.loggedAtUs ?? null;
  }

  seenEvents(project: string, environment: string): Promise<readonly SeenEvent[]> {
    return this.views.lastSeen({ project, environment });
  }

  knownEvents({ project, environment, afterUs, untilUs }: KnownQuery): Promise<readonly string[]> {
    return this.views.knownEvents({ project, environment }, afterUs, untilUs);
  }

  preview(query: PreviewQuery): Promise<MetricPreview> {
    return this.views.preview(query);
  }
}
