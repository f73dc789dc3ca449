/**
 * Many version 2 buckets of one id at once. FNV is a chain of multiplications, each waiting for the last: four experiments
 * a pass over the id keep the processor busy while one alone would wait.
 */
import { bucketOfState } from './bucket.js';
import { FNV_PRIME } from './fnv.js';

/** Ids longer than this are hashed one experiment after another. */
export const LONGEST_LANE_ID = 256;
const codes = new Int32Array(LONGEST_LANE_ID);

/** @param states after each seed; @param buckets where the buckets go, at the same places */
export const bucketsInLanes = (states: Int32Array, unitId: string, buckets: Int32Array): void => {
  const length = unitId.length;
  for (let i = 0; i < length; i += 1) codes[i] = unitId.charCodeAt(i);
  const last = states.length - 1;
  for (let lane = 0; lane <= last; lane += 4) {
    // The last pass repeats the last state in its spare lanes: cheaper than a second loop, and it writes the same bucket.
    const second = Math.min(lane + 1, last);
    const third = Math.min(lane + 2, last);
    const fourth = Math.min(lane + 3, last);
    let a = states[lane] as number;
    let b = states[second] as number;
    let c = states[third] as number;
    let d = states[fourth] as number;
    for (let i = 0; i < length; i += 1) {
      const code = codes[i] as number;
      a = Math.imul(a ^ code, FNV_PRIME);
      b = Math.imul(b ^ code, FNV_PRIME);
      c = Math.imul(c ^ code, FNV_PRIME);
      d = Math.imul(d ^ code, FNV_PRIME);
    }
    buckets[lane] = bucketOfState(a);
    buckets[second] = bucketOfState(b);
    buckets[third] = bucketOfState(c);
    buckets[fourth] = bucketOfState(d);
  }
};
