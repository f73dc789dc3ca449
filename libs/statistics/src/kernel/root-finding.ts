/** Roots of continuous functions on a bracket: slow is fine, lost is not. */

const MAX_STEPS = 400;

/**
 * x in [low, high] with f(x) = 0, where f(low) and f(high) have different signs (Brent 1973, `zeroin`).
 * Ends when the bracket is as narrow as double precision allows at x, or as `tolerance` asks.
 */
export const findRoot = (f: (x: number) => number, low: number, high: number, tolerance = 0): number => {
  let [a, b, fa, fb] = [low, high, f(low), f(high)];
  if (fa === 0) return a;
  if (fb === 0) return b;
  if (fa > 0 === fb > 0) throw new RangeError(`no sign change between ${low} (${fa}) and ${high} (${fb})`);
  let [c, fc, step, previousStep] = [a, fa, b - a, b - a];
  for (let i = 0; i < MAX_STEPS; i++) {
    if (Math.abs(fc) < Math.abs(fb)) [a, b, c, fa, fb, fc] = [b, c, b, fb, fc, fb];
    const smallest = 2 * Number.EPSILON * Math.abs(b) + tolerance / 2;
    const half = (c - b) / 2;
    if (Math.abs(half) <= smallest || fb === 0) return b;
    const guess = Math.abs(previousStep) >= smallest && Math.abs(fa) > Math.abs(fb) ? interpolate(a, b, c, fa, fb, fc) : undefined;
    const accepted =
      guess !== undefined && Math.abs(guess) < Math.min(1.5 * Math.abs(half), Math.abs(previousStep / 2)) && guess > 0 === half > 0;
    [previousStep, step] = accepted ? [step, guess] : [half, half];
    [a, fa] = [b, fb];
    b += Math.abs(step) > smallest ? step : Math.sign(half) * smallest;
    fb = f(b);
    if (fb > 0 === fc > 0) [c, fc, step, previousStep] = [a, fa, b - a, b - a];
  }
  return b;
};

/** The step that inverse quadratic interpolation (or a secant, with two points) proposes from b. */
const interpolate = (a: number, b: number, c: number, fa: number, fb: number, fc: number): number => {
  const s = fb / fa;
  if (a === c) return (s * (c - b)) / (1 - s);
  const q = fa / fc;
  const r = fb / fc;
  const top = s * ((c - b) * q * (q - r) - (b - a) * (r - 1));
  return -top / ((q - 1) * (r - 1) * (s - 1));
};

/** Moves `high` up from `low` by doubling the distance until f changes sign; f(low) must be of the other sign. */
export const bracketUpwards = (f: (x: number) => number, low: number, firstStep: number): readonly [low: number, high: number] => {
  const sign = f(low) > 0;
  let from = low;
  for (let step = firstStep; step < Number.MAX_VALUE / 4; step *= 2) {
    const to = low + step;
    if (f(to) > 0 !== sign) return [from, to];
    from = to;
  }
  throw new RangeError(`no sign change above ${low}`);
};
