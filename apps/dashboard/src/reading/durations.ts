/** Spans of time, and moments in the reader's zone. */

const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** Two units at most: 1 d 4 h, 3 min 20 s, 12 s. */
export const span = (seconds: number): string => {
  let rest = Math.max(0, Math.round(seconds));
  const said: string[] = [];
  for (const [size, name] of UNITS) {
    const whole = Math.floor(rest / size);
    if (said.length === 1 && whole === 0) break;
    if (whole > 0) said.push(`${whole} ${name}`);
    rest -= whole * size;
    if (said.length === 2) break;
  }
  return said.length === 0 ? '0 s' : said.join(' ');
};

/** “in 3 min 20 s”, “12 s ago”. */
export const relative = (atMs: number, nowMs: number): string => {
  const seconds = (atMs - nowMs) / 1000;
  if (Math.abs(seconds) < 1.5) return 'now';
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
};

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export const absolute = (atMs: number): string => day.format(atMs);
export const timeOfDay = (atMs: number): string => clock.format(atMs);
