/** The one order in which sums are given, whoever counted them. */
import type { CellSums, PopulationCount, StratumCount } from '../feedback-store.js';

/** By code unit, not by locale: digests depend on it. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const byCell = (a: CellSums, b: CellSums): number => a.cell - b.cell || a.segment - b.segment || byText(a.stratum, b.stratum);

export const byPopulation = (a: PopulationCount, b: PopulationCount): number =>
  a.cell - b.cell || a.segment - b.segment || byText(a.kind, b.kind) || byText(a.stratum ?? '', b.stratum ?? '');

export const mostFrequent = (counts: readonly StratumCount[], limit: number): readonly StratumCount[] =>
  [...counts].sort((a, b) => b.units - a.units || byText(a.value, b.value)).slice(0, limit);
