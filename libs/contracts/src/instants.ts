/** Instants are integers: microseconds since 1970-01-01T00:00:00Z, always safe integers. */

export type InstantUs = number;

const ISO = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|z|[+-]\d{2}:\d{2})$/;

/**
 * Reads an RFC 3339 instant with up to nine decimals (the last three are cut off).
 * @returns microseconds, or undefined when the text is no instant (a zone is required; 30 February is none) or lies outside 1685–2255,
 *   where microseconds stop being safe integers
 */
export const parseInstant = (text: string): InstantUs | undefined => {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const whole = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // Date.UTC rolls 30 February over to March, month 13 to January, and year 99 to 1999: the round trip must give the same day.
  if (!new Date(whole).toISOString().startsWith(`${year}-${month}-${day}T`)) return undefined;
  const offset = offsetMinutes(zone);
  if (offset === undefined) return undefined;
  const at = (whole - offset * 60_000) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
  return Number.isSafeInteger(at) ? at : undefined;
};

const offsetMinutes = (zone: string): number | undefined => {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
};

/** ISO 8601 in UTC; microseconds are shown only where they are not zero. */
export const formatInstant = (at: InstantUs): string => {
  const millis = Math.floor(at / 1000);
  const micros = at - millis * 1000;
  const text = new Date(millis).toISOString();
  return micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
};
