/** How numbers of a scenario vary: what a file may say, how one is drawn, and what its mean is. */
import { z } from 'zod';
import type { Random } from '../generation/random.js';

/** Which parameters each kind needs. */
const PARAMETERS = {
  constant: ['value'],
  uniform: ['from', 'to'],
  normal: ['mean', 'sd'],
  lognormal: ['mean', 'sd'],
  exponential: ['mean'],
  poisson: ['mean'],
  geometric: ['mean'],
} as const;
type Kind = keyof typeof PARAMETERS;
type Parameter = 'value' | 'from' | 'to' | 'mean' | 'sd';
const KINDS = Object.keys(PARAMETERS) as [Kind, ...Kind[]];

const shape = z
  .strictObject({
    distribution: z
      .enum(KINDS)
      .describe(
        '`poisson` counts from 0, `geometric` from 1; `lognormal` takes mean and sd of the values themselves, not of their logarithms',
      ),
    value: z.number().optional().describe('constant'),
    from: z.number().optional().describe('uniform'),
    to: z.number().optional().describe('uniform'),
    mean: z.number().optional().describe('normal, lognormal, exponential, poisson, geometric'),
    sd: z.number().min(0).optional().describe('normal, lognormal'),
  })
  .superRefine((one, ctx) => {
    const needed: readonly Parameter[] = PARAMETERS[one.distribution];
    for (const name of ['value', 'from', 'to', 'mean', 'sd'] as const) {
      const isGiven = one[name] !== undefined;
      if (isGiven === needed.includes(name)) continue;
      const message = isGiven
        ? `${one.distribution} has no "${name}"; it takes ${needed.join(' and ')}`
        : `${one.distribution} needs "${name}"`;
      ctx.addIssue({ code: 'custom', path: [name], message });
    }
    const least = LEAST_MEAN[one.distribution];
    if (one.mean !== undefined && least !== undefined && !least.holds(one.mean))
      ctx.addIssue({ code: 'custom', path: ['mean'], message: `the mean of ${one.distribution} must be ${least.words}, got ${one.mean}` });
    if (one.from !== undefined && one.to !== undefined && one.from > one.to)
      ctx.addIssue({ code: 'custom', path: ['from'], message: `must not be above "to": ${one.from} > ${one.to}` });
  });

const LEAST_MEAN: Partial<Record<Kind, { words: string; holds: (mean: number) => boolean }>> = {
  lognormal: { words: 'above 0', holds: (mean) => mean > 0 },
  exponential: { words: 'at least 0', holds: (mean) => mean >= 0 },
  poisson: { words: 'at least 0', holds: (mean) => mean >= 0 },
  geometric: { words: 'at least 1', holds: (mean) => mean >= 1 },
};

export interface Distribution {
  readonly kind: Kind;
  /** Of `constant` the value, of `uniform` the middle. */
  readonly mean: number;
  /** Of `uniform` half its width. */
  readonly spread: number;
}

export const distribution = z.union([z.number(), shape]).transform((one): Distribution => {
  if (typeof one === 'number') return { kind: 'constant', mean: one, spread: 0 };
  const { distribution: kind, value = 0, from = 0, to = 0, mean, sd = 0 } = one;
  if (kind === 'constant') return { kind, mean: value, spread: 0 };
  if (kind === 'uniform') return { kind, mean: (from + to) / 2, spread: (to - from) / 2 };
  return { kind, mean: mean ?? 0, spread: sd };
});

export const constant = (mean: number): Distribution => ({ kind: 'constant', mean, spread: 0 });

/** @param mean  in place of the distribution’s own: an effect moves the mean and leaves the spread */
export const drawn = ({ kind, mean: ownMean, spread }: Distribution, random: Random, mean = ownMean): number => {
  switch (kind) {
    case 'constant':
      return mean;
    case 'uniform':
      return mean + spread * (2 * random.uniform() - 1);
    case 'normal':
      return mean + spread * random.normal();
    case 'lognormal':
      return mean <= 0 ? 0 : lognormal(mean, spread, random);
    case 'exponential':
      return mean * random.exponential();
    case 'poisson':
      return poisson(mean, random);
    case 'geometric':
      return mean <= 1 ? 1 : 1 + Math.floor(Math.log(random.uniform()) / Math.log(1 - 1 / mean));
    default:
      return unreachable(kind);
  }
};

const unreachable = (kind: never): never => {
  throw new RangeError(`no such distribution: ${String(kind)}`);
};

const lognormal = (mean: number, sd: number, random: Random): number => {
  const variance = Math.log(1 + (sd / mean) ** 2);
  return mean * Math.exp(Math.sqrt(variance) * random.normal() - variance / 2);
};

/** Knuth's product is exact, and long for large means: those are sums of smaller ones. */
const poisson = (mean: number, random: Random): number => {
  let count = 0;
  for (let left = mean; left > 0; left -= 30) {
    const limit = Math.exp(-Math.min(left, 30));
    for (let product = random.uniform(); product > limit; product *= random.uniform()) count++;
  }
  return count;
};

/** What nearly all draws stay below: how long one has to wait for the last of them. */
export const nearlyAllBelow = ({ kind, mean, spread }: Distribution): number => {
  if (kind === 'uniform') return mean + spread;
  if (kind === 'normal') return mean + 4 * spread;
  if (kind === 'lognormal') return mean + 8 * spread;
  if (kind === 'poisson') return mean + 4 * Math.sqrt(mean) + 4;
  return kind === 'constant' ? mean : 8 * mean;
};
