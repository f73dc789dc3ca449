/** What a caller asks about: a context within its limits, or OFREP's refusal with a sentence and a place. */
import { isFitText, LIMITS } from '@rampart/contracts';
import { parseJson } from '@rampart/service-kit';

export const CONTEXT_LIMITS = { bytes: 64 * 1024, depth: 8, values: 2_000 } as const;

export type ErrorCode = 'PARSE_ERROR' | 'TARGETING_KEY_MISSING' | 'INVALID_CONTEXT' | 'GENERAL' | 'FLAG_NOT_FOUND';

export interface Refused {
  readonly errorCode: ErrorCode;
  readonly errorDetails: string;
}
/** Attributes as targeting asks for them; `id` is the targeting key. */
export type Attributes = Readonly<Record<string, unknown>>;

export const isRefused = (found: Refused | Attributes): found is Refused => REFUSALS.has(found);
/** A context may hold a field errorCode: what is refused is known by what made it. */
const REFUSALS = new WeakSet<object>();

const refused = (errorCode: ErrorCode, errorDetails: string): Refused => {
  const refusal = { errorCode, errorDetails };
  REFUSALS.add(refusal);
  return refusal;
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
};

/** @param body  of the request, at most `CONTEXT_LIMITS.bytes` */
export const attributesOf = (body: Buffer | undefined): Attributes | Refused => {
  if (body === undefined || body.length === 0)
    return refused('PARSE_ERROR', 'The body is empty; it must be {"context": {"targetingKey": …}}.');
  try {
    return attributesIn(parseJson(body));
  } catch (error) {
    return refused('PARSE_ERROR', error instanceof Error ? error.message : 'The body is not JSON.');
  }
};

export const attributesIn = (request: unknown): Attributes | Refused => {
  if (!isRecord(request)) return refused('PARSE_ERROR', `The body must be an object with a context, got ${kindOf(request)}.`);
  const { context } = request;
  if (!isRecord(context)) return refused('INVALID_CONTEXT', `/context: must be an object, got ${kindOf(context)}.`);
  const { targetingKey } = context;
  if (targetingKey === undefined || targetingKey === null || targetingKey === '')
    return refused('TARGETING_KEY_MISSING', '/context/targetingKey: is missing; it is the id of the unit that is asked about.');
  if (typeof targetingKey !== 'string')
    return refused('INVALID_CONTEXT', `/context/targetingKey: must be a text, got ${kindOf(targetingKey)}.`);
  if (targetingKey.length > LIMITS.unitIdLength)
    return refused(
      'INVALID_CONTEXT',
      `/context/targetingKey: has ${targetingKey.length} characters; ids have at most ${LIMITS.unitIdLength}.`,
    );
  if (!isFitText(targetingKey))
    return refused('INVALID_CONTEXT', '/context/targetingKey: must hold neither U+0000 nor half of a surrogate pair.');
  const tooMuch = excessOf(context);
  if (tooMuch !== undefined) return tooMuch;
  // The same object: a context is parsed for one evaluation. What every SDK calls its id is OFREP's targeting key.
  context.id = targetingKey;
  return context;
};

/** Deep or wide contexts cost every condition that looks into them. */
const excessOf = (context: Readonly<Record<string, unknown>>): Refused | undefined => {
  let values = 0;
  const walk = (value: unknown, path: string, depth: number): Refused | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (depth > CONTEXT_LIMITS.depth)
      return refused('INVALID_CONTEXT', `${path}: lies ${depth} levels deep; a context has at most ${CONTEXT_LIMITS.depth}.`);
    for (const key in value) {
      values += 1;
      if (values > CONTEXT_LIMITS.values)
        return refused('INVALID_CONTEXT', `/context: holds more than ${CONTEXT_LIMITS.values} values; send those that are targeted.`);
      const inner = (value as Record<string, unknown>)[key];
      if (typeof inner !== 'object' || inner === null) continue;
      const found = walk(inner, `${path}/${key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(context, '/context', 1);
};
