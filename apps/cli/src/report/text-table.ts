/** Columns of text for a terminal: the first to the left, figures to the right. */

export const textTable = (rows: readonly (readonly string[])[], leftColumns = 1): string => {
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, index) => (index < leftColumns ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
};

/** Five significant digits; never in the form 1e5. */
export const figure = (value: number | null | undefined): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 100_000) return Math.round(value).toLocaleString('en-US');
  if (magnitude < 1e-6) return value.toExponential(2);
  return value.toPrecision(5).replace(/e[+-]\d+$/, '');
};

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${share > 0 ? '+' : ''}${(share * 100).toFixed(2)} %`;

export const probability = (p: number | null | undefined): string => {
  if (p === null || p === undefined) return '–';
  return p < 0.0001 ? p.toExponential(1) : p.toFixed(4);
};
