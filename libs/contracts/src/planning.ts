/** Before an experiment: how many units it takes to find an effect, how long that is, and what could be found with fewer. */
import { z } from 'zod';

const share = z.number().gt(0).lt(1);

const effect = z.union([
  z.strictObject({
    relative: z
      .number()
      .refine((value) => value !== 0, 'must not be 0')
      .describe('share of control’s mean: 0.05 = five percent more'),
  }),
  z.strictObject({
    absolute: z
      .number()
      .refine((value) => value !== 0, 'must not be 0')
      .describe('in the metric’s unit'),
  }),
]);

export const powerQuestion = z.strictObject({
  metric: z
    .union([
      z.strictObject({ rate: share.describe('of control: share of its units that have the event') }),
      z.strictObject({ mean: z.number(), sd: z.number().gt(0).describe('between units') }),
    ])
    .describe('what control is expected to be like: a share, or a mean with its spread'),
  minimumEffect: effect.describe('the smallest effect that must not be missed'),
  method: z.enum(['sequential', 'fixed-horizon']).default('sequential'),
  sides: z.enum(['two-sided', 'one-sided']).default('two-sided'),
  alpha: z.number().gte(1e-6).lte(0.49).default(0.05).describe('over all success metrics and treatments together'),
  power: z.number().gte(0.5).lte(0.999).default(0.8),
  treatments: z.int().min(1).max(49).default(1),
  successMetrics: z.int().min(1).max(50).default(1).describe('they share α'),
  controlPerTreatment: z.number().gte(0.01).lte(100).default(1).describe('control units per unit of one treatment'),
  correlation: z.number().gte(0).lt(1).default(0).describe('with the unit’s value before: CUPED takes its square out of the variance'),
  unitsPerDay: z.number().gt(0).optional().describe('new units of all arms; with it days are told'),
  units: z.int().min(4).max(1_000_000_000).optional().describe('so many units of all arms will come: what would be found with them'),
});
export type PowerQuestion = z.infer<typeof powerQuestion>;
export type PowerRequest = z.input<typeof powerQuestion>;

export interface PlannedUnits {
  readonly control: number;
  /** Of one treatment. */
  readonly treatment: number;
  /** Of all arms. */
  readonly total: number;
}

/** `POST /v1/plans/power`. */
export interface PowerPlan {
  readonly method: 'sequential' | 'fixed-horizon';
  /** Of one comparison: α shared over success metrics and treatments. */
  readonly alphaOfOne: number;
  /** At one look. */
  readonly fixed: PlannedUnits;
  /** Watched continuously: it ends without an answer there; on average much sooner. Null where the method has one look. */
  readonly sequential: { readonly maximumUnits: number; readonly inflation: number } | null;
  /** What the analysis plan should name as `plannedUnits`: control and one treatment together. Null where the method has one look. */
  readonly plannedUnits: number | null;
  readonly days: number | null;
  /** With the units that were named. */
  readonly withUnits: {
    readonly units: number;
    readonly power: number;
    readonly minimumEffect: { readonly relative: number | null; readonly absolute: number };
  } | null;
  /** How power grows with units of all arms, at one look of a fixed horizon, or as the lower bound that the last look alone gives. */
  readonly curve: readonly { readonly units: number; readonly power: number }[];
  readonly sentence: string;
}
