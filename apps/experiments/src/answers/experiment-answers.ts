/** Documents of experiments: definition, runs, what was seen last, and the decision records. */
import { EXPERIMENT_STATUSES, type ExperimentState, experimentDefinition, PLAN_METHODS, slug } from '@rampart/contracts';
import { z } from 'zod';
import { recordedShape } from '../evidence/record-proposal.js';
import { documented } from './answering.js';
import { instant, revision } from './definition-answers.js';

const instantUs = z.int().min(0).describe('microseconds since 1970');
const recordId = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const policy = z.enum(['stage', 'ship']);
export const verdictKind = z.enum(['go', 'no-go', 'continue', 'inconclusive', 'invalid']);
const actions = z.strictObject({
  ramp: z.enum(['advance', 'stay', 'hold', 'hold-and-ask', 'roll-back']),
  experiment: z.enum(['recommend-shipping', 'stay', 'recommend-control', 'recommend-repair', 'recommend-stopping']),
  gate: z.enum(['go', 'wait', 'no-go']),
});
const STAY = { ramp: 'stay', experiment: 'stay', gate: 'wait' } as const;

const segment = z.strictObject({
  segment: z.int().min(1),
  comparison: z.int().min(1).describe('segments of one comparison are compared together'),
  startedAtUs: instantUs,
  coverage: z.number().min(0).max(1),
  seed: z.string(),
  hashVersion: z.literal(2),
});

const state = {
  experiment: slug,
  version: z.int().min(1),
  status: z.enum(EXPERIMENT_STATUSES),
  segments: z.array(segment),
  startedAtUs: instantUs.nullable(),
  closedAtUs: instantUs.nullable(),
  metricVersions: z.record(slug, z.int().min(1)).optional().describe('which version of each metric counts here'),
  ramp: z
    .strictObject({ rollout: slug, run: z.int().min(1), stage: z.string(), stageStartedAtUs: instantUs, policy })
    .optional()
    .describe('the step of the rollout that moves it'),
  planInForce: z
    .strictObject({
      comparison: z.int().min(1),
      method: z.enum(PLAN_METHODS),
      tightestAtUnits: z.number().nullable().describe('N*: where intervals that hold at every look are tightest; null with one look'),
      levels: z
        .strictObject({ superiority: z.number(), nonInferiority: z.number(), harm: z.number(), ratioAlarmAtE: z.number() })
        .describe('one-sided level of each test'),
      powerOfEach: z.number().nullable().describe('that each test of a gain or a margin needs, for the whole plan to miss with β at most'),
      looks: z.array(
        z.strictObject({
          look: z.int().min(1),
          atUs: instantUs.nullable(),
          units: count.nullable(),
          share: z.number(),
          superiority: z.number().nullable(),
          nonInferiority: z.number().nullable(),
        }),
      ),
      before: z
        .strictObject({
          comparisons: z.int().min(1),
          alpha: z
            .number()
            .nullable()
            .describe('sum of their α; null where one promises no such chance: Bayesian, or by a false discovery rate'),
          alphaMinus: z.number(),
          sentence: z.string().describe('why another one began, and what that does to validity'),
        })
        .optional()
        .describe('what the comparisons before it could err with'),
    })
    .optional()
    .describe('what the plan amounts to, computed when the comparison started and kept'),
  decision: z
    .strictObject({
      outcome: z.enum(['ship', 'stop', 'inconclusive']),
      arm: z.string().nullable(),
      reason: z.string(),
      record: recordId.nullable().optional(),
    })
    .optional(),
};
z.strictObject(state) satisfies z.ZodType<ExperimentState>;

const look = z.strictObject({
  comparison: z.int().min(1),
  stage: z.string().nullable(),
  policy,
  knownUntil: instant,
  verdict: verdictKind,
  sentence: z.string().describe('with both numbers'),
  actions,
  units: count,
  record: recordId.nullable(),
  lookedAt: instant,
});

const AT = '2026-01-31T12:00:00.000Z';
const AT_US = 1_769_860_800_000_000;
const RECORD = '5f'.repeat(32);
const SENTENCE = '2 of 7 days have passed';

export const experiment = documented(
  z.strictObject({
    key: slug,
    version: z.int().min(1),
    revision,
    definedAt: instant,
    definition: experimentDefinition,
    environments: z
      .record(slug, z.strictObject({ ...state, revision, look: look.nullable().optional().describe('null: nobody has looked yet') }))
      .describe('what it does, in each environment where it was started'),
  }),
  {
    ...{ key: 'button', version: 1, revision: 2, definedAt: AT },
    definition: experimentDefinition.parse({
      ...{ key: 'button', name: 'Button', variants: [{ key: 'blue' }, { key: 'green' }], control: 'blue' },
      metrics: [{ metric: 'converted', role: 'success' }],
    }),
    environments: {
      production: {
        ...({ experiment: 'button', version: 1, status: 'running' } as const),
        segments: [{ segment: 1, comparison: 1, startedAtUs: AT_US, coverage: 1, seed: '8a1f…', hashVersion: 2 }],
        ...{ startedAtUs: AT_US, closedAtUs: null, metricVersions: { converted: 1 }, revision: 1 },
        look: {
          ...({ comparison: 1, stage: null, policy: 'ship', knownUntil: AT, verdict: 'continue', sentence: SENTENCE } as const),
          ...{ actions: STAY, units: 4_120, record: RECORD, lookedAt: AT },
        },
      },
    },
  },
);

export const checklist = documented(
  z.strictObject({
    environment: slug,
    status: z.enum(EXPERIMENT_STATUSES),
    isReady: z.boolean(),
    items: z.array(
      z.strictObject({
        level: z.enum(['refusal', 'warning']),
        code: z.string(),
        path: z.string().describe('JSON pointer into the definition'),
        sentence: z.string(),
      }),
    ),
  }),
  {
    ...({ environment: 'production', status: 'draft', isReady: false } as const),
    items: [
      {
        ...({ level: 'refusal', code: 'metric-not-found', path: '/metrics/0' } as const),
        sentence: 'there is no metric "converted": define it first',
      },
    ],
  },
);

const place = {
  project: slug,
  environment: slug,
  experiment: slug,
  comparison: z.int().min(1),
  stage: z.string().nullable(),
};
const CAUSES = ['first', 'verdict', 'crossing', 'definition', 'daily', 'stage-action', 'planned-look', 'closing'] as const;
const aPlace = { project: 'shop', environment: 'production', experiment: 'button', comparison: 1, stage: null };

export const decisionList = documented(
  z.strictObject({
    items: z.array(
      z.strictObject({
        ...place,
        id: recordId,
        previous: recordId.nullable(),
        cause: z.enum(CAUSES),
        policy,
        knownUntil: instant,
        recordedAt: instant,
        verdict: verdictKind,
        rule: z.string(),
        sentence: z.string(),
        actions,
        units: count,
        evidenceDigest: recordId,
        conclusionDigest: recordId,
      }),
    ),
    next: recordId.nullable().describe('`before` of the next page; null: there is none'),
  }),
  {
    items: [
      {
        ...aPlace,
        ...({ id: RECORD, previous: null, cause: 'first', policy: 'ship', knownUntil: AT, recordedAt: AT } as const),
        ...({ verdict: 'continue', rule: 'minimum-run', sentence: SENTENCE, actions: STAY, units: 4_120 } as const),
        ...{ evidenceDigest: 'e1'.repeat(32), conclusionDigest: 'c0'.repeat(32) },
      },
    ],
    next: null,
  },
);

export const recordedDigests = documented(
  z.strictObject({
    items: z.array(z.strictObject({ ...place, id: recordId, recordedAt: instant, digest: recordId })),
    next: z.int().min(1).nullable().describe('`after` of the next page; null: the history ends'),
  }),
  { items: [{ ...aPlace, id: RECORD, recordedAt: AT, digest: 'd1'.repeat(32) }], next: 412 },
);

const EXCLUDED = { 'own-choice': 0, override: 1, 'unknown-variant': 0, 'reason-unknown': 0, 'two-arms': 2, 'not-randomised': 0 };
const sumsOf = (arm: string, sum: string) => ({
  ...{ metric: 'converted', version: 1, variant: arm, arm, segment: 1, stratum: '', scale: '1000000', units: 2_060 },
  ...{ sum, sumSquares: `${sum}000000` },
});
const aVerdict = { verdict: 'continue', rule: 'minimum-run', sentence: SENTENCE } as const;

export const decision = documented(recordedShape, {
  record: {
    ...aPlace,
    ...({ id: RECORD, previous: null, cause: 'first', policy: 'ship', knownUntilUs: AT_US } as const),
    definition: {
      environment: { project: 'shop', key: 'production', kind: 'live' },
      experiment: experiment.example.definition,
      version: 1,
      state: {
        ...{ experiment: 'button', version: 1, status: 'running', startedAtUs: AT_US, closedAtUs: null },
        segments: [{ segment: 1, comparison: 1, startedAtUs: AT_US, seed: '8a1f…', coverage: 1, hashVersion: 2 }],
      },
      metrics: [],
    },
    seenEvents: ['purchase'],
    sums: [sumsOf('blue', '206000000'), sumsOf('green', '231000000')],
    population: ['blue', 'green'].map((arm) => ({ variant: arm, arm, exposed: 2_063, counted: 2_060, excluded: EXCLUDED })),
    verdict: {
      ...aVerdict,
      arms: [{ arm: 'green', ...aVerdict }],
      findings: [{ kind: 'waiting', metric: null, arm: null, holds: true, sentence: SENTENCE }],
    },
    actions: STAY,
    latched: [],
    numbers: { 'converted/green/estimate': '0.0121359223301' },
    ...{ evidenceDigest: 'e1'.repeat(32), conclusionDigest: 'c0'.repeat(32), engine: 'rampart/3' },
  },
  recordedAtUs: AT_US,
  revision: 1,
});
