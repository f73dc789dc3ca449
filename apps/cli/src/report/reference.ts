/** Compares results with reference answers that were computed elsewhere: counts and sums exactly, other figures to a relative 1e-9. */
import type { Comparison, Results } from '@rampart/contracts';
import { z } from 'zod';
import { parsePlacedJson } from '../plan/json-places.js';
import { usage } from '../refusal.js';

const figures = z.record(z.string(), z.union([z.number(), z.array(z.number()).length(2)]));
const arm = z.strictObject({ n: z.int(), sum: z.string().optional(), sumsq: z.string().optional(), mean: z.number(), var: z.number() });
const comparison = z.strictObject({
  diff: z.number(),
  se: z.number(),
  t: z.number(),
  df: z.number(),
  p_welch_t: z.number(),
  p_welch_z: z.number(),
  ci95_z: z.array(z.number()).length(2),
  ci95_t: z.array(z.number()).length(2),
  rel_diff: z.number().optional(),
  rel_diff_se_delta: z.number().optional(),
  holm: z.number().optional(),
  pooled_z: figures.optional(),
});
export type ReferenceComparison = z.infer<typeof comparison>;
const adjusted = z.strictObject({
  covariate: z.string(),
  theta: z.number(),
  units: z.int(),
  mean_x_all: z.number(),
  corr_yx_all: z.number(),
  arms: z.record(z.string(), z.strictObject({ n: z.int(), mean: z.number(), var: z.number(), variance_reduction: z.number() })),
  comparisons: z.record(z.string(), comparison),
});
const reference = z.strictObject({
  source: z.string().describe('from what and how the figures were computed'),
  population: z.strictObject({ units: z.int(), counted: z.int() }),
  srm: z
    .strictObject({ observed: z.record(z.string(), z.int()), chi2: z.number(), df: z.int(), p: z.number() })
    .nullable()
    .describe('null = no ratio is designed, none is tested'),
  metrics: z.record(
    z.string(),
    z.strictObject({
      arms: z.record(z.string(), arm),
      comparisons: z.record(z.string(), comparison),
      cuped: adjusted.optional(),
    }),
  ),
  verdict: z.enum(['go', 'no-go', 'continue', 'inconclusive', 'invalid']).optional(),
});
export type Reference = z.infer<typeof reference>;

export interface ReferenceOutcome {
  readonly compared: number;
  readonly largest: { readonly where: string; readonly relative: number };
  readonly differences: readonly string[];
}

const RELATIVE = 1e-9;
/** Below this a p-value is compared to 1e-6: its own reference is no better. */
const TINY_P = 1e-12;

export const parseReference = (text: string, file: string): Reference => {
  const checked = reference.safeParse(parsePlacedJson(text, file).value);
  if (checked.success) return checked.data;
  throw usage(
    `${file} holds no reference answers: ${checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}.`,
  );
};

export const compareWithReference = (results: Results, expected: Reference): ReferenceOutcome => {
  const scale = new Scale();
  scale.exact('population.units', results.population.units, expected.population.units);
  scale.exact('population.counted', results.population.counted, expected.population.counted);
  compareSrm(scale, results, expected.srm);
  for (const [key, metric] of Object.entries(expected.metrics)) compareMetric(scale, results, key, metric);
  if (expected.verdict !== undefined) scale.exact('verdict', results.verdict.verdict, expected.verdict);
  return { compared: scale.compared, largest: scale.largest, differences: scale.differences };
};

class Scale {
  compared = 0;
  largest = { where: '', relative: 0 };
  readonly differences: string[] = [];

  exact(where: string, found: unknown, expected: unknown): void {
    this.compared++;
    if (found !== expected) this.differences.push(`${where}: ${String(found)}, expected ${String(expected)}`);
  }

  /** Sums are decimal texts: equal as numbers, exactly. */
  decimal(where: string, found: string | undefined, expected: string | undefined): void {
    if (expected !== undefined) this.exact(where, canonical(found), canonical(expected));
  }

  close(where: string, found: number | null | undefined, expected: number | undefined, tolerance = RELATIVE): void {
    if (expected === undefined) return;
    this.compared++;
    const relative = found === expected ? 0 : Math.abs((found ?? Number.NaN) - expected) / Math.abs(expected);
    // A missing figure gives NaN, which is no small difference.
    if (!(relative <= tolerance))
      this.differences.push(`${where}: ${String(found)}, expected ${expected} (relative ${relative.toExponential(1)})`);
    else if (relative > this.largest.relative) this.largest = { where, relative };
  }

  p(where: string, found: number | null | undefined, expected: number | undefined): void {
    this.close(where, found, expected, expected !== undefined && expected < TINY_P ? 1e-6 : RELATIVE);
  }
}

const canonical = (text: string | undefined): string | undefined => text?.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');

const compareSrm = (scale: Scale, { srm }: Results, expected: Reference['srm']): void => {
  if (expected === null) {
    scale.exact('srm is not tested', 'refused' in srm.test, true);
    return;
  }
  for (const [cell, units] of Object.entries(expected.observed)) scale.exact(`srm.observed.${cell}`, srm.observed[cell], units);
  if ('refused' in srm.test) {
    scale.exact('srm', srm.test.refused, 'a test');
    return;
  }
  scale.close('srm.chi2', srm.test.chi2, expected.chi2);
  scale.exact('srm.df', srm.test.df, expected.df);
  scale.p('srm.p', srm.test.p, expected.p);
};

const compareMetric = (scale: Scale, results: Results, key: string, expected: Reference['metrics'][string]): void => {
  const found = results.metrics.find(({ metric }) => metric === key);
  if (found === undefined) {
    scale.exact(`metrics.${key}`, 'absent', 'present');
    return;
  }
  for (const [name, arm] of Object.entries(expected.arms)) {
    const one = found.arms.find((candidate) => candidate.arm === name);
    const where = `${key}.${name}`;
    scale.exact(`${where}.n`, one?.n, arm.n);
    scale.decimal(`${where}.sum`, one?.sum, arm.sum);
    scale.decimal(`${where}.sumsq`, one?.sumSquares, arm.sumsq);
    scale.close(`${where}.mean`, one?.mean, arm.mean);
    scale.close(`${where}.var`, one?.variance, arm.var);
  }
  for (const [name, wanted] of Object.entries(expected.comparisons))
    compareEffect(
      scale,
      `${key}.${name}`,
      found.comparisons.find(({ treatment }) => treatment === name),
      wanted,
    );
  if (expected.cuped === undefined) return;
  if (found.cuped === null || 'refused' in found.cuped) {
    scale.exact(`${key}.cuped`, found.cuped?.refused ?? 'absent', 'present');
    return;
  }
  compareCuped(scale, key, found.cuped, expected.cuped);
};

const compareEffect = (scale: Scale, where: string, found: Comparison | undefined, expected: ReferenceComparison): void => {
  if (found === undefined || 'refused' in found.absolute) {
    scale.exact(where, found !== undefined && 'refused' in found.absolute ? found.absolute.refused : 'absent', 'an effect');
    return;
  }
  const { absolute, relative, normal, pooledProportion } = found;
  scale.close(`${where}.diff`, absolute.estimate, expected.diff);
  scale.close(`${where}.se`, absolute.se, expected.se);
  scale.close(`${where}.t`, absolute.statistic, expected.t);
  scale.close(`${where}.df`, absolute.df, expected.df);
  scale.p(`${where}.p_welch_t`, absolute.p, expected.p_welch_t);
  scale.close(`${where}.ci95_t.lower`, absolute.ci.lower, expected.ci95_t[0]);
  scale.close(`${where}.ci95_t.upper`, absolute.ci.upper, expected.ci95_t[1]);
  scale.p(`${where}.p_welch_z`, normal?.p, expected.p_welch_z);
  scale.close(`${where}.ci95_z.lower`, normal?.ci.lower, expected.ci95_z[0]);
  scale.close(`${where}.ci95_z.upper`, normal?.ci.upper, expected.ci95_z[1]);
  if (expected.rel_diff !== undefined) {
    scale.close(`${where}.rel_diff`, 'refused' in relative ? undefined : relative.estimate, expected.rel_diff);
    scale.close(`${where}.rel_diff_se_delta`, 'refused' in relative ? undefined : relative.se, expected.rel_diff_se_delta);
  }
  scale.p(`${where}.holm`, found.adjustedP, expected.holm);
  if (expected.pooled_z === undefined) return;
  scale.close(`${where}.pooled_z.se`, pooledProportion?.se, Number(expected.pooled_z.se));
  scale.close(`${where}.pooled_z.z`, pooledProportion?.z, Number(expected.pooled_z.z));
  scale.p(`${where}.pooled_z.p`, pooledProportion?.p, Number(expected.pooled_z.p));
};

const compareCuped = (
  scale: Scale,
  key: string,
  found: Exclude<Results['metrics'][number]['cuped'], null | { refused: string }>,
  expected: NonNullable<Reference['metrics'][string]['cuped']>,
): void => {
  const where = `${key}.cuped`;
  if ('refused' in found) return;
  scale.close(`${where}.theta`, found.theta, expected.theta);
  scale.exact(`${where}.units`, found.units, expected.units);
  scale.close(`${where}.mean_x_all`, found.covariateMean, expected.mean_x_all);
  scale.close(`${where}.corr_yx_all`, found.correlation, expected.corr_yx_all);
  for (const [name, arm] of Object.entries(expected.arms)) {
    const one = found.arms.find((candidate) => candidate.arm === name);
    scale.exact(`${where}.${name}.n`, one?.n, arm.n);
    scale.close(`${where}.${name}.mean`, one?.mean, arm.mean);
    scale.close(`${where}.${name}.var`, one?.variance, arm.var);
    scale.close(`${where}.${name}.variance_reduction`, one?.varianceReduction, arm.variance_reduction);
  }
  for (const [name, wanted] of Object.entries(expected.comparisons)) {
    const { rel_diff, rel_diff_se_delta, ...others } = wanted;
    const one = found.comparisons.find(({ treatment }) => treatment === name);
    compareEffect(scale, `${where}.${name}`, one, others);
    // Reference answers relate the adjusted difference to the adjusted control mean.
    const relative = one?.relativeToAdjusted;
    scale.close(`${where}.${name}.rel_diff`, relative === undefined || 'refused' in relative ? undefined : relative.estimate, rel_diff);
    scale.close(
      `${where}.${name}.rel_diff_se_delta`,
      relative === undefined || 'refused' in relative ? undefined : relative.se,
      rel_diff_se_delta,
    );
  }
};

export const referenceSentence = ({ compared, largest, differences }: ReferenceOutcome): string => {
  if (differences.length > 0)
    return `Reference answers: ${differences.length} of ${compared} figures differ:\n${differences.map((one) => `  ${one}`).join('\n')}`;
  const most =
    largest.where === '' ? 'all exactly equal' : `largest relative difference ${largest.relative.toExponential(1)} (${largest.where})`;
  return `Reference answers: ${compared} figures compared, ${most}.`;
};
