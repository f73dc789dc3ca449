/** By how much do the quantiles of two arms differ? From ranks alone, at every look (after Howard & Ramdas 2022, with one mixture for both arms). */
import { type Refused, refused } from '../comparison/compared-effect.js';
import { logSumExp } from '../kernel/log-space.js';
import { type Probability, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';
import { fromLogE, type SequentialTest } from './e-values.js';
import { logNormalMixture, type NormalMixture, normalMixture } from './normal-mixture.js';

export interface OrderStatistic {
  /** From 1. */
  readonly rank: number;
  readonly value: number;
}

/** Some of an arm's order statistics: what lies between two of them is taken as it speaks least, so fewer give less evidence, never more. */
export interface RankedArm {
  /** Observations: of units one each, or events. */
  readonly n: number;
  /** Ranks rise, and values don't fall. */
  readonly ladder: readonly OrderStatistic[];
  /**
   * Of events that come in units: how many units, and by how much the share of events below a value varies more than it would if each event were drawn by
   * itself. Absent: each observation was.
   */
  readonly clusters?: { readonly units: number; readonly designEffect: number } | undefined;
}

interface TwoArms {
  readonly control: RankedArm;
  readonly treatment: RankedArm;
  /** Which quantile, in (0, 1). */
  readonly nu: number;
  /** N*: total units of the pair where the evidence shall be sharpest; plan data, as is what follows. */
  readonly tightestAtUnits: number;
  /** Of the pair's units; a half unless told. What really came may differ: it costs sharpness, not validity. */
  readonly treatmentShare?: number | undefined;
}

/**
 * Evidence against "treatment's quantile is at most shift + scale · control's" (`greater`), or "at least" (`less`).
 * For each value that control's quantile may have, the two counts below are held against it: a mixture of likelihood ratios of what they would be if the
 * quantiles lay apart by more and more, which is an e-process for whatever distributions have that value as their quantile. The least surprising value decides.
 * @returns E is a lower bound of the e-process that all order statistics would give
 * @param alpha  one-sided: the level the mixture is tuned for
 * Independent observations: exact, at any n, whatever the distribution, atoms included. Events of units: asymptotic, by the normal mixture of their counts.
 */
export const quantileDifferenceTest = (
  input: TwoArms & {
    readonly alpha: Probability;
    readonly alternative: 'greater' | 'less';
    readonly shift?: number;
    readonly scale?: number;
  },
): SequentialTest => {
  const { alternative, shift = 0, scale = 1 } = input;
  requireFinite('shift', shift);
  requirePositive('scale', scale);
  const { low, high, logE } = sidesOf(input);
  // What the other arm's quantile is bound to, where this one's is c.
  const bound = alternative === 'greater' ? (c: number) => shift + scale * c : (c: number) => (c - shift) / scale;
  return fromLogE(
    low.atLeastBelow.reduce((least, count, place) => {
      const c = low.values[place];
      const reached = c === undefined ? high.values.length : firstAbove(high.values, bound(c));
      return Math.min(least, logE(count, high.atMostUpTo[reached] ?? high.n));
    }, Number.MAX_VALUE),
  );
};

/**
 * The end of the one-sided confidence sequence: the differences (or shares of control's quantile) below the lower end (`greater`), or above the upper one
 * (`less`), are those that `quantileDifferenceTest` rejects at this level.
 * @returns null where there are too few observations for any, or where a relative one meets a control quantile that may be 0 or less
 */
export const quantileDifferenceBound = (
  input: TwoArms & { readonly alpha: Probability; readonly alternative: 'greater' | 'less'; readonly difference: 'absolute' | 'relative' },
): number | null => {
  const { alternative, difference } = input;
  const { low, high, logE } = sidesOf(input);
  const threshold = -Math.log(input.alpha);
  const rejects = (count: number, place: number) => {
    const other = high.atMostUpTo[place];
    return other !== undefined && logE(count, other) >= threshold;
  };
  const ends: number[] = [];
  let reached = -1;
  for (const [place, count] of low.atLeastBelow.entries()) {
    // The more lie below c, the less need the other arm say: its step only moves up.
    while (rejects(count, reached + 1)) reached += 1;
    const [c, other] = [low.values[place], high.values[reached]];
    if (c === undefined) {
      if (reached < high.values.length) return null;
    } else {
      if (reached < 0) return null;
      // Beyond the other arm's last step nothing is asked of it.
      if (other === undefined) continue;
      const end = endOf({ c, other, alternative, difference });
      if (end === null) return null;
      if (end !== undefined) ends.push(end);
    }
  }
  if (ends.length === 0) return null;
  return alternative === 'greater' ? Math.min(...ends) : Math.max(...ends);
};

/** @param other  what the higher arm's quantile reaches at least, where the lower one's is at most c. @returns undefined where that bounds nothing */
const endOf = ({
  c,
  other,
  alternative,
  difference,
}: {
  readonly c: number;
  readonly other: number;
  readonly alternative: 'greater' | 'less';
  readonly difference: 'absolute' | 'relative';
}): number | null | undefined => {
  const isGreater = alternative === 'greater';
  if (difference === 'absolute') return isGreater ? other - c : c - other;
  if (other <= 0) return null;
  if (!isGreater) return c / other - 1;
  return c > 0 ? other / c - 1 : undefined;
};

/**
 * For plans: so many times wider than the sequence of a mean with the same standard error (measured: 1.09 to 1.12 at N* to 2 N*, medians to 95th percentiles). It
 * is what knowing nothing of the distribution costs: every value that control's quantile may have must be ruled out, and values between the rungs too.
 */
export const QUANTILE_SEQUENCE_WIDENING = 1.1;

export interface QuantileSequence extends SequentialTest {
  readonly kind: 'sequence';
  readonly lower: number;
  readonly upper: number;
}

/**
 * Two-sided confidence sequence of the difference, each side at half of alpha; the e-value is that of no difference, and p ≤ alpha where the interval leaves out 0.
 * @returns `refused` TOO_FEW_OBSERVATIONS without two ends, NOISY_BASELINE for a relative one where control's quantile may be 0 or less
 */
export const quantileDifferenceSequence = (
  input: TwoArms & { readonly alpha: Probability; readonly difference: 'absolute' | 'relative' },
): QuantileSequence | Refused => {
  const side = { ...input, alpha: requireLevel('alpha', input.alpha) / 2 };
  const end = (alternative: 'greater' | 'less', difference: 'absolute' | 'relative') =>
    quantileDifferenceBound({ ...side, alternative, difference });
  const [lower, upper] = [end('greater', input.difference), end('less', input.difference)];
  if (lower === null || upper === null) {
    const isBaseline = input.difference === 'relative' && end('greater', 'absolute') !== null && end('less', 'absolute') !== null;
    return refused(isBaseline ? 'NOISY_BASELINE' : 'TOO_FEW_OBSERVATIONS');
  }
  const logE = Math.max(
    quantileDifferenceTest({ ...side, alternative: 'greater' }).logE,
    quantileDifferenceTest({ ...side, alternative: 'less' }).logE,
  );
  return { kind: 'sequence', lower, upper, ...fromLogE(logE - Math.LN2) };
};

/** What is known of an arm's counts between the rungs of its ladder. */
interface Steps {
  readonly n: number;
  /** Distinct, rising. */
  readonly values: readonly number[];
  /** How many lie below any c above so many of the values, at least; one longer than the values. */
  readonly atLeastBelow: readonly number[];
  /** How many lie up to any c below the value at this place, at most, and last up to any c. */
  readonly atMostUpTo: readonly number[];
}

interface Sides {
  /** Whose quantile would have to be low, and whose high, for the alternative to be true. */
  readonly low: Steps;
  readonly high: Steps;
  /** ln E against a common bound of both quantiles: at least so many of the low arm lie below it, at most so many of the high arm up to it. */
  readonly logE: (below: number, upTo: number) => number;
}

const sidesOf = (input: TwoArms & { readonly alpha: Probability; readonly alternative: 'greater' | 'less' }): Sides => {
  const { control, treatment, nu, alpha, alternative, tightestAtUnits, treatmentShare = 0.5 } = input;
  const share = requireLevel('treatmentShare', treatmentShare);
  const tuning: Tuning = {
    nu: requireLevel('nu', nu),
    mixture: normalMixture({ vOpt: tightestAtUnits, alphaOpt: alpha, sides: 'one-sided' }),
    lowShare: alternative === 'greater' ? 1 - share : share,
  };
  const [low, high] = alternative === 'greater' ? [control, treatment] : [treatment, control];
  const logE =
    low.clusters === undefined || high.clusters === undefined ? exactEvidence(low, high, tuning) : normalEvidence(low, high, tuning);
  return { low: stepsOf(low), high: stepsOf(high), logE };
};

const stepsOf = ({ n, ladder }: RankedArm): Steps => {
  const values: number[] = [];
  const first: number[] = [];
  const last: number[] = [];
  for (const { rank, value } of ladder) {
    if (!(rank >= 1 && rank <= n && rank > (last.at(-1) ?? 0))) throw new RangeError(`rank ${rank} of ${n} is out of place in the ladder`);
    const highest = values.at(-1);
    if (highest !== undefined && value < highest) throw new RangeError(`the value ${value} of rank ${rank} is below that of a lower rank`);
    if (value === highest) last[last.length - 1] = rank;
    else {
      values.push(requireFinite('an order statistic', value));
      first.push(rank);
      last.push(rank);
    }
  }
  return { n, values, atLeastBelow: [0, ...last], atMostUpTo: [...first.map((rank) => rank - 1), n] };
};

interface Tuning {
  readonly nu: number;
  readonly mixture: NormalMixture;
  /** Of the pair's units by design: the arm whose quantile would be the lower one. */
  readonly lowShare: number;
}

/** How the arms' shares below a value would be driven apart, in standard deviations of one observation. */
interface Direction {
  readonly weight: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Mostly as two quantiles that lie apart drive the shares at any value between them, and a little by each arm alone, which says what there is to say of values
 * far below both or above. Each has as much information in a unit of the pair.
 */
const directionsOf = (lowShare: number): readonly Direction[] => {
  const highShare = 1 - lowShare;
  return [
    { weight: 0.8, low: Math.sqrt(highShare / lowShare), high: Math.sqrt(lowShare / highShare) },
    { weight: 0.1, low: 1 / Math.sqrt(lowShare), high: 0 },
    { weight: 0.1, low: 0, high: 1 / Math.sqrt(highShare) },
  ];
};

/** Half-normal, as the mixture of the normal theory is, at points near enough to each other that what lies between them is missed by none. */
const POINTS = Array.from({ length: 32 }, (_, place) => 6 * 1.25 ** -place);
const WEIGHTS = POINTS.map((point) => point * Math.exp((-point * point) / 2));

/** A mixture of the likelihood ratios of shares ν + a below the value in the low arm and ν − b in the high one: any weights that add up to 1 give an e-process. */
const exactEvidence = (low: RankedArm, high: RankedArm, { nu, mixture, lowShare }: Tuning): Sides['logE'] => {
  const perPoint = Math.sqrt((nu * (1 - nu)) / mixture.rho);
  const terms = directionsOf(lowShare).flatMap((direction) => {
    const inside = POINTS.flatMap((point, place) => {
      const [up, down] = [point * perPoint * direction.low, point * perPoint * direction.high];
      return up < 1 - nu && down < nu ? [{ up, down, weight: WEIGHTS[place] ?? 0 }] : [];
    });
    const total = inside.reduce((sum, { weight }) => sum + weight, 0);
    return inside.map(({ up, down, weight }) => {
      const [lowBelow, lowAbove] = [Math.log1p(up / nu), Math.log1p(-up / (1 - nu))];
      const [highUpTo, highAbove] = [Math.log1p(-down / nu), Math.log1p(down / (1 - nu))];
      return {
        constant: Math.log((direction.weight * weight) / total) + low.n * lowAbove + high.n * highAbove,
        below: lowBelow - lowAbove,
        upTo: highUpTo - highAbove,
      };
    });
  });
  // So small a plan, and so far out a quantile, that no point lies inside: a bet of nothing.
  if (terms.length === 0) return () => 0;
  return (below, upTo) => logSumExp(terms.map((term) => term.constant + below * term.below + upTo * term.upTo));
};

/** The same by the central limit theorem: counts of events as walks of their units. */
const normalEvidence = (low: RankedArm, high: RankedArm, { nu, mixture, lowShare }: Tuning): Sides['logE'] => {
  const walkOf = ({ n, clusters }: RankedArm) => {
    const { units = 0, designEffect = 1 } = clusters ?? {};
    const sd = Math.sqrt(nu * (1 - nu) * n * requirePositive('designEffect', designEffect));
    return { units, at: (excess: number) => (sd === 0 ? 0 : Math.sqrt(units) * (excess / sd)) };
  };
  const [ofLow, ofHigh] = [walkOf(low), walkOf(high)];
  const terms = directionsOf(lowShare).map((direction) => ({
    ...direction,
    logWeight: Math.log(direction.weight),
    time: direction.low ** 2 * ofLow.units + direction.high ** 2 * ofHigh.units,
  }));
  return (below, upTo) => {
    const [walkLow, walkHigh] = [ofLow.at(below - nu * low.n), ofHigh.at(nu * high.n - upTo)];
    const logs = terms.map(({ logWeight, low: ofThis, high: ofThat, time }) =>
      time === 0 ? logWeight : logWeight + logNormalMixture(mixture, ofThis * walkLow + ofThat * walkHigh, time),
    );
    return logSumExp(logs);
  };
};

/** Place of the first value above x; the length where there is none. */
const firstAbove = (rising: readonly number[], x: number): number => {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? x) > x) high = middle;
    else low = middle + 1;
  }
  return low;
};
