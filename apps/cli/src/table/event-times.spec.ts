import { describe, expect, it } from '@jest/globals';
import { formatInstant } from '@rampart/contracts';
import { timeReader } from './event-times.js';

const read = (text: string, zone?: string, format?: string): string | undefined => {
  const at = timeReader(format, zone)(text);
  return at === undefined ? undefined : formatInstant(at);
};

describe('a time of a file', () => {
  it.each([
    ['2017-01-21 22:11:48.556739', '2017-01-21T22:11:48.556739Z'],
    ['2017-01-21T22:11:48.5', '2017-01-21T22:11:48.500Z'],
    ['2017-01-21 22:11', '2017-01-21T22:11:00.000Z'],
    ['2017-01-21', '2017-01-21T00:00:00.000Z'],
    ['2017-01-21T22:11:48+02:00', '2017-01-21T20:11:48.000Z'],
    ['2017-01-21 22:11:48Z', '2017-01-21T22:11:48.000Z'],
    ['2017-02-30', undefined],
    ['2017-01-21 24:00:00', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('%s is read as %s in UTC', (text, expected) => {
    expect(read(text, 'UTC')).toBe(expected);
  });

  it('without a zone is no instant', () => {
    expect(read('2017-01-21 22:11:48')).toBeUndefined();
    expect(read('2017-01-21 22:11:48Z')).toBe('2017-01-21T22:11:48.000Z');
  });

  it('of a zone follows its clock changes', () => {
    expect(read('2024-01-15 12:00', 'Europe/Berlin')).toBe('2024-01-15T11:00:00.000Z');
    expect(read('2024-07-15 12:00', 'Europe/Berlin')).toBe('2024-07-15T10:00:00.000Z');
    expect(read('2024-01-15 12:00', 'Asia/Kathmandu')).toBe('2024-01-15T06:15:00.000Z');
  });

  it('that exists twice is the first, one that was skipped keeps the offset before', () => {
    expect(read('2024-10-27 02:30', 'Europe/Berlin')).toBe('2024-10-27T00:30:00.000Z');
    expect(read('2024-03-31 02:30', 'Europe/Berlin')).toBe('2024-03-31T01:30:00.000Z');
    expect(read('2024-03-31 01:59', 'Europe/Berlin')).toBe('2024-03-31T00:59:00.000Z');
    expect(read('2024-03-31 03:00', 'Europe/Berlin')).toBe('2024-03-31T01:00:00.000Z');
  });

  it('is read by its format', () => {
    expect(read('2020-07-10 8', 'UTC', 'YYYY-MM-DD H')).toBe('2020-07-10T08:00:00.000Z');
    expect(read('31.12.2020, 23:59', 'UTC', 'DD.MM.YYYY, HH:mm')).toBe('2020-12-31T23:59:00.000Z');
    expect(read('1/2/2020', 'UTC', 'M/D/YYYY')).toBe('2020-01-02T00:00:00.000Z');
    expect(read('2020-07-10', 'UTC', 'DD.MM.YYYY')).toBeUndefined();
    expect(() => timeReader('HH:mm', 'UTC')).toThrow('has no year');
  });

  it('may be a number since 1970', () => {
    expect(read('1600000000', undefined, 'epoch-s')).toBe('2020-09-13T12:26:40.000Z');
    expect(read('1600000000.25', undefined, 'epoch-s')).toBe('2020-09-13T12:26:40.250Z');
    expect(read('1600000000123', undefined, 'epoch-ms')).toBe('2020-09-13T12:26:40.123Z');
  });
});
