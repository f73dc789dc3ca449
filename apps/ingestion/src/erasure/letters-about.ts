/**
 * Dead letters that name a unit leave the log. A log only loses its beginning: what should stay is appended anew, then a mark, then all before it is dropped.
 * A crash in between is mended by the next run, which finds the mark.
 */
import { DEAD_LETTERS, type DeadLetter, DROPPED_BEFORE_HEADER, ERASURE_HEADER } from '@rampart/contracts';
import type { EventLog, LogMessage, OutgoingMessage } from '@rampart/event-log';
import { namesUnit, textsIn } from './named-units.js';

const AT_ONCE = 200;

export interface Wanted {
  /** Of the erasure. */
  readonly id: string;
  readonly unitId: string;
  readonly unit: string;
  /** Erasures whose marks the view may have yet to read: what they dropped it may still show. */
  readonly waiting: readonly string[];
}

export interface Dropped {
  /** How many letters named the unit; 0: every letter has its place still. */
  readonly removed: number;
  /** Whether a mark says when the view is done, too. */
  readonly isMarked: boolean;
}

export const dropLettersAbout = async (log: EventLog, { id, unitId, unit, waiting }: Wanted): Promise<Dropped> => {
  const names = (message: LogMessage) => isAbout(message, unitId) || isAbout(message, unit);
  await finishDropped(log);
  const [{ earliest, end } = { earliest: 0, end: 0 }] = await log.offsets(DEAD_LETTERS);
  let found = 0;
  let isMarked = false;
  for await (const message of lettersIn(log, earliest, end)) {
    if (names(message)) found += 1;
    if (message.headers[ERASURE_HEADER]?.split(',').includes(id) === true) isMarked = true;
  }
  if (found === 0) {
    // Another erasure may have dropped what named the unit: the view reads its mark before this one.
    if (!isMarked && waiting.length > 0) await log.append(DEAD_LETTERS, [markOf(earliest, [id])]);
    return { removed: 0, isMarked: isMarked || waiting.length > 0 };
  }
  let staying: { partition: number; value: Uint8Array; headers: Readonly<Record<string, string>> }[] = [];
  for await (const message of lettersIn(log, earliest, end)) {
    const { value, headers } = message;
    if (value === null || names(message)) continue;
    staying.push({ partition: 0, value, headers });
    if (staying.length < AT_ONCE) continue;
    await log.append(DEAD_LETTERS, staying);
    staying = [];
  }
  // Marks of those who wait are dropped with the rest.
  await log.append(DEAD_LETTERS, [...staying, markOf(end, [id, ...waiting])]);
  await log.dropBefore({ topic: DEAD_LETTERS, partition: 0, offset: end });
  return { removed: found, isMarked: true };
};

const markOf = (before: number, ids: readonly string[]): OutgoingMessage => ({
  ...{ partition: 0, value: null, headers: { [DROPPED_BEFORE_HEADER]: String(before), [ERASURE_HEADER]: ids.join(',') } },
});

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
