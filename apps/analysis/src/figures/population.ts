/** Who was seen, who is counted and why others are not; and whether the cells hold the shares that were designed. */
import type { ExperimentDefinition, Population, PopulationRow, SrmResult } from '@rampart/contracts';
import type { ComparisonSums, DuplicateCount, PopulationCount } from '@rampart/feedback-store';
import { srmChiSquare, srmSequential } from '@rampart/statistics';
import { designCells } from '../definitions/definition-in-force.js';

const EXCLUSIONS = ['own-choice', 'override', 'unknown-variant', 'reason-unknown', 'two-arms', 'not-randomised'] as const;

/** Stands for variants that the definition does not have. */
const UNKNOWN = '(not in the definition)';

export const populationOf = (experiment: ExperimentDefinition, sums: ComparisonSums, duplicates: DuplicateCount): Population => {
  const known = designCells(experiment).map((cell, index) => rowOf(cell, ofCell(sums.population, index)));
  const unknown = ofCell(sums.population, -1);
  const rows = unitsIn(unknown) === 0 ? known : [...known, rowOf({ variant: UNKNOWN, arm: UNKNOWN }, unknown)];
  return {
    units: unitsIn(sums.population),
    counted: rows.reduce((sum, row) => sum + row.counted, 0),
    rows,
    crossedLate: sums.crossedLate,
    lateExposures: sums.lateExposures,
    duplicates: {
      accepted: duplicates.accepted,
      stored: duplicates.stored,
      duplicates: duplicates.duplicates,
      idsReused: duplicates.idsReused,
    },
  };
};

const ofCell = (counts: readonly PopulationCount[], cell: number) => counts.filter((count) => count.cell === cell);
const unitsIn = (counts: readonly PopulationCount[]) => counts.reduce((sum, count) => sum + count.units, 0);

const rowOf = (cell: { readonly variant: string; readonly arm: string }, counts: readonly PopulationCount[]): PopulationRow => {
  const of = (kind: PopulationCount['kind']) => unitsIn(counts.filter((count) => count.kind === kind));
  const excluded = Object.fromEntries(EXCLUSIONS.map((kind) => [kind, of(kind)])) as PopulationRow['excluded'];
  return { variant: cell.variant, arm: cell.arm, exposed: unitsIn(counts), counted: of('counted'), excluded };
};

/** Units in the analysis set, by arm. */
export const countedByArm = (population: readonly Pick<PopulationRow, 'arm' | 'counted'>[]): Readonly<Record<string, number>> => {
  const counted: Record<string, number> = {};
  for (const { arm, counted: units } of population) counted[arm] = (counted[arm] ?? 0) + units;
  return counted;
};

const NOTE =
  'tested over the units of the analysis set, by the cell of their first exposure: units seen in two arms and units that were not randomised are left out on both sides';

/** χ² is an approximation: below this expectation per cell it is not shown. */
export const SMALLEST_EXPECTATION = 5;

/**
 * Cells against their weights; cells of weight 0 take no part.
 * @param alarmAtE  of the test that holds at every look; null where there is one look
 */
export const sampleRatio = (experiment: ExperimentDefinition, population: Population, alarmAtE: number | null = null): SrmResult => {
  const { variants, plan } = experiment;
  const counted = new Map(population.rows.map((row) => [row.variant, row.counted]));
  const observed = variants.map((variant) => counted.get(variant.key) ?? 0);
  const about = {
    observed: Object.fromEntries(variants.map((variant, index) => [variant.key, observed[index] ?? 0])),
    weights: Object.fromEntries(variants.map((variant) => [variant.key, variant.weight])),
    note: NOTE,
  };
  const weights = variants.flatMap((variant) => (variant.weight === null ? [] : [variant.weight]));
  const anytime = alarmAtE === null || weights.length < variants.length ? null : ratioAtAnyLook(observed, weights, alarmAtE);
  return { ...about, test: ratioAtOneLook(observed, weights, plan.srmAlpha), anytime };
};

const ratioAtOneLook = (observed: readonly number[], weights: readonly number[], alpha: number): SrmResult['test'] => {
  if (weights.length < observed.length) return { refused: 'NO_DESIGN_RATIO' };
  const test = srmChiSquare(observed, weights);
  if (test.kind === 'not-testable') return { refused: test.reason };
  if (test.expected.some((expected, index) => (weights[index] ?? 0) > 0 && expected < SMALLEST_EXPECTATION))
    return { refused: 'TOO_FEW_UNITS' };
  const { chi2, df, p, logP } = test;
  return { chi2, df, p, logP, failed: p < alpha };
};

/** Segments of a comparison have equal weights, so that all of it is one period. */
const ratioAtAnyLook = (observed: readonly number[], weights: readonly number[], alarmAtE: number): SrmResult['anytime'] => {
  const { logE, p, logP } = srmSequential([{ observed, weights }]);
  return { logE, p, logP, alarmAtE, failed: logE >= Math.log(alarmAtE) };
};
