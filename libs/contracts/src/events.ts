/** What a service sends: CloudEvents 1.0 whose data name the unit. `source` + `id` is the idempotency key. */
import { z } from 'zod';

export const EVENT_TYPES = ['exposure.v1', 'assignment.v1', 'metric.v1', 'feedback.v1', 'import.completed.v1'] as const;

export const LIMITS = {
  eventBytes: 64 * 1024,
  batchBytes: 1024 * 1024,
  batchEvents: 10_000,
  nameLength: 200,
  idLength: 200,
  unitIdLength: 500,
  properties: 100,
  propertyLength: 1_000,
  unitReferences: 8,
  futureUs: 24 * 3600 * 1_000_000,
} as const;

const UNFIT = /[\0\p{Surrogate}]/u;

/**
 * Whether a text keeps what it says as UTF-8, and can be told from others when joined by U+0000: two ids that differ in half of a surrogate pair would
 * become one.
 */
export const isFitText = (text: string): boolean => !UNFIT.test(text);

const text = (longest: number) => z.string().min(1).max(longest).refine(isFitText, 'must hold neither U+0000 nor half of a surrogate pair');
const nameText = text(LIMITS.nameLength);

const unitRef = z.strictObject({
  type: nameText.describe('kind of unit, e.g. user, device, account'),
  id: text(LIMITS.unitIdLength).describe('id of the unit; stored as a pseudonym only'),
});
const properties = z.record(nameText, z.union([z.string().max(LIMITS.propertyLength).refine(isFitText), z.number(), z.boolean()]));

const units = { unit: unitRef, also: z.array(unitRef).max(LIMITS.unitReferences).optional() };
const named = { name: nameText, value: z.number().optional(), properties: properties.optional() };
const assigned = {
  experiment: nameText,
  variant: nameText,
  segment: z.int().min(0).max(65_535).optional(),
  reason: z.enum(['SPLIT', 'OVERRIDE', 'USER_CHANNEL', 'HOLDOUT', 'STATIC']).optional(),
  properties: properties.optional(),
};

const envelope = {
  specversion: z.literal('1.0'),
  id: text(LIMITS.idLength),
  source: nameText,
  time: z.iso.datetime({ offset: true }).optional().describe('when it happened, by the sender’s clock; default: now'),
  sentat: z.iso.datetime({ offset: true }).optional().describe('when the sender sent it: corrects a wrong clock'),
  knownat: z.iso.datetime({ offset: true }).optional().describe('historical environments only: when it became known; default: its time'),
  datacontenttype: z.string().optional(),
  dataschema: z.string().optional(),
  subject: z.string().optional(),
};

/** The contract that ingestion's compiled check is tested against. Unknown extension attributes of the envelope are allowed, unknown data are not. */
export const cloudEvent = z.discriminatedUnion('type', [
  z.looseObject({ ...envelope, type: z.enum(['metric.v1']), data: z.strictObject({ ...units, ...named }) }),
  z.looseObject({ ...envelope, type: z.enum(['feedback.v1']), data: z.strictObject({ ...units, ...named }) }),
  z.looseObject({ ...envelope, type: z.enum(['exposure.v1']), data: z.strictObject({ ...units, ...assigned }) }),
  z.looseObject({ ...envelope, type: z.enum(['assignment.v1']), data: z.strictObject({ ...units, ...assigned }) }),
  z.looseObject({
    ...envelope,
    type: z.enum(['import.completed.v1']),
    data: z.strictObject({ until: z.iso.datetime({ offset: true }).optional().describe('the history ends here; default: its last event') }),
  }),
]);
export type CloudEvent = z.infer<typeof cloudEvent>;

export const REJECTION_CODES = [
  'not-an-object',
  'missing',
  'wrong-type',
  'too-long',
  'not-text',
  'too-large',
  'unknown-field',
  'unknown-type',
  'unsupported-specversion',
  'not-an-instant',
  'in-the-future',
  'value-not-a-number',
  'value-out-of-range',
  'too-many',
  'known-at-not-allowed',
  'import-not-allowed',
  'wrong-scope',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/** The answer for one event of a batch, in the order sent. */
export const itemAnswer = z.union([
  z.object({ status: z.literal('accepted'), id: z.string().nullable() }),
  z.object({
    status: z.literal('rejected'),
    id: z.string().nullable(),
    code: z.enum(REJECTION_CODES),
    path: z.string(),
    message: z.string(),
  }),
]);
export type ItemAnswer = z.infer<typeof itemAnswer>;

/** 202: every item was answered; `accepted` means that the log has it. */
export const batchAnswer = z.object({ accepted: z.int(), rejected: z.int(), items: z.array(itemAnswer) });
export type BatchAnswer = z.infer<typeof batchAnswer>;
