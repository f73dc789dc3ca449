/** What a stream of looks should show, as its publisher's reference has it, and where an answer is another one. */
import type { StreamAnswer } from './running-totals.js';

export interface StreamReference extends Omit<StreamAnswer, 'final'> {
  readonly experiment_id: string;
  readonly variant_id: number;
  readonly metric_id: number;
  readonly final: Readonly<Record<keyof NonNullable<StreamAnswer['final']>, number>> | null;
}

const TOLERANCE = 1e-9;
/** Below the least normal double nothing has nine digits. */
const LEAST = 1e-300;

const isNear = (actual: unknown, expected: unknown): boolean => {
  if (typeof actual !== 'number' || typeof expected !== 'number') return actual === expected;
  if (Math.abs(expected) < LEAST) return Math.abs(actual) < 10 * LEAST;
  return Math.abs(actual - expected) <= TOLERANCE * Math.abs(expected);
};

const FIGURES = [
  'snapshots',
  'usable_looks',
  'tau',
  'final_srm_p_vs_equal',
  'min_p_over_looks',
  'first_time_p_below_0_05',
  'msprt_final_p',
] as const;
const AT_THE_END = ['diff', 'se', 'z', 'p_welch_z'] as const;

/** One line a figure that is another one. */
export const differences = (stream: string, actual: StreamAnswer, expected: StreamReference): readonly string[] => {
  const pairs = [
    ...FIGURES.map((name) => [name, actual[name], expected[name]] as const),
    ...AT_THE_END.map((name) => [`final.${name}`, actual.final?.[name] ?? null, expected.final?.[name] ?? null] as const),
  ];
  return pairs.flatMap(([name, got, wanted]) => (isNear(got, wanted) ? [] : [`FAIL ${stream} ${name}: expected ${wanted}, got ${got}`]));
};
