/** What a zone's clocks were ahead of UTC, by its own local time. */

const HOUR_US = 3_600_000_000;

/**
 * @returns local time (as if it were UTC, in µs) → µs to take off. Of a local time that exists twice the first is meant;
 *          one that was skipped is read with the offset before the change.
 */
export const zoneOffsets = (zone: string): ((localUs: number) => number) => {
  if (/^(utc|gmt|etc\/utc|z)$/i.test(zone)) return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  });
  const offsetAt = (utcUs: number): number => {
    const ms = Math.floor(utcUs / 1000 / 1000) * 1000;
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const { year = '1970', month = '1', day = '1', hour = '0', minute = '0', second = '0' } = parts;
    return (Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) - ms) * 1000;
  };
  // Offsets change at quarter hours of UTC, hence of local time.
  const quarters = new Map<number, number>();
  return (localUs) => {
    const quarter = Math.floor(localUs / (HOUR_US / 4));
    const known = quarters.get(quarter);
    if (known !== undefined) return known;
    const start = quarter * (HOUR_US / 4);
    const before = offsetAt(start - 24 * HOUR_US);
    const after = offsetAt(start + 24 * HOUR_US);
    const fits = [before, after].find((offset) => offsetAt(start - offset) === offset);
    const offset = fits ?? before;
    quarters.set(quarter, offset);
    return offset;
  };
};
