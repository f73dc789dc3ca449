/** Numbers as people read them: as many digits as mean something, a sign where it is a difference, a real minus. */

export const NOTHING = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const count = (value: number): string => grouped.format(value);

const minus = (text: string): string => text.replace('-', '−');

/** Three significant digits, without exponents between a millionth and a million. */
export const figure = (value: number | null | undefined): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 1000) return minus(grouped.format(value));
  if (size !== 0 && size < 1e-6) return minus(value.toExponential(2));
  return minus(String(Number(value.toPrecision(3))));
};

export const signed = (value: number | null | undefined): string => {
  const said = figure(value);
  return said !== NOTHING && value !== null && value !== undefined && value > 0 ? `+${said}` : said;
};

/** A share as a percentage: 0.123 is 12.3 %. */
export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined || !Number.isFinite(share) ? NOTHING : `${figure(share * 100)} %`;

export const signedPercent = (share: number | null | undefined): string =>
  share === null || share === undefined || !Number.isFinite(share) ? NOTHING : `${signed(share * 100)} %`;

export const probability = (p: number | null | undefined): string => {
  if (p === null || p === undefined || !Number.isFinite(p)) return NOTHING;
  return p < 0.0001 ? '< 0.0001' : String(Number(p.toPrecision(2)));
};

/** An interval as one text; absent bounds are said, not left out. */
export const interval = (lower: number | null | undefined, upper: number | null | undefined, say = signed): string =>
  (lower === null || lower === undefined) && (upper === null || upper === undefined) ? NOTHING : `${say(lower)} to ${say(upper)}`;
