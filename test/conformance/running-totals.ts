/** Experiments that are published as running totals, look by look: what each stream of looks shows, at its end and on the way. */
import { compareMeans, mixtureSprt, normal, sampleVariance, srmChiSquare } from '@rampart/statistics';

/** One row: everything up to that moment; variances are sample variances, absent where they were not published. */
export interface RunningTotal {
  readonly stream: string;
  readonly at: number;
  readonly control: { readonly n: number; readonly mean: number; readonly variance: number | null };
  readonly treatment: { readonly n: number; readonly mean: number; readonly variance: number | null };
}

/** Named as the reference answers name them. */
export interface StreamAnswer {
  readonly snapshots: number;
  readonly usable_looks: number;
  /** Of the mixture: a hundredth of the spread at the first usable look. */
  readonly tau: number | null;
  readonly final: { readonly diff: number; readonly se: number; readonly z: number; readonly p_welch_z: number } | null;
  readonly final_srm_p_vs_equal: number | null;
  readonly min_p_over_looks: number | null;
  readonly first_time_p_below_0_05: number | null;
  /** Least of min(1, 1/Λ) over all looks: holds however often was looked. */
  readonly msprt_final_p: number;
}

const TAU_SHARE = 0.01;
const LEVEL = 0.05;

interface Look {
  readonly at: number;
  readonly diff: number;
  readonly se: number;
  readonly p: number;
  readonly spread: number;
}

export const streamAnswer = (rows: readonly RunningTotal[]): StreamAnswer => {
  const looks = rows.flatMap((row) => lookOf(row) ?? []);
  const [first, last] = [looks[0], looks.at(-1)];
  const end = rows.at(-1);
  const tau = first === undefined ? null : TAU_SHARE * first.spread;
  const ps = looks.map(({ p }) => p);
  const always =
    tau === null ? [] : looks.map(({ diff, se }) => mixtureSprt({ estimate: diff, varianceOfEstimate: se ** 2, tau2: tau ** 2 }).p);
  return {
    snapshots: rows.length,
    usable_looks: looks.length,
    tau,
    final: last === undefined ? null : { diff: last.diff, se: last.se, z: last.diff / last.se, p_welch_z: last.p },
    final_srm_p_vs_equal: end === undefined ? null : ratioP(end),
    min_p_over_looks: ps.length === 0 ? null : Math.min(...ps),
    first_time_p_below_0_05: looks.find(({ p }) => p < LEVEL)?.at ?? null,
    msprt_final_p: Math.min(1, ...always),
  };
};

/** Undefined where there is nothing to compare: a variance that is missing or 0 in both arms, or fewer than two units. */
const lookOf = ({ at, control, treatment }: RunningTotal): Look | undefined => {
  if (control.variance === null || treatment.variance === null || control.n < 2 || treatment.n < 2) return undefined;
  const [a, b] = [momentsOf(control, control.variance), momentsOf(treatment, treatment.variance)];
  const found = compareMeans({ control: a, treatment: b, alpha: LEVEL, difference: 'absolute' });
  const spread = Math.sqrt((sampleVariance(a) + sampleVariance(b)) / 2);
  if (found.kind !== 'refused') return { at, diff: found.estimate, se: found.se, p: 2 * normal.sf(Math.abs(found.statistic)), spread };
  if (found.reason !== 'ZERO_VARIANCE' || spread === 0) return undefined;
  // One arm without spread is refused as too sure of itself; the reference compares it all the same.
  const [diff, se] = [b.mean - a.mean, Math.sqrt(control.variance / control.n + treatment.variance / treatment.n)];
  return { at, diff, se, p: 2 * normal.sf(Math.abs(diff / se)), spread };
};

const momentsOf = ({ n, mean }: RunningTotal['control'], variance: number) => ({ n, mean, m2: variance * (n - 1) });

const ratioP = ({ control, treatment }: RunningTotal): number | null => {
  const found = srmChiSquare([control.n, treatment.n], [1, 1]);
  return found.kind === 'not-testable' ? null : found.p;
};

const COLUMNS = [
  'experiment_id',
  'variant_id',
  'metric_id',
  'time_since_start',
  'count_c',
  'count_t',
  'mean_c',
  'mean_t',
  'variance_c',
  'variance_t',
];

/** @returns rows of each stream, experiment/variant/metric, in the order of the file. @throws RangeError for other columns, or a row that has not all of them */
export const parseTotals = (csv: string): ReadonlyMap<string, readonly RunningTotal[]> => {
  const [header = '', ...lines] = csv.trimEnd().split(/\r?\n/);
  if (header !== COLUMNS.join(',')) throw new RangeError(`its columns are ${header}, and should be ${COLUMNS.join(',')}`);
  const streams = new Map<string, RunningTotal[]>();
  for (const [index, line] of lines.entries()) {
    const cells = line.split(',');
    if (cells.length !== COLUMNS.length)
      throw new RangeError(`line ${index + 2} has ${cells.length} cells, and should have ${COLUMNS.length}`);
    const [experiment, variant, metric, at, nC, nT, meanC, meanT, varianceC, varianceT] = cells;
    const stream = `${experiment}/${variant}/${metric}`;
    const arm = (n = '', mean = '', variance = '') => ({
      n: Number(n),
      mean: Number(mean),
      variance: variance === '' ? null : Number(variance),
    });
    const row = { stream, at: Number(at), control: arm(nC, meanC, varianceC), treatment: arm(nT, meanT, varianceT) };
    const rows = streams.get(stream);
    if (rows === undefined) streams.set(stream, [row]);
    else rows.push(row);
  }
  return streams;
};
