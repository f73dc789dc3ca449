/** When an event happened, and when it became known: the sender's clock, corrected where the sender said when it sent. */
import { type CloudEvent, formatInstant, type InstantUs, LIMITS, parseInstant } from '@rampart/contracts';
import { type Rejection, rejected } from './rejection.js';

export interface Arrival {
  readonly receivedAtUs: InstantUs;
  /** Later than `receivedAtUs` for a replay. */
  readonly nowUs: InstantUs;
}

export interface EventTimes {
  readonly at: InstantUs;
  /** Historical environments only. */
  readonly knownAt?: InstantUs;
}

type Stamps = Pick<CloudEvent, 'time' | 'sentat' | 'knownat'>;

/** @returns corrected times, or why they can't be believed */
export const timesOf = (event: Stamps, environment: 'live' | 'historical', arrival: Arrival): EventTimes | Rejection => {
  if (environment === 'live' && event.knownat !== undefined)
    return rejected('known-at-not-allowed', '/knownat', 'knownat is for historical environments and keys of role import; leave it out');
  const time = stampOf(event, 'time');
  if (typeof time === 'object') return time;
  const sentAt = stampOf(event, 'sentat');
  if (typeof sentAt === 'object') return sentAt;
  if (environment === 'live') return live(time, sentAt, arrival);
  const knownAt = stampOf(event, 'knownat');
  if (typeof knownAt === 'object') return knownAt;
  // History has its own clock: when it was sent to us says nothing about it.
  const at = time ?? knownAt ?? arrival.receivedAtUs;
  return tooLate('/time', at, arrival) ?? tooLate('/knownat', knownAt ?? at, arrival) ?? { at, knownAt: knownAt ?? at };
};

const live = (time: InstantUs | undefined, sentAt: InstantUs | undefined, arrival: Arrival): EventTimes | Rejection => {
  if (time === undefined) return { at: arrival.receivedAtUs };
  // A clock that is wrong is equally wrong about both: the time that lay between them is right.
  const at = sentAt === undefined ? time : arrival.receivedAtUs - (sentAt - time);
  if (!Number.isSafeInteger(at)) return rejected('not-an-instant', '/sentat', 'sentat and time lie too far apart to be corrected');
  return tooLate('/time', at, arrival) ?? { at };
};

const stampOf = (event: Stamps, name: keyof Stamps): InstantUs | undefined | Rejection => {
  const text = event[name];
  if (text === undefined) return undefined;
  return (
    instantOf(text) ??
    rejected(
      'not-an-instant',
      `/${name}`,
      `${name} must be an instant with its zone, such as 2026-05-01T12:00:00.123456Z, got ${JSON.stringify(text.slice(0, 60))}`,
    )
  );
};

const tooLate = (path: string, at: InstantUs, { nowUs }: Arrival): Rejection | undefined => {
  if (at <= nowUs + LIMITS.futureUs) return undefined;
  const name = path.slice(1);
  return rejected('in-the-future', path, `${name} is ${formatInstant(at)}, more than 24 h after now (${formatInstant(nowUs)})`);
};

const LATIN_T = 0x54;
const BEYOND_MICROSECONDS = /(\.\d{6})\d+/;

/** As the contract has it: `T` and `Z` in capitals, any number of decimals, those beyond the sixth cut off. Exact for the years 1684 to 2255. */
export const instantOf = (text: string): InstantUs | undefined => {
  const usual = usualInstant(text);
  if (usual !== undefined) return usual;
  if (text.charCodeAt(10) !== LATIN_T || text.endsWith('z')) return undefined;
  const at = parseInstant(text) ?? parseInstant(text.replace(BEYOND_MICROSECONDS, '$1'));
  return at !== undefined && Number.isSafeInteger(at) ? at : undefined;
};

const LENGTH_IN_MILLISECONDS = 24;
const dayStarts = new Map<string, InstantUs>();
const MOST_DAYS = 1_000;

/** `2026-05-01T12:00:00.123Z`, as every JavaScript sender writes it: most events of a batch are of one day, and only digits remain. */
const usualInstant = (text: string): InstantUs | undefined => {
  if (text.length !== LENGTH_IN_MILLISECONDS || text.charCodeAt(23) !== 0x5a || text.charCodeAt(19) !== 0x2e) return undefined;
  if (text.charCodeAt(10) !== LATIN_T || text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return undefined;
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const millis = twoDigits(text, 20) * 10 + text.charCodeAt(22) - 0x30;
  // NaN is in no range; the last digit is checked by itself.
  if (!(hour < 24 && minute < 60 && second < 60 && millis >= 0) || !isDigit(text.charCodeAt(22))) return undefined;
  const day = dayStart(text.slice(0, 10));
  return day === undefined ? undefined : day + ((hour * 60 + minute) * 60 + second) * 1_000_000 + millis * 1_000;
};

const dayStart = (date: string): InstantUs | undefined => {
  const known = dayStarts.get(date);
  if (known !== undefined) return known;
  const start = parseInstant(`${date}T00:00:00Z`);
  if (start === undefined || !Number.isSafeInteger(start)) return undefined;
  if (dayStarts.size >= MOST_DAYS) dayStarts.clear();
  dayStarts.set(date, start);
  return start;
};

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

const twoDigits = (text: string, at: number): number => {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + ones - 0x30 : Number.NaN;
};
