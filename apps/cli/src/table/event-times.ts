/** Texts of a file → instants: formats, and local times of a zone. */
import type { InstantUs } from '@rampart/contracts';
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
    const local = asIfUtc(parts);
    if (local === undefined) return undefined;
    if (parts.zone !== undefined) return local - offsetOf(parts.zone);
    return offsetAt === undefined ? undefined : local - offsetAt(local);
  };
};

type Parts = Readonly<Partial<Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'zone', string>>>;

/** The instant at which clocks of UTC show this; undefined for 30 February and 25 o'clock. */
const asIfUtc = ({ year, month, day, hour = '0', minute = '0', second = '0', fraction = '' }: Parts): InstantUs | undefined => {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (new Date(ms).getUTCDate() !== Number(day) || Number(month) > 12 || Number(year) < 100) return undefined;
  return ms * 1000 + (fraction === '' ? 0 : Number(fraction.padEnd(6, '0').slice(0, 6)));
};

const offsetOf = (zone: string): number => {
  if (zone === 'Z' || zone === 'z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000_000;
};

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
