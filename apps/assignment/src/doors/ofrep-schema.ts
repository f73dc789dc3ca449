/** OFREP's bodies for the API description, and the one thing that we add to its requests. */
import type { FastifyRequest } from 'fastify';

/** `none`: this evaluation is not counted. Header or query. */
export const COUNTING_HEADER = 'x-rampart-exposure';

/** A look that nobody acts on must not make a unit part of a comparison. */
export const isCounted = ({ headers, query }: Pick<FastifyRequest, 'headers' | 'query'>): boolean =>
  headers[COUNTING_HEADER] !== 'none' && (query as Readonly<Record<string, unknown>> | undefined)?.[COUNTING_HEADER] !== 'none';

const text = { type: 'string' } as const;
const metadata = {
  type: 'object',
  description:
    'flat: version (of the ruleset), experiment, variant, segment, layer, bucket (of 10,000), override or holdout that decided, reason (OVERRIDE, HOLDOUT, DEFAULT, …, STALE), ageSeconds',
  additionalProperties: true,
} as const;

export const evaluationBody = {
  type: 'object' as const,
  required: ['context'],
  properties: {
    context: {
      type: 'object' as const,
      required: ['targetingKey'],
      description:
        'attributes for targeting; at most 64 KB, 2,000 values, 8 levels. Units of another type than user are found under its name',
      properties: { targetingKey: { ...text, description: 'id of the unit (attribute id)' } },
      additionalProperties: true,
      example: { targetingKey: 'u1', country: 'DE', account: 'a7' },
    },
  },
};

export const flagResponse = {
  type: 'object' as const,
  required: ['key', 'reason'],
  properties: {
    key: text,
    reason: { ...text, enum: ['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DISABLED', 'UNKNOWN'] },
    value: { description: 'boolean, text, number or object; absent = use the default of your code' },
    variant: text,
    metadata,
  },
};

export const failureResponse = {
  type: 'object' as const,
  required: ['errorCode'],
  properties: {
    key: text,
    errorCode: { ...text, enum: ['PARSE_ERROR', 'TARGETING_KEY_MISSING', 'INVALID_CONTEXT', 'GENERAL', 'FLAG_NOT_FOUND'] },
    errorDetails: text,
  },
};

export const bulkResponse = {
  type: 'object' as const,
  required: ['flags'],
  properties: { flags: { type: 'array' as const, items: flagResponse }, metadata },
};
