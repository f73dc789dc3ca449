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
  if (text.charCodeAt(10) !== LATIN_T || text.endsWith('z')) return undefined;
  const at = parseInstant(text) ?? parseInstant(text.replace(BEYOND_MICROSECONDS, '$1'));
  return at !== undefined && Number.isSafeInteger(at) ? at : undefined;
};
