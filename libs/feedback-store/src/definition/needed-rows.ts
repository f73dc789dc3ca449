/** How far back a comparison reaches: what became known before that moment is in none of its sums. */
import type { InstantUs } from '@rampart/contracts';
import type { ComparisonQuery } from '../feedback-store.js';
import { measured } from './measures.js';

/** A client's clock may be so far ahead of the log's, and an event then known before it happened. */
const CLOCKS_APART_US = 86_400_000_000;

/** From the start of its first segment on; before it, as far as covariates look back. */
export const neededSinceUs = ({ segments, timeline, metrics }: ComparisonQuery): InstantUs => {
  const starts = timeline.filter(({ segment }) => segments.includes(segment)).map(({ fromUs }) => fromUs);
  const lookbacks = metrics.flatMap((metric) => measured(metric).covariates.map(({ lookbackUs }) => lookbackUs));
  return Math.min(...starts) - Math.max(0, ...lookbacks) - CLOCKS_APART_US;
};
