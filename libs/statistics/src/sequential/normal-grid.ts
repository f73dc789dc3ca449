/** The quadrature grid of Jennison & Turnbull 2000, §19.2: dense around a normal density's centre, logarithmic in its tails. */

export interface Grid {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

/** r = 32: bounds to about 1e-7. */
const R = 32;

const corners = (centre: number): readonly number[] =>
  Array.from({ length: 6 * R - 1 }, (_, k) => {
    const i = k + 1;
    if (i < R) return centre - 3 - 4 * Math.log(R / i);
    if (i <= 5 * R) return centre - 3 + (3 * (i - R)) / (2 * R);
    return centre + 3 + 4 * Math.log(R / (6 * R - i));
  });

/** Simpson's rule on the part of the grid inside (lower, upper), with the cut ends as corners of their own. */
export const normalGrid = (centre: number, lower: number, upper: number): Grid => {
  const inside = corners(centre).filter((x) => x > lower && x < upper);
  const [first = centre, last = centre] = [corners(centre)[0], corners(centre).at(-1)];
  const points = [...(lower > first ? [lower] : []), ...inside, ...(upper < last ? [upper] : [])];
  const nodes: number[] = [];
  const weights: number[] = [];
  points.forEach((x, i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    nodes.push(x);
    weights.push(((before === undefined ? 0 : x - before) + (after === undefined ? 0 : after - x)) / 6);
    if (after === undefined) return;
    nodes.push((x + after) / 2);
    weights.push((4 * (after - x)) / 6);
  });
  return { nodes, weights };
};
