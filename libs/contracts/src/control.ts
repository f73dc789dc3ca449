/** What the control API takes besides the definitions of metrics and experiments. */
import { z } from 'zod';
import { parseInstant } from './instants.js';
import { slug } from './metrics.js';

const name = z.string().min(1).max(200);
const reason = z.string().min(1).max(2000).describe('why: kept in the history');

export const projectInput = z.strictObject({ key: slug, name });
export type ProjectInput = z.infer<typeof projectInput>;

export const environmentInput = z.strictObject({
  key: slug,
  kind: z.enum(['live', 'historical']).describe('historical = data from elsewhere, which brings its own known time'),
});
export type EnvironmentInput = z.infer<typeof environmentInput>;

const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, 'must be an ISO 8601 instant with a zone, like 2026-01-31T12:00:00Z')
  .describe('ISO 8601 with a zone');
const expiresAt = instant.optional().describe('from then on the key is refused');

/** Of a key that sends: what a second may bring in the long run, and at once after a pause (default: ten seconds’ worth). */
export const keyQuota = z
  .strictObject({ eventsPerSecond: z.int().min(1).max(1_000_000), burst: z.int().min(1).max(10_000_000).optional() })
  .describe('events of this key that one process of ingestion takes; more is answered with 429');
export type KeyQuotaInput = z.infer<typeof keyQuota>;

export const keyInput = z.strictObject({
  name,
  role: z.enum(['admin', 'manager', 'analyst', 'emit', 'import', 'client']),
  environment: slug.optional().describe('emit and client: a live one; import: a historical one'),
  expiresAt,
  quota: keyQuota.optional(),
});
export type KeyInput = z.infer<typeof keyInput>;

const A_WEEK_IN_SECONDS = 604_800;

export const rotationInput = z
  .strictObject({
    reason: reason.optional(),
    overlapSeconds: z.int().min(0).max(A_WEEK_IN_SECONDS).default(0).describe('how long the old secret works beside the new one'),
    expiresAt,
  })
  .prefault({});
export type RotationInput = z.infer<typeof rotationInput>;

export const quotaInput = z.strictObject({ quota: keyQuota.nullable().describe('null: that of the service'), reason: reason.optional() });
export type QuotaInput = z.infer<typeof quotaInput>;

export const featureInput = z.strictObject({
  key: slug,
  name,
  valueType: z.enum(['boolean', 'string', 'number', 'json']),
  variants: z
    .array(z.strictObject({ key: z.string().min(1).max(200), value: z.unknown().nonoptional().describe('any JSON') }))
    .min(1)
    .max(50),
  defaultVariant: z.string().min(1).max(200),
});
export type FeatureInput = z.infer<typeof featureInput>;

/** Body of start, pause, resume, freeze-enrolment, archive, revoke, rotate: may be left out. */
export const actionInput = z.strictObject({ reason: reason.optional() }).prefault({});
export type ActionInput = z.infer<typeof actionInput>;

/** What cuts deep says why. */
export const reasonedInput = z.strictObject({ reason });
export type ReasonedInput = z.infer<typeof reasonedInput>;

export const decisionInput = z.strictObject({
  outcome: z.enum(['ship', 'stop', 'inconclusive']),
  arm: z.string().min(1).max(200).optional().describe('ship only: the treatment; may be left out where there is one'),
  reason,
  record: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a decision record’s id: 64 hex digits')
    .optional()
    .describe('the decision record that is acted on: the result closes at its watermark; default: at that of the newest look'),
});
export type DecisionInput = z.infer<typeof decisionInput>;
