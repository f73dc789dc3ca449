/** An experiment's definition: variants, metrics with roles, analysis plan, policy. What runs where is in the environment's state. */
import { z } from 'zod';
import { slug } from './metrics.js';

const micros = z.int().min(0);

/** A cell of the design. Several cells may form one arm (three servers, two arms): ratio checks look at cells, effects at arms. */
export const variant = z.strictObject({
  key: z.string().min(1).max(200),
  arm: z.string().min(1).max(200).optional().describe('default: the variant’s own key'),
  weight: z
    .int()
    .min(0)
    .max(1_000_000)
    .nullable()
    .default(1)
    .describe('integer share of the design; null = the design states no ratio, so none is tested'),
});

export const margin = z.union([
  z.strictObject({ relative: z.number().gt(0).lt(1).describe('share of the control’s mean') }),
  z.strictObject({ absolute: z.number().gt(0).describe('in the metric’s unit') }),
]);

/** `success` decides, `guardrail` must not get worse (within its margin), `secondary` is shown. */
export const metricUse = z.strictObject({
  metric: slug,
  version: z.int().min(1).optional().describe('default: the newest when the experiment starts'),
  role: z.enum(['success', 'guardrail', 'secondary']),
  margin: margin.optional().describe('guardrail only: non-inferior means: not worse than control by more than this'),
  onHarm: z
    .enum(['roll-back', 'hold', 'warn'])
    .optional()
    .describe(
      'guardrail only: what a ramp does when it is shown to be worse; default roll-back. warn = it is told, and nothing waits for it',
    ),
  tau: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'method msprt: standard deviation of the true effects that such changes have, in the metric’s unit; every metric that decides has one',
    ),
  minimumEffect: margin
    .optional()
    .describe('the smallest effect worth finding: the results say with which power it would have been found, and what is missing'),
});
export type MetricUse = z.infer<typeof metricUse>;

/** Shared out over 50 metrics and 49 treatments it is still a number that every distribution can be asked for. */
const level = z.number().gte(1e-9).lte(0.49);

/** How the α of a group-sequential plan is shared out over its looks (Lan & DeMets 1983). `power`: α·tᵖ. */
export const spending = z.union([
  z.enum(['obrien-fleming', 'pocock']),
  z.strictObject({ power: z.number().gte(0.1).lte(20).describe('exponent: α·t^power is spent at share t of the plan') }),
]);
export type Spending = z.infer<typeof spending>;

const MOST_LOOKS = 50;

export const plannedLooks = z.union([
  z.strictObject({ atUs: z.array(micros).min(1).max(MOST_LOOKS).describe('the moments of the looks, rising') }),
  z.strictObject({
    informationFractions: z
      .array(z.number().gt(0).lte(1))
      .min(1)
      .max(MOST_LOOKS)
      .describe('shares of plannedUnits, rising, the last 1: each look is as of the first whole hour (UTC) at which so many are in'),
  }),
]);
export type PlannedLooks = z.infer<typeof plannedLooks>;

/** What a Bayesian reading starts from, and what its decisions ask for. */
export const bayesianPlan = z.strictObject({
  model: z
    .enum(['normal', 'beta-binomial'])
    .default('normal')
    .describe('beta-binomial: for 0/1 metrics, exact with few units; others, and adjusted comparisons, go by the normal one'),
  prior: z
    .union([
      z.literal('flat'),
      z.strictObject({
        mean: z.number().gte(-10).lte(10),
        sd: z.number().gt(0).lte(10).describe('0.3: two of three effects are within ± 30 %'),
      }),
    ])
    .default('flat')
    .describe('on the relative effect: shares of the control’s mean. flat is for display; method bayesian needs a proper one'),
  betaPrior: z
    .strictObject({ a: z.number().gt(0).lte(1e6), b: z.number().gt(0).lte(1e6) })
    .default({ a: 0.5, b: 0.5 })
    .describe('beta-binomial: of each arm’s rate'),
  minimumUnits: z
    .int()
    .min(100)
    .max(1_000_000_000)
    .default(1_000)
    .describe('method bayesian: closed units an arm before anything is decided'),
  expectedLoss: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.0025)
    .describe('method bayesian: a gain is shown when what shipping is expected to lose is at most this share of the control’s mean'),
  chanceToWin: z
    .number()
    .gte(0.5)
    .lt(1)
    .default(0.95)
    .describe('method bayesian: and when the treatment is better with at least this probability'),
});
export type BayesianPlan = z.infer<typeof bayesianPlan>;

export const PLAN_METHODS = ['sequential', 'group-sequential', 'msprt', 'bayesian', 'fixed-horizon'] as const;
export const MULTIPLICITIES = ['holm', 'hochberg', 'bh', 'by', 'e-bh', 'bonferroni', 'none'] as const;

export const analysisPlan = z.strictObject({
  method: z
    .enum(PLAN_METHODS)
    .default('sequential')
    .describe(
      'sequential, msprt: valid however often it is looked at; group-sequential: looks that are planned; bayesian: by expected loss; fixed-horizon: one look, when the plan says. History always has one look',
    ),
  spending: spending.optional().describe('group-sequential only; default obrien-fleming'),
  looks: plannedLooks.optional().describe('group-sequential only: when its looks are'),
  bayesian: bayesianPlan
    .optional()
    .describe('method bayesian: what it decides by. With any other method: the prior of the Bayesian view in the results'),
  alpha: level.default(0.05).describe('chance of shipping without a gain'),
  beta: z.number().gt(0).lt(1).default(0.2).describe('chance of missing a gain'),
  alphaMinus: level.default(0.05).describe('chance of a false alarm for harm or quality, all tests together'),
  intervalLevel: z
    .number()
    .gt(0.5)
    .lte(1 - 1e-9)
    .default(0.95),
  allowedLatenessUs: micros.default(3_600_000_000).describe('L: how long after its time a row may become known and still count'),
  minimumRunUs: micros.default(604_800_000_000).describe('no go before this (default 7 days); not for history'),
  plannedEndUs: micros.optional().describe('when the one look of a fixed horizon is due, or a sequential plan is over'),
  plannedUnits: z
    .int()
    .min(200)
    .max(1_000_000_000)
    .optional()
    .describe('sequential: the most units of control and one treatment together; intervals are tightest at half of it (10,000 without)'),
  harmBound: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('policy stage: no go while a metric could still be worse by this share of the control’s mean'),
  multipleExposure: z.enum(['exclude', 'first']).default('exclude'),
  comparisons: z.enum(['to-control', 'all-pairs']).default('to-control'),
  multiplicity: z
    .enum(MULTIPLICITIES)
    .default('holm')
    .describe('over success metrics × treatments; which ones a method allows: docs/statistics.md'),
  cupedTheta: z.enum(['pooled', 'within']).default('pooled'),
  srmAlpha: level.default(0.001),
  stratum: z
    .strictObject({
      property: z.string().min(1).max(200).describe('of the exposure events; a unit has the value of its first one'),
      values: z
        .array(z.string().max(200))
        .min(1)
        .max(20)
        .refine((values) => new Set(values).size === values.length, 'must name each value once')
        .describe('as texts; the empty one is for units without the property. All other values are one stratum'),
    })
    .optional()
    .describe('post-stratification: effects per stratum, weighted by the strata’s shares'),
});
export type AnalysisPlan = z.infer<typeof analysisPlan>;

export const experimentDefinition = z.strictObject({
  key: slug,
  name: z.string().min(1).max(200),
  hypothesis: z.string().max(2000).default(''),
  feature: slug.optional(),
  unitType: z.string().min(1).max(200).default('user'),
  assignment: z
    .enum(['rampart', 'external'])
    .default('external')
    .describe('external = bring your own assignment: reports without reason are randomised'),
  targeting: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('rampart only: who is eligible, in the condition language of the assignment; default: everybody'),
  layer: z
    .strictObject({
      key: slug,
      ranges: z
        .array(z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]))
        .min(1)
        .max(20),
    })
    .optional()
    .describe('rampart only: the part of a layer that this experiment has for itself'),
  coverage: z
    .number()
    .gt(0)
    .lte(1)
    .optional()
    .describe('rampart only: share of the eligible units that takes part, all arms together; default 1'),
  variants: z.array(variant).min(2).max(50),
  control: z.string().min(1).max(200).describe('the arm that others are compared with'),
  metrics: z.array(metricUse).min(1).max(50),
  plan: analysisPlan.prefault({}),
  policy: z.enum(['ship', 'stage']).default('ship').describe('ship: shown to be good; stage: nothing is worse, as a step of a ramp asks'),
});
export type ExperimentDefinition = z.infer<typeof experimentDefinition>;
export type ExperimentInput = z.input<typeof experimentDefinition>;

export const EXPERIMENT_STATUSES = ['draft', 'running', 'paused', 'enrolment-frozen', 'decided', 'archived'] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];

/** A stretch in which nothing that assigns changed. Segments with equal `comparison` are compared together. */
export interface Segment {
  readonly segment: number;
  readonly comparison: number;
  readonly startedAtUs: number;
  readonly coverage: number;
  readonly seed: string;
  readonly hashVersion: 2;
}

/** The step of a rollout that the experiment is at: a ramp stage is the experiment at a higher coverage. */
export interface ExperimentRamp {
  readonly rollout: string;
  /** From 1: a rollout's runs share its α₋. */
  readonly run: number;
  /** Name of the stage in force. */
  readonly stage: string;
  readonly stageStartedAtUs: number;
  /** What a go means at this stage: `stage` for every step but the last, which has the experiment's own policy. */
  readonly policy: 'stage' | 'ship';
}

/** What a plan amounts to: levels, N* and looks as they were promised at the start. */
export interface PlanInForce {
  readonly comparison: number;
  /** History has one look whatever its definition says. */
  readonly method: (typeof PLAN_METHODS)[number];
  /** N*: units of the pair at which intervals are tightest; null with one look. */
  readonly tightestAtUnits: number | null;
  /** One-sided level of each test; the ratio test alarms at an E. */
  readonly levels: {
    readonly superiority: number;
    readonly nonInferiority: number;
    readonly harm: number;
    readonly ratioAlarmAtE: number;
  };
  /** Power that each test of a gain or a margin needs for the whole plan to miss with β at most; null where β ≤ α₋. */
  readonly powerOfEach: number | null;
  /** Of a plan of several looks: with the bounds that they have if information comes as it is planned. */
  readonly looks: readonly {
    readonly look: number;
    /** Null: as of the first whole hour at which `units` are in. */
    readonly atUs: number | null;
    readonly units: number | null;
    /** Of the spending clock. */
    readonly share: number;
    /** z of a gain and of a margin; null where nothing can be shown yet. */
    readonly superiority: number | null;
    readonly nonInferiority: number | null;
  }[];
  /** What the comparisons before it could err with; absent in the first one. */
  readonly before?: {
    readonly comparisons: number;
    /** Sum of their α; null where one of them promises no such chance: Bayesian, or several gains by a false discovery rate. */
    readonly alpha: number | null;
    /** Sum of their α₋. */
    readonly alphaMinus: number;
    /** Why another one began, and what that does to validity. */
    readonly sentence: string;
  };
}

/** What an experiment does in one environment. */
export interface ExperimentState {
  readonly experiment: string;
  readonly version: number;
  readonly status: ExperimentStatus;
  readonly segments: readonly Segment[];
  /** Of the first segment of the comparison in force; 0 in a historical environment, whose exposures are older than any start. */
  readonly startedAtUs: number | null;
  readonly closedAtUs: number | null;
  /** By metric: the version that counts here. A metric use that names no version had its newest one pinned at the start. */
  readonly metricVersions?: Readonly<Record<string, number>>;
  /** Present while a rollout moves it, and after. */
  readonly ramp?: ExperimentRamp;
  /** Of the comparison that it is in, computed at its start and kept; absent in runs that an earlier program started. */
  readonly planInForce?: PlanInForce;
  /** How it ended; absent before. */
  readonly decision?: ExperimentDecision;
}

export interface ExperimentDecision {
  readonly outcome: 'ship' | 'stop' | 'inconclusive';
  /** The treatment that is shipped, null with any other outcome. */
  readonly arm: string | null;
  readonly reason: string;
  /** Id of the decision record that was acted on; null or absent where none was named. */
  readonly record?: string | null;
}
