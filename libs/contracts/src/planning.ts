/** Before an experiment: how many units it takes to find an effect, how long that is, and what could be found with fewer. */
import { z } from 'zod';
import { bayesianPlan, PLAN_METHODS, spending } from './experiments.js';

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

const spread = z.strictObject({ mean: z.number(), sd: z.number().gt(0).describe('between units') });

const expectation = z.union([
  z.strictObject({ rate: share.describe('of control: share of its units that have the event; also of a retention or a funnel') }),
  spread,
  z.strictObject({
    ratio: z.strictObject({
      numerator: spread,
      denominator: spread,
      correlation: z.number().gt(-1).lt(1).default(0).describe('of numerator and denominator of a unit'),
    }),
  }),
  z.strictObject({
    quantile: z
      .strictObject({
        level: share.describe('which quantile, such as 0.95'),
        value: z.number(),
        nearby: z
          .strictObject({ level: share, value: z.number() })
          .describe('a second point of the distribution, such as the 96th percentile: from the two follows how dense values are there'),
      })
      .describe('of one value a unit; where a unit has several, plan from an experiment that has run'),
  }),
]);

const question = {
  minimumEffect: effect.describe('the smallest effect that must not be missed'),
  method: z.enum(PLAN_METHODS).default('sequential'),
  sides: z.enum(['two-sided', 'one-sided']).default('two-sided').describe('decisions are one-sided; method bayesian has one side'),
  alpha: z
    .number()
    .gte(1e-6)
    .lte(0.49)
    .default(0.05)
    .describe('over all success metrics and treatments together; method bayesian has none'),
  power: z.number().gte(0.5).lte(0.999).default(0.8),
  treatments: z.int().min(1).max(49).default(1),
  successMetrics: z.int().min(1).max(50).default(1).describe('they share α'),
  controlPerTreatment: z.number().gte(0.01).lte(100).default(1).describe('control units per unit of one treatment'),
  looks: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      'group-sequential: how many planned looks, evenly spaced (default 5); watched methods: how often somebody looks (default 100)',
    ),
  spending: spending.optional().describe('group-sequential only; default obrien-fleming'),
  tau: z.number().gt(0).optional().describe('msprt: standard deviation of true effects, in the metric’s unit'),
  bayesian: bayesianPlan.optional().describe('bayesian: by what it decides; the prior must be a proper one'),
  unitsPerDay: z.number().gt(0).optional().describe('new units of all arms; with it days are told'),
  units: z.int().min(4).max(1_000_000_000).optional().describe('so many units of all arms will come: what would be found with them'),
};

const isWhole = (asked: z.infer<z.ZodObject<typeof question>>, ctx: z.RefinementCtx): void => {
  const issue = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: path.split('/'), message });
  const { method, looks, spending: spends, tau, bayesian } = asked;
  if (method === 'fixed-horizon' && looks !== undefined && looks > 1) issue('looks', `a fixed horizon has one look, not ${looks}`);
  if (method !== 'group-sequential' && spends !== undefined) issue('spending', `only group-sequential spends α, this is ${method}`);
  if (method === 'msprt' && tau === undefined) issue('tau', 'msprt needs the standard deviation of true effects');
  if (method !== 'msprt' && tau !== undefined) issue('tau', `only msprt has a tau, this is ${method}`);
  if (method === 'bayesian' && (bayesian === undefined || bayesian.prior === 'flat'))
    issue('bayesian/prior', 'a flat prior decides nothing: name { mean, sd } of the relative effect');
};

export const powerQuestion = z
  .strictObject({
    metric: expectation.describe('what control is expected to be like: a share, a mean with its spread, a ratio or a quantile'),
    ...question,
    correlation: z
      .number()
      .gte(0)
      .lt(1)
      .default(0)
      .describe(
        'with the unit’s value before (of several covariates: the multiple correlation): CUPED takes its square out of the variance',
      ),
  })
  .superRefine(isWhole);
export type PowerQuestion = z.infer<typeof powerQuestion>;
export type PowerRequest = z.input<typeof powerQuestion>;

/** Of an experiment that has run: what its control was like is what is expected. */
export const historyQuestion = z
  .strictObject({
    metric: z.string().min(1).max(200).describe('key of one of the experiment’s metrics'),
    ...question,
    adjusted: z.boolean().default(true).describe('by the metric’s covariate, where it has one: the correlation is the one that was found'),
  })
  .superRefine(isWhole);
export type HistoryQuestion = z.infer<typeof historyQuestion>;

export interface PlannedUnits {
  readonly control: number;
  /** Of one treatment. */
  readonly treatment: number;
  /** Of all arms. */
  readonly total: number;
}

/** `relative` is null where control's mean is 0. */
export interface PlannedEffect {
  readonly relative: number | null;
  readonly absolute: number;
}

/** `POST /v1/plans/power`. */
export interface PowerPlan {
  readonly method: (typeof PLAN_METHODS)[number];
  /** Of one comparison: α shared over success metrics and treatments. Null where the method bounds no error rate. */
  readonly alphaOfOne: number | null;
  /** At one look; of method bayesian: at the α that was named, to compare with. */
  readonly fixed: PlannedUnits;
  /** With several looks: it ends without an answer at the maximum, and with one as soon as it is there. Null where the method has one look. */
  readonly watched: WatchedPlan | null;
  /** What the analysis plan should name as `plannedUnits`: control and one treatment together. Null where the method has one look. */
  readonly plannedUnits: number | null;
  /** Until the maximum. */
  readonly days: number | null;
  /** Method bayesian: the chance of a gain being shown with all units, averaged over the effects that the prior expects. */
  readonly assurance: number | null;
  /** With the units that were named, for a plan that is made for them. */
  readonly withUnits: {
    readonly units: number;
    readonly power: number;
    /** Null where the plan tests nothing with so few. */
    readonly minimumEffect: PlannedEffect | null;
  } | null;
  /** How the chance to have found the effect grows: with units of one look, or from look to look of the plan. */
  readonly curve: readonly {
    readonly units: number;
    readonly power: number;
    /** What is found by then with the power that was asked for; null where nothing is tested so early. */
    readonly minimumEffect: PlannedEffect | null;
  }[];
  readonly sentence: string;
}

export interface WatchedPlan {
  readonly looks: number;
  /** Of all arms. */
  readonly maximumUnits: number;
  /** Over the units of one look. */
  readonly inflation: number;
  /** When it ends on average, with the effect that it is made for, and without any. */
  readonly averageUnits: number;
  readonly averageUnitsWithoutEffect: number;
}

/** `POST /v1/experiments/{key}/power`: as above, from what was found. */
export interface PowerPlanFromHistory extends PowerPlan {
  readonly history: {
    readonly metric: string;
    readonly type: string;
    /** As of when it was counted. */
    readonly asOf: string | null;
    /** Of control. */
    readonly units: number;
    readonly mean: number;
    /** Between units, before any covariate. */
    readonly sd: number;
    /** With the covariate; null where it is not used. */
    readonly correlation: number | null;
  };
}
