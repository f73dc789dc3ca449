/** What the control API takes besides the definitions of metrics and experiments. */
import { z } from 'zod';
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

export const keyInput = z.strictObject({
  name,
  role: z.enum(['admin', 'manager', 'analyst', 'emit', 'import', 'client']),
  environment: slug.optional().describe('emit and client: a live one; import: a historical one'),
});
export type KeyInput = z.infer<typeof keyInput>;

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
