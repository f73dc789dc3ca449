/**
 * Dead letters that name a unit leave the log. A log only loses its beginning: what should stay is appended anew, then a mark, then all before it is dropped.
 * A crash in between is mended by the next run, which finds the mark.
 */
import { DEAD_LETTERS, type DeadLetter, DROPPED_BEFORE_HEADER, ERASURE_HEADER } from '@rampart/contracts';
import type { EventLog, LogMessage } from '@rampart/event-log';
import { namesUnit, textsIn } from './named-units.js';

const AT_ONCE = 200;

export interface Wanted {
  /** Of the erasure. */
  readonly id: string;
  readonly unitId: string;
  readonly unit: string;
}

/** @returns how many letters named it; 0: nothing was changed */
export const dropLettersAbout = async (log: EventLog, { id, unitId, unit }: Wanted): Promise<number> => {
  const names = (message: LogMessage) => isAbout(message, unitId) || isAbout(message, unit);
  await finishDropped(log);
  const [{ earliest, end } = { earliest: 0, end: 0 }] = await log.offsets(DEAD_LETTERS);
  let found = 0;
  for await (const message of lettersIn(log, earliest, end)) if (names(message)) found += 1;
  if (found === 0) return 0;
  let staying: { partition: number; value: Uint8Array; headers: Readonly<Record<string, string>> }[] = [];
  for await (const message of lettersIn(log, earliest, end)) {
    const { value, headers } = message;
    if (value === null || names(message)) continue;
    staying.push({ partition: 0, value, headers });
    if (staying.length < AT_ONCE) continue;
    await log.append(DEAD_LETTERS, staying);
    staying = [];
  }
  const headers = { [DROPPED_BEFORE_HEADER]: String(end), [ERASURE_HEADER]: id };
  await log.append(DEAD_LETTERS, [...staying, { partition: 0, value: null, headers }]);
  await log.dropBefore({ topic: DEAD_LETTERS, partition: 0, offset: end });
  return found;
};

/** What an earlier run had marked and not dropped yet. */
const finishDropped = async (log: EventLog): Promise<void> => {
  const [{ earliest, end } = { earliest: 0, end: 0 }] = await log.offsets(DEAD_LETTERS);
  let before = earliest;
  for await (const { headers } of lettersIn(log, earliest, end)) before = Math.max(before, Number(headers[DROPPED_BEFORE_HEADER] ?? 0));
  if (before > earliest) await log.dropBefore({ topic: DEAD_LETTERS, partition: 0, offset: before });
};

async function* lettersIn(log: EventLog, from: number, end: number): AsyncGenerator<LogMessage> {
  let offset = from;
  while (offset < end) {
    const messages = await log.read({ topic: DEAD_LETTERS, partition: 0, offset, limit: 1_000 });
    for (const message of messages) if (message.offset < end) yield message;
    offset = (messages.at(-1)?.offset ?? end) + 1;
  }
}

const isAbout = ({ value }: LogMessage, id: string): boolean => {
  if (value === null) return false;
  const text = Buffer.from(value).toString('utf8');
  if (namesUnit(text, id)) return true;
  // As JSON writes it, an id may look otherwise: the letter, and the event inside of it, are read.
  const letter = parsed(text) as Partial<DeadLetter> | undefined;
  const event = typeof letter?.raw === 'string' ? parsed(letter.raw) : undefined;
  return [...textsIn(letter), ...textsIn(event)].some((one) => namesUnit(one, id));
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
