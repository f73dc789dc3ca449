/** Integrals of smooth functions: Gauss–Legendre on equal panels. */

const NODES_PER_PANEL = 20;

interface Rule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

/** Legendre's polynomial of degree n and its derivative at x. */
const legendre = (n: number, x: number): readonly [value: number, derivative: number] => {
  let [previous, value] = [1, x];
  for (let k = 2; k <= n; k++) [previous, value] = [value, ((2 * k - 1) * x * value - (k - 1) * previous) / k];
  return [value, (n * (x * value - previous)) / (x * x - 1)];
};

const gaussLegendre = (n: number): Rule => {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    for (let step = 0; step < 10; step++) {
      const [value, derivative] = legendre(n, x);
      x -= value / derivative;
    }
    const [, derivative] = legendre(n, x);
    nodes.push(x);
    weights.push(2 / ((1 - x * x) * derivative * derivative));
  }
  return { nodes, weights };
};

const rule = gaussLegendre(NODES_PER_PANEL);

/** ∫ f over [low, high], with the interval cut into equal panels of 20 nodes. */
export const integrate = (f: (x: number) => number, low: number, high: number, panels: number): number => {
  const half = (high - low) / (2 * panels);
  let sum = 0;
  for (let panel = 0; panel < panels; panel++) {
    const centre = low + half * (2 * panel + 1);
    rule.nodes.forEach((node, i) => {
      sum += (rule.weights[i] ?? 0) * f(centre + half * node);
    });
  }
  return sum * half;
};

/** ∫ f over a chain of intervals with the given corners, each cut into `panels`: for densities of very different widths. */
export const integrateBetween = (f: (x: number) => number, corners: readonly number[], panels: number): number =>
  corners.slice(1).reduce((sum, corner, i) => sum + integrate(f, corners[i] ?? corner, corner, panels), 0);
