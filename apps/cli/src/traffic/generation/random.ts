/** Chance that can be repeated: xoshiro128** (Blackman and Vigna 2018), one stream per seed, unit and purpose. */

export class Random {
  private spare: number | undefined;

  constructor(
    private a: number,
    private b: number,
    private c: number,
    private d: number,
  ) {}

  /** @returns an integer in [0, 2³²) */
  next(): number {
    const result = Math.imul(rotated(Math.imul(this.b, 5), 7), 9) >>> 0;
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotated(this.d, 11);
    return result;
  }

  /** @returns a number in (0, 1): neither end, so that its logarithm is finite */
  uniform(): number {
    return (this.next() + 0.5) / 2 ** 32;
  }

  isTrue(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Box and Muller 1958. */
  normal(): number {
    const { spare } = this;
    if (spare !== undefined) {
      this.spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Mean 1. */
  exponential(): number {
    return -Math.log(this.uniform());
  }
}

/** A stream of its own for every unit and purpose: a scenario that gains an event changes nothing about the others. */
export const randomOf = (seed: number, unit: number, purpose: number): Random => {
  const high = Math.floor(seed / 2 ** 32);
  // Two chains: 64 bits tell the streams of a billion units apart.
  const left = mixed(mixed(mixed(seed ^ 0x9e3779b9) ^ unit) ^ purpose);
  const right = mixed(mixed(mixed(high ^ seed ^ 0x7f4a7c15) ^ Math.imul(unit, 0x85ebca6b)) ^ Math.imul(purpose, 0xc2b2ae35));
  // An odd last word: a state of zeros only would stay so.
  return new Random(left, right, mixed(left + 0x6d2b79f5), mixed(right + 0x6d2b79f5) | 1);
};

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The finisher of MurmurHash3: every bit of the word moves every bit of the result. */
const mixed = (word: number): number => {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};

/** 32-bit FNV-1a over UTF-16 code units, as the public assignment hash has it. */
export const fnv32a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};
