/** A small chart as SVG: lines over two axes, each line named at its end or in a legend. Coordinates are rounded, so that the same figures draw the same file. */

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Steps between looks are drawn as dots, since nothing is tested between them. */
  readonly isDots?: boolean;
  readonly isDashed?: boolean;
}

export interface Chart {
  readonly title: string;
  /** For readers who do not see it: what it shows. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

export interface Axis {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly shown?: (value: number) => string;
}

const [WIDTH, HEIGHT] = [760, 330];
const PLOT = { left: 60, right: 520, top: 34, bottom: 280 };
const INK = '#0f172a';

export const svgOf = ({ title, description, x, y, lines }: Chart): string => {
  const across = (value: number) => rounded(PLOT.left + ((value - x.from) / (x.to - x.from)) * (PLOT.right - PLOT.left));
  const up = (value: number) => rounded(PLOT.bottom - ((clamped(value, y) - y.from) / (y.to - y.from)) * (PLOT.bottom - PLOT.top));
  const grid = [
    ...x.ticks.map((tick) => text(across(tick), PLOT.bottom + 18, label(x, tick), 'middle')),
    ...y.ticks.map(
      (tick) =>
        `<line x1="${PLOT.left}" y1="${up(tick)}" x2="${PLOT.right}" y2="${up(tick)}" stroke="#e2e8f0"/>${text(PLOT.left - 8, up(tick) + 4, label(y, tick), 'end')}`,
    ),
  ];
  const drawn = lines.map((line) => {
    const points = line.points.filter(([at]) => at >= x.from && at <= x.to).map(([at, value]) => [across(at), up(value)] as const);
    if (line.isDots === true) return points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="4.5" fill="${line.colour}"/>`).join('');
    const path = points.map(([px, py]) => `${px},${py}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${line.colour}" stroke-width="2.5"${line.isDashed === true ? ' stroke-dasharray="7 5"' : ''}/>`;
  });
  const legend = lines.map(({ name, colour, isDots }, at) => {
    const top = PLOT.top + 12 + at * 24;
    const mark =
      isDots === true
        ? `<circle cx="548" cy="${top - 4}" r="4.5" fill="${colour}"/>`
        : `<line x1="538" y1="${top - 4}" x2="558" y2="${top - 4}" stroke="${colour}" stroke-width="3"/>`;
    return `${mark}${text(566, top, name, 'start')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="13">`,
    `  <title id="t">${escaped(title)}</title>`,
    `  <desc id="d">${escaped(description)}</desc>`,
    `  <rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `  <g fill="${INK}">`,
    ...[...grid, ...legend, text(PLOT.left, 18, y.name, 'start'), text(PLOT.right, PLOT.bottom + 38, x.name, 'end')].map(
      (one) => `    ${one}`,
    ),
    '  </g>',
    `  <line x1="${PLOT.left}" y1="${PLOT.bottom}" x2="${PLOT.right}" y2="${PLOT.bottom}" stroke="${INK}"/>`,
    ...drawn.map((one) => `  ${one}`),
    '</svg>',
    '',
  ].join('\n');
};

const label = ({ shown = String }: Axis, value: number): string => escaped(shown(value));
const text = (x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${x}" y="${rounded(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
const clamped = (value: number, { from, to }: Axis): number => Math.min(to, Math.max(from, value));
const rounded = (value: number): number => Math.round(value * 10) / 10;
const escaped = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
