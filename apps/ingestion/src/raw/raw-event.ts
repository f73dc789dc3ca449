/** The events of one message of the raw topic, by the CloudEvents binding for Kafka: structured, binary, and arrays of events. */
import { LIMITS } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import type { LogMessage } from '@rampart/event-log';
import { parseJson } from '@rampart/service-kit';
import { elementsOf } from '../intake/request-items.js';
import { WRITE_KEY, withMaskedMember, withoutWriteKey } from './write-key.js';

/** Why a raw event is not believed, beyond what the check of an event says. */
export interface RawRefusal {
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

export interface RawEvent {
  /** As it was sent: a text, if it is one. */
  readonly writeKey: unknown;
  /** Undefined where it could not be read. */
  readonly value: unknown;
  readonly refusal?: RawRefusal;
  /** Where the event stands in its message: `/3` in an array, else empty. */
  readonly path: string;
  /** Its text without the write key; null when it is too large to keep. */
  text(): string | null;
}

type Headers = Readonly<Record<string, string>>;

const JSON_TYPE = /^[\w.-]+\/(?:[\w.-]+\+)?json$/;

/** One for each event, also for what can't be read; at least one, unless the message is an empty array. */
export const rawEventsOf = ({ value, headers }: Pick<LogMessage, 'value' | 'headers'>): readonly RawEvent[] => {
  const known = lowerCased(headers);
  const body = value === null ? undefined : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const mediaType = known['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType.startsWith('application/cloudevents')) {
    if (JSON_TYPE.test(mediaType)) return structured(body, known, mediaType === 'application/cloudevents-batch+json');
    return [unreadable(body, known, foreignType(mediaType))];
  }
  // The key alone is no sign: who sends a structured event may put it in either place.
  const isBinary = Object.keys(known).some((name) => name.startsWith('ce_') && name !== `ce_${WRITE_KEY}`);
  if (!isBinary) return structured(body, known, undefined);
  return mediaType === '' || JSON_TYPE.test(mediaType) ? [binary(body, known)] : [unreadable(body, known, foreignType(mediaType))];
};

/** @param isBatch  what the message says of itself; undefined: whatever it is */
const structured = (body: Buffer | undefined, headers: Headers, isBatch: boolean | undefined): readonly RawEvent[] => {
  const parsed = parsedBody(body);
  if ('code' in parsed) return [unreadable(body, headers, parsed)];
  const { value, text } = parsed;
  const writeKey = headers[`ce_${WRITE_KEY}`];
  if (!Array.isArray(value) || isBatch === false) {
    if (isBatch === true) return [unreadable(body, headers, notJson('an application/cloudevents-batch+json must be an array of events'))];
    return [eventOf(value, () => text, { writeKey, path: '' })];
  }
  if (value.length > LIMITS.batchEvents)
    return [
      unreadable(body, headers, {
        code: 'too-many-events',
        path: '',
        message: `the message has ${value.length} events; at most ${LIMITS.batchEvents}`,
      }),
    ];
  let elements: readonly string[] | undefined;
  const textOf = (index: number) => {
    elements ??= elementsOf(text);
    return elements[index] ?? '';
  };
  // Only a message larger than one event can hold an event that is too large: others are never cut up.
  const mayHoldLarge = text.length * 3 > LIMITS.eventBytes;
  return value.map((one, index) => eventOf(one, () => textOf(index), { writeKey, path: `/${index}`, mayBeLarge: mayHoldLarge }));
};

interface Surroundings {
  /** From the headers; else it is in the event. */
  readonly writeKey: string | undefined;
  readonly path: string;
  readonly mayBeLarge?: boolean;
}

const eventOf = (value: unknown, textOf: () => string, { writeKey, path, mayBeLarge = true }: Surroundings): RawEvent => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const key = writeKey ?? (isObject ? (value as Headers)[WRITE_KEY] : undefined);
  const isTooLarge = mayBeLarge && isLarge(textOf());
  return {
    writeKey: key,
    value,
    path,
    ...(isTooLarge ? { refusal: tooLarge } : undefined),
    text: () => (isTooLarge ? null : isObject ? withoutWriteKey(textOf()) : textOf()),
  };
};

/** Attributes are in headers `ce_…`, the value is the data. */
const binary = (body: Buffer | undefined, headers: Headers): RawEvent => {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (name.startsWith('ce_')) attributes[name.slice(3)] = value;
  const { [WRITE_KEY]: writeKey, ...others } = attributes;
  const contentType = headers['content-type'];
  const envelope = contentType === undefined ? others : { ...others, datacontenttype: contentType };
  if (body === undefined) return { writeKey, value: envelope, path: '', text: () => JSON.stringify(envelope) };
  const parsed = parsedBody(body);
  if ('code' in parsed) return unreadable(body, headers, parsed.code === 'not-json' ? { ...parsed, path: '/data' } : parsed);
  const text = () => `${JSON.stringify(envelope).slice(0, -1)},"data":${parsed.text}}`;
  return eventOf({ ...envelope, data: parsed.value }, text, { writeKey, path: '' });
};

/** @returns the reason against it where it is none */
const parsedBody = (body: Buffer | undefined): { readonly value: unknown; readonly text: string } | RawRefusal => {
  if (body === undefined) return notJson('the message is empty');
  if (body.byteLength > LIMITS.batchBytes)
    return { ...tooLarge, message: `the message has ${body.byteLength} bytes; at most ${LIMITS.batchBytes} can be read` };
  try {
    return { value: parseJson(body), text: body.toString('utf8') };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { code: error.code, path: '', message: error.message.replace('The body', 'the value') };
  }
};

const unreadable = (body: Buffer | undefined, headers: Headers, refusal: RawRefusal): RawEvent => ({
  writeKey: headers[`ce_${WRITE_KEY}`],
  value: undefined,
  refusal,
  path: '',
  text: () => (body === undefined || body.byteLength > LIMITS.eventBytes ? null : withMaskedMember(body.toString('utf8'))),
});

const isLarge = (text: string): boolean => text.length * 3 > LIMITS.eventBytes && Buffer.byteLength(text) > LIMITS.eventBytes;

const tooLarge: RawRefusal = {
  code: 'too-large',
  path: '',
  message: `the event is larger than ${LIMITS.eventBytes.toLocaleString('en')} bytes`,
};
const notJson = (message: string): RawRefusal => ({ code: 'not-json', path: '', message });
const foreignType = (mediaType: string): RawRefusal => ({
  code: 'unsupported-media-type',
  path: '/datacontenttype',
  message: `${mediaType.slice(0, 100)} can’t be read: events and their data must be JSON`,
});

const lowerCased = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
