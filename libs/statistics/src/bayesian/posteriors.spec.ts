import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocationWeights, banditReadiness, bestArmProbability, periodWeightedMean } from './best-arm.js';
import { betaInterval, betaPosterior, compareBetaPosteriors, logRateRatio } from './beta-posterior.js';
import { absolutePrior, type NormalPosterior, normalPosterior } from './normal-posterior.js';

const posteriorOf = (input: Parameters<typeof normalPosterior>[0]): NormalPosterior => {
  const found = normalPosterior(input);
  if (found.kind === 'no-information') throw new Error('no information');
  return found;
};

const effects = fc.tuple(fc.double({ min: -2, max: 2, noNaN: true }), fc.double({ min: 0.001, max: 2, noNaN: true }));

describe('a normal posterior', () => {
  it('has losses that differ by its mean, and swap when the effect is negated', () => {
    fc.assert(
      fc.property(effects, ([estimate, se]) => {
        const [up, down] = [posteriorOf({ estimate, se, alpha: 0.05 }), posteriorOf({ estimate: -estimate, se, alpha: 0.05 })];
        expect(up.lossKeepControl - up.lossShipTreatment).toBeCloseTo(estimate, 10);
        expect(down.lossShipTreatment).toBe(up.lossKeepControl);
        expect(up.chanceToWin + down.chanceToWin).toBeCloseTo(1, 12);
        expect(Math.min(up.lossKeepControl, up.lossShipTreatment)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('joins its two ways to a small loss without a step', () => {
    for (const z of [5, 12]) {
      const [before, after] = [z - 1e-9, z + 1e-9].map((estimate) => posteriorOf({ estimate, se: 1, alpha: 0.05 }).lossShipTreatment);
      expect((before ?? 0) / (after ?? 1)).toBeCloseTo(1, 6);
    }
  });

  it('lies between the data and the prior, and is surer than either', () => {
    fc.assert(
      fc.property(effects, effects, ([estimate, se], [mean, sd]) => {
        const posterior = posteriorOf({ estimate, se, prior: { mean, variance: sd * sd }, alpha: 0.05 });
        expect(posterior.mean).toBeGreaterThanOrEqual(Math.min(estimate, mean) - 1e-9);
        expect(posterior.mean).toBeLessThanOrEqual(Math.max(estimate, mean) + 1e-9);
        expect(posterior.sd).toBeLessThanOrEqual(Math.min(se, sd) * (1 + 1e-12));
      }),
    );
  });

  it('is the prior when the data has no variance, and nothing without either', () => {
    expect(posteriorOf({ estimate: 5, se: 0, prior: { mean: 0.1, variance: 0.04 }, alpha: 0.05 })).toMatchObject({ mean: 0.1, sd: 0.2 });
    expect(normalPosterior({ estimate: 5, se: 0, alpha: 0.05 })).toEqual({ kind: 'no-information' });
    expect(() => normalPosterior({ estimate: 5, se: 1, prior: { mean: 0, variance: 0 }, alpha: 0.05 })).toThrow(RangeError);
  });

  it('takes a relative prior to the scale of the control mean', () => {
    expect(absolutePrior({ mean: 0.1, variance: 0.09 }, -10)).toEqual({ mean: 1, variance: 9 });
  });
});

describe('beta posteriors', () => {
  const counts = fc.integer({ min: 1, max: 2_000 }).chain((trials) => fc.tuple(fc.integer({ min: 0, max: trials }), fc.constant(trials)));

  it('compared both ways add up, with losses that differ by their means', () => {
    fc.assert(
      fc.property(counts, counts, ([x, n], [y, m]) => {
        const [a, b] = [betaPosterior(x, n), betaPosterior(y, m)];
        const [there, back] = [compareBetaPosteriors(a, b), compareBetaPosteriors(b, a)];
        const mean = (p: { a: number; b: number }): number => p.a / (p.a + p.b);
        expect(there.chanceToWin + back.chanceToWin).toBeCloseTo(1, 6);
        expect(there.lossKeepControl - there.lossShipTreatment).toBeCloseTo(mean(b) - mean(a), 6);
        expect(there.lossKeepControl).toBeCloseTo(back.lossShipTreatment, 10);
      }),
      { numRuns: 12 },
    );
  });

  it('that are equal are a coin toss', () => {
    expect(compareBetaPosteriors({ a: 50, b: 70 }, { a: 50, b: 70 }).chanceToWin).toBeCloseTo(0.5, 10);
  });

  it('hold their mean inside the interval', () => {
    const { lower, upper } = betaInterval({ a: 3, b: 5 }, 0.95);
    expect(lower).toBeLessThan(3 / 8);
    expect(upper).toBeGreaterThan(3 / 8);
  });

  it('have a ratio whose logarithm has the moments of digamma and trigamma', () => {
    // ψ(1) = −γ, ψ(1/2) = −γ − 2 ln 2, ψ′(1) = π²/6, ψ′(1/2) = π²/2 (Abramowitz & Stegun 6.3.2–3, 6.4.2–4).
    const { mean, sd } = logRateRatio({ a: 1, b: 1e-9 }, { a: 0.5, b: 0.5 });
    expect(mean).toBeCloseTo(-2 * Math.LN2, 8);
    expect(sd).toBeCloseTo(Math.sqrt(Math.PI ** 2 / 2 - Math.PI ** 2 / 6), 8);
    const large = logRateRatio({ a: 1e6, b: 3e6 }, { a: 1e6, b: 1e6 });
    expect(large.mean).toBeCloseTo(Math.LN2, 5);
    expect(large.sd).toBeCloseTo(Math.sqrt(1 / 1e6 - 1 / 4e6 + 1 / 1e6 - 1 / 2e6), 9);
  });

  it('refuse impossible counts and improper priors', () => {
    expect(() => betaPosterior(3, 2)).toThrow('3 successes in 2 trials');
    expect(() => betaPosterior(1, 2, { a: 0, b: 1 })).toThrow(RangeError);
  });
});

describe('the best arm', () => {
  it('has probabilities that add up and follow their means', () => {
    fc.assert(
      fc.property(fc.array(effects, { minLength: 2, maxLength: 5 }), (given) => {
        const arms = given.map(([mean]) => ({ mean, sd: 0.3 }));
        const p = bestArmProbability(arms);
        expect(p.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
        arms.forEach((one, i) => {
          arms.forEach((other, j) => {
            if (one.mean > other.mean) expect(p[i] ?? 0).toBeGreaterThanOrEqual((p[j] ?? 0) - 1e-9);
          });
        });
      }),
      { numRuns: 30 },
    );
  });

  it('of two is the normal probability, however different their widths', () => {
    const [first] = bestArmProbability([
      { mean: 1, sd: 0.01 },
      { mean: 0, sd: 1 },
    ]);
    const posterior = posteriorOf({ estimate: 1, se: Math.hypot(0.01, 1), alpha: 0.05 });
    expect(first).toBeCloseTo(posterior.chanceToWin, 8);
  });

  it('needs a width in every arm', () => {
    expect(() => bestArmProbability([{ mean: 1, sd: 0 }])).toThrow(RangeError);
  });
});

describe('bandit weights', () => {
  it('keep a floor and add up to 1', () => {
    const weights = allocationWeights([0.9, 0.1, 0], 0.05);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 14);
    expect(Math.min(...weights)).toBe(0.05);
  });

  it('are equal at a floor too high, and follow the probabilities at one below 0', () => {
    expect(allocationWeights([1, 0], 0.7)).toEqual([0.5, 0.5]);
    expect(allocationWeights([0.8, 0.2], -1)).toEqual([0.8, 0.2]);
  });

  it('do not move before every arm has 100 units', () => {
    expect(banditReadiness([100, 99])).toEqual({ kind: 'not-enough-data', needed: 100, have: 99 });
    expect(banditReadiness([100, 100])).toEqual({ kind: 'ready' });
  });

  it('leave means unbiased when weighted by period', () => {
    // The same arm mean per period, unequal traffic: only the periods' shares count.
    const { mean, varianceOfMean } = periodWeightedMean([
      { mean: 1, variance: 4, n: 10, share: 0.5 },
      { mean: 3, variance: 4, n: 1000, share: 0.5 },
    ]);
    expect(mean).toBe(2);
    expect(varianceOfMean).toBeCloseTo(0.25 * 0.4 + 0.25 * 0.004, 14);
  });
});
