/** Texts of a file → instants: formats, and local times of a zone. */
import { type InstantUs, parseInstant } from '@rampart/contracts';
import { usage } from '../refusal.js';
import { zoneOffsets } from './zone-offsets.js';

export type ReadTime = (text: string) => InstantUs | undefined;

const EPOCH_US: Readonly<Record<string, number>> = { 'epoch-s': 1_000_000, 'epoch-ms': 1_000, 'epoch-us': 1 };
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?$/;
const TOKENS: Readonly<Record<string, string>> = {
  YYYY: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  DD: '(?<day>\\d{2})',
  D: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
  S: '(?<fraction>\\d{1,9})',
  Z: '(?<zone>Z|[+-]\\d{2}:?\\d{2})',
};

/**
 * @param format  see the plan; undefined = ISO 8601, date alone = its midnight
 * @param zone  for texts that say none; @returns a reader that gives undefined for what is no such time
 * @throws Refusal for a format without year, month and day
 */
export const timeReader = (format: string | undefined, zone: string | undefined): ReadTime => {
  const perUnit = EPOCH_US[format ?? ''];
  if (perUnit !== undefined) return (text) => (/^\d{1,16}(\.\d+)?$/.test(text) ? epoch(text, perUnit) : undefined);
  const offsetAt = zone === undefined ? undefined : zoneOffsets(zone);
  const read = format === undefined ? isoParts : formatParts(format);
  return (text) => {
    const parts = read(text);
    if (parts === undefined) return undefined;
    const { year, month, day, hour = '0', minute = '00', second = '00', fraction = '', zone: own } = parts;
    const local = `${year}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}T${hour.padStart(2, '0')}:${minute}:${second}.${fraction.padEnd(6, '0').slice(0, 6)}`;
    if (own !== undefined)
      return parseInstant(`${local}${/^[+-]\d{4}$/.test(own) ? `${own.slice(0, 3)}:${own.slice(3)}` : own.toUpperCase()}`);
    const asUtc = parseInstant(`${local}Z`);
    return asUtc === undefined || offsetAt === undefined ? undefined : asUtc - offsetAt(asUtc);
  };
};

type Parts = Readonly<Partial<Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'zone', string>>>;

const isoParts = (text: string): Parts | undefined => {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  return { year, month, day, hour, minute, second, fraction, zone };
};

const formatParts = (format: string): ((text: string) => Parts | undefined) => {
  const pattern = format.replace(/YYYY|MM?|DD?|HH?|mm|ss|S+|Z|[^A-Za-z0-9\s]|\s+|[A-Za-z0-9]+/g, (token) => {
    const known = TOKENS[token.startsWith('S') ? 'S' : token];
    if (known !== undefined) return known;
    if (/^\s+$/.test(token)) return '\\s+';
    return token.replace(/[^\w]/g, '\\$&');
  });
  for (const part of ['year', 'month', 'day'])
    if (!pattern.includes(`<${part}>`)) throw usage(`The time format "${format}" has no ${part}: it needs YYYY, MM (or M) and DD (or D).`);
  const expression = new RegExp(`^${pattern}$`);
  return (text) => expression.exec(text)?.groups;
};

const epoch = (text: string, perUnit: number): InstantUs => {
  const [whole = '0', fraction = ''] = text.split('.');
  const digits = String(perUnit).length - 1;
  return Number(whole) * perUnit + (digits === 0 ? 0 : Number(fraction.padEnd(digits, '0').slice(0, digits)));
};
