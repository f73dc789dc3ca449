/** One arm of a simulated comparison: exact sums of whole hundredths, handed over in millionths as the store does. */
import {
  type CoMoments,
  coMomentsFromIntegerSums,
  fromIntegerSums,
  type IntegerPairSums,
  type Moments,
  proportionMoments,
  ratioMomentsFromIntegerSums,
} from '@rampart/statistics';

/** A hundredth, in millionths. */
const TICK = 10_000n;

const exact = (sum: number): bigint => {
  if (!Number.isSafeInteger(sum)) throw new RangeError(`a simulated sum of ${sum} is no longer exact`);
  return BigInt(sum);
};

/** Values are given in hundredths, whole numbers; `x` is a unit's denominator or covariate, 0 where it has none. */
export class Arm {
  units = 0;
  private sumX = 0;
  private sumY = 0;
  private squaresX = 0;
  private squaresY = 0;
  private products = 0;

  add(y: number, x = 0): void {
    this.units += 1;
    this.sumX += x;
    this.sumY += y;
    this.squaresX += x * x;
    this.squaresY += y * y;
    this.products += x * y;
  }

  /** Takes back what `add` put in: an open unit's value was restated. */
  remove(y: number, x = 0): void {
    this.units -= 1;
    this.sumX -= x;
    this.sumY -= y;
    this.squaresX -= x * x;
    this.squaresY -= y * y;
    this.products -= x * y;
  }

  sums(): IntegerPairSums {
    return {
      n: this.units,
      sumX: exact(this.sumX) * TICK,
      sumY: exact(this.sumY) * TICK,
      sumSquaresX: exact(this.squaresX) * TICK * TICK,
      sumSquaresY: exact(this.squaresY) * TICK * TICK,
      sumProducts: exact(this.products) * TICK * TICK,
    };
  }

  /** As a query of the store answers: `x` is the denominator of a ratio, or the covariate. */
  stored(x: 'nothing' | 'denominator' | 'covariate') {
    const { n: units, sumX, sumY: sum, sumSquaresX, sumSquaresY: sumSquares, sumProducts } = this.sums();
    const isRatio = x === 'denominator';
    return {
      units,
      openUnits: 0,
      sum,
      sumSquares,
      denominatorSum: isRatio ? sumX : 0n,
      denominatorSumSquares: isRatio ? sumSquaresX : 0n,
      crossSum: isRatio ? sumProducts : 0n,
      covariate:
        x === 'covariate'
          ? { units, sum, sumSquares, covariateSum: sumX, covariateSumSquares: sumSquaresX, covariateCrossSum: sumProducts }
          : null,
      lateEvents: 0,
      unconverted: 0,
    };
  }

  moments(): Moments {
    return fromIntegerSums({ n: this.units, sum: exact(this.sumY) * TICK, sumSquares: exact(this.squaresY) * TICK * TICK });
  }

  /** Units whose value is 1, where values are 0 or 1. */
  get successes(): number {
    return this.sumY / 100;
  }

  proportion(): Moments {
    return proportionMoments(this.units, this.successes);
  }

  /** ΣY/ΣX with the variance of its linearised value. */
  ratio(): Moments | undefined {
    const ratio = ratioMomentsFromIntegerSums(this.sums());
    return ratio.kind === 'refused' ? undefined : ratio.moments;
  }

  pairs(): CoMoments {
    return coMomentsFromIntegerSums(this.sums());
  }
}

/** Two arms that fill up look by look. */
export interface Pair {
  units: number;
  readonly control: Arm;
  readonly treatment: Arm;
}

export const emptyPair = (): Pair => ({ units: 0, control: new Arm(), treatment: new Arm() });

export const hundredths = (value: number): number => Math.round(value * 100);
