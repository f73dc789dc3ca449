/** The events of one request, whichever of the CloudEvents HTTP modes it uses: structured, batch or binary. */
import type { IncomingHttpHeaders } from 'node:http';
import { LIMITS } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import { parseJson } from '@rampart/service-kit';

export interface RequestItems {
  readonly values: readonly unknown[];
  /** Items of a batch are addressed by their index: `/3/data/value`. */
  readonly isBatch: boolean;
  /** The event as JSON text, as it arrived. */
  rawOf(index: number): string;
  /** True where an event is larger than the limit of one event. */
  isTooLarge(index: number): boolean;
}

/** @throws DomainError not-json, not-utf8, unsupported-media-type, too-many-events */
export const itemsOf = (body: Buffer | undefined, headers: IncomingHttpHeaders): RequestItems => {
  const contentType = headers['content-type']?.toLowerCase() ?? '';
  if (body === undefined) throw new DomainError('not-json', 'The body is empty; send an event or an array of events as JSON.');
  const parsed = parseJson(body);
  const isStructured = contentType.startsWith('application/cloudevents');
  if (!isStructured && headers['ce-specversion'] !== undefined) return single(binaryEvent(parsed, headers, contentType));
  if (Array.isArray(parsed)) return batch(parsed, body, contentType);
  if (contentType.startsWith('application/cloudevents-batch'))
    throw new DomainError('not-json', 'The body of application/cloudevents-batch+json must be an array of events.');
  return single(parsed, body);
};

const single = (value: unknown, body?: Buffer): RequestItems => {
  const raw = () => body?.toString('utf8') ?? JSON.stringify(value) ?? 'null';
  return {
    values: [value],
    isBatch: false,
    rawOf: raw,
    isTooLarge: () => (body?.length ?? Buffer.byteLength(raw())) > LIMITS.eventBytes,
  };
};

const batch = (values: readonly unknown[], body: Buffer, contentType: string): RequestItems => {
  if (contentType.startsWith('application/cloudevents+'))
    throw new DomainError(
      'not-json',
      'The body of application/cloudevents+json must be one event; use application/cloudevents-batch+json for an array.',
    );
  if (values.length > LIMITS.batchEvents)
    throw new DomainError('too-many-events', `The batch has ${values.length} events; at most ${LIMITS.batchEvents}. Send it in parts.`);
  let elements: readonly string[] | undefined;
  const rawOf = (index: number) => {
    elements ??= elementsOf(body.toString('utf8'));
    return elements[index] ?? '';
  };
  // Only a body larger than one event can hold an event that is too large: others are never cut up.
  const mayHoldLarge = body.length > LIMITS.eventBytes;
  const isTooLarge = (index: number) => {
    if (!mayHoldLarge) return false;
    const raw = rawOf(index);
    return raw.length * 3 > LIMITS.eventBytes && Buffer.byteLength(raw) > LIMITS.eventBytes;
  };
  return { values, isBatch: true, rawOf, isTooLarge };
};

/** Binary mode: attributes in `ce-` headers, percent-encoded; data is the body. */
const binaryEvent = (data: unknown, headers: IncomingHttpHeaders, contentType: string): Readonly<Record<string, unknown>> => {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') && typeof value === 'string' ? [[name.slice(3), percentDecoded(value)] as const] : [],
  );
  return { ...Object.fromEntries(attributes), datacontenttype: contentType, data };
};

const percentDecoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** @param text  a valid JSON array; @returns the text of each element */
export const elementsOf = (text: string): readonly string[] => piecesOf(text, text.indexOf('[') + 1);

/** @param text  a valid JSON object; @returns the text of it without the members of a name, as it arrived where there are none */
export const withoutMember = (text: string, name: string): string => {
  const members = piecesOf(text, text.indexOf('{') + 1);
  const others = members.filter((member) => JSON.parse(member.slice(0, closingQuote(member, 0) + 1)) !== name);
  return others.length === members.length ? text : `{${others.join(',')}}`;
};

/** What stands between the commas of the array or object that begins before `start`. */
const piecesOf = (text: string, start: number): readonly string[] => {
  const pieces: string[] = [];
  let depth = 0;
  let from = start;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const closes = code === 0x7d || code === 0x5d;
    if (code === QUOTE) at = closingQuote(text, at);
    else if (code === 0x7b || code === 0x5b) depth += 1;
    else if (depth > 0 && closes) depth -= 1;
    else if (depth === 0 && (code === 0x2c || closes)) {
      const piece = text.slice(from, at).trim();
      if (piece !== '') pieces.push(piece);
      from = at + 1;
      if (closes) break;
    }
  }
  return pieces;
};

const closingQuote = (text: string, opening: number): number => {
  let at = opening;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return text.length;
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    // An even number of backslashes escapes itself, not the quote.
    if ((at - before) % 2 === 1) return at;
  }
};
