/** Seeded chance: every run of every scenario has a stream of its own, so that results depend neither on workers nor on the order of runs. */

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
const mixed = (input: number): number => {
  let x = input | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
};

const hashed = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return mixed(hash);
};

/** xoshiro128** (Blackman & Vigna 2018), the 32-bit member of its family: integers of a double are all it needs. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;
  private spare: number | undefined;

  constructor(seed: number, stream: string, run: number) {
    const key = mixed(seed) ^ hashed(stream);
    this.a = mixed(key + Math.imul(run, 0x9e3779b9));
    this.b = mixed(this.a + 0x6d2b79f5 + run);
    this.c = mixed(this.b + hashed(`${stream}/${seed}`));
    this.d = mixed(this.c + 0x1b873593) | 1;
    for (let i = 0; i < 8; i++) this.next32();
  }

  /** 32 uniform bits. */
  next32(): number {
    const result = Math.imul(rotated(Math.imul(this.b, 5), 7), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotated(this.d, 11);
    return result >>> 0;
  }

  /** In (0, 1), 53 bits: never 0, so its logarithm exists. */
  uniform(): number {
    return ((this.next32() >>> 5) * 67_108_864 + (this.next32() >>> 6) + 0.5) / 9_007_199_254_740_992;
  }

  happens(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Marsaglia's polar method. */
  normal(): number {
    if (this.spare !== undefined) {
      const spare = this.spare;
      this.spare = undefined;
      return spare;
    }
    for (;;) {
      const [x, y] = [2 * this.uniform() - 1, 2 * this.uniform() - 1];
      const radius = x * x + y * y;
      if (radius >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(radius)) / radius);
      this.spare = y * factor;
      return x * factor;
    }
  }

  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  /** ≥ 1, with the given mean: how many times something happens that happened once. */
  geometric(mean: number): number {
    return mean <= 1 ? 1 : 1 + Math.floor(Math.log(this.uniform()) / Math.log1p(-1 / mean));
  }

  /** By multiplication, in pieces of at most 30: e^-mean must not vanish. */
  poisson(mean: number): number {
    let count = 0;
    for (let left = mean; left > 0; left -= 30) {
      const limit = Math.exp(-Math.min(30, left));
      for (let product = this.uniform(); product > limit; product *= this.uniform()) count += 1;
    }
    return count;
  }
}
