/** Documents of rollouts, their history and their gate: the contracts’ shapes, checked. */
import { type GateAnswer, ROLLOUT_STATUSES, type RolloutDocument, type RolloutHistoryEntry, slug } from '@rampart/contracts';
import { z } from 'zod';
import { documented } from './answering.js';
import { instant, revision } from './definition-answers.js';
import { verdictKind } from './experiment-answers.js';

const sentence = z.string().describe('with both numbers');
const recordId = z.string().regex(/^[0-9a-f]{64}$/);
const RECORD = '5f'.repeat(32);
const AT = '2026-01-31T12:00:00.000Z';

const stage = z.strictObject({
  name: slug,
  coverage: z.number(),
  bakeSeconds: z.int(),
  minUnits: z.int(),
  requiresApproval: z.boolean(),
  deadlineSeconds: z.int().nullable(),
  monitored: z.boolean(),
});

const wait = z.strictObject({
  what: z.enum(['data', 'freshness', 'verdict', 'bake-time', 'units', 'approval', 'person', 'experiment']),
  until: instant.nullable().describe('null where time alone does not end it'),
  have: z.number().nullable(),
  needed: z.number().nullable(),
  sentence,
});

const rolloutSchema = z.strictObject({
  key: slug,
  name: z.string(),
  experiment: slug,
  environment: slug,
  stages: z.array(stage),
  freshnessSeconds: z.int(),
  mode: z.enum(['act', 'shadow']),
  project: slug,
  revision,
  status: z.enum(ROLLOUT_STATUSES),
  run: z.int().min(0),
  stage: z.strictObject({ index: z.int().min(0), name: z.string(), startedAt: instant, approved: z.boolean() }).nullable(),
  hold: z
    .strictObject({
      cause: z.enum(['person', 'quality', 'guardrail', 'inconclusive', 'deadline', 'feature-killed']),
      since: instant,
      sentence,
    })
    .nullable(),
  waits: z.array(wait).describe('what keeps the stage from ending'),
  look: z
    .strictObject({
      verdict: verdictKind,
      sentence,
      knownUntil: instant,
      ageSeconds: z.int().min(0),
      units: z.int().min(0),
      record: recordId.nullable(),
    })
    .nullable()
    .describe('the newest one at the stage in force'),
  end: z.strictObject({ at: instant, record: recordId.nullable(), actor: z.string(), reason: z.string() }).nullable(),
});
rolloutSchema satisfies z.ZodType<RolloutDocument>;

export const rollout = documented(rolloutSchema, {
  ...({ key: 'greener', name: 'Greener button', experiment: 'button', environment: 'production', mode: 'act' } as const),
  stages: [
    { name: 'canary', coverage: 0.01, bakeSeconds: 3_600, minUnits: 200, requiresApproval: false, deadlineSeconds: null, monitored: true },
    { name: 'all', coverage: 1, bakeSeconds: 86_400, minUnits: 0, requiresApproval: true, deadlineSeconds: null, monitored: true },
  ],
  ...({ freshnessSeconds: 60, project: 'shop', revision: 2, status: 'running', run: 1, hold: null, end: null } as const),
  stage: { index: 0, name: 'canary', startedAt: AT, approved: false },
  waits: [{ what: 'units', until: null, have: 120, needed: 200, sentence: '120 of 200 units are exposed' }],
  look: { verdict: 'go', sentence: 'nothing is worse', knownUntil: AT, ageSeconds: 3, units: 120, record: RECORD },
});

const entry = z.strictObject({
  revision,
  at: instant,
  type: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  sentence,
  record: recordId.nullable().describe('the one that was acted on'),
});
entry satisfies z.ZodType<RolloutHistoryEntry>;

export const rolloutHistoryEntry = documented(entry, {
  ...{ revision: 2, at: AT, type: 'RolloutStarted', actor: '7tq2m0v8c4xk', reason: null, record: null },
  sentence: 'started at 1 % (stage canary)',
});

const answer = z.strictObject({
  verdict: z.enum(['go', 'no-go', 'wait']),
  reason: sentence,
  rollout: slug,
  status: z.enum(ROLLOUT_STATUSES),
  stage: z.string().nullable(),
  decisionId: recordId.nullable(),
  knownUntil: instant.nullable(),
});
answer satisfies z.ZodType<GateAnswer>;

export const gate = documented(answer, {
  ...({ verdict: 'wait', reason: '120 of 200 units are exposed', rollout: 'greener', status: 'running', stage: 'canary' } as const),
  ...{ decisionId: RECORD, knownUntil: AT },
});
