/** Checks that decide whether the evidence can be trusted at all. */
import { MULTIPLE_EXPOSURE_ALARM, type QualityCheck } from './look.js';
import { againstLevel, count, percent } from './number-texts.js';

export interface SampleRatioTest {
  readonly observed: readonly number[];
  readonly weights: readonly number[];
  readonly p: number;
  /** Valid at any look: needed while a comparison is watched before its one planned look. */
  readonly isAlwaysValid?: boolean;
}

/** @param test  undefined where no ratio was designed, or too few units are there to test it; @param alpha  alarm below this */
export const sampleRatioCheck = (test: SampleRatioTest | undefined, alpha: number, whyNot = 'no ratio was designed'): QualityCheck => {
  const about = { check: 'sample-ratio', arm: null } as const;
  if (test === undefined) return { ...about, outcome: 'not-tested', sentence: `the sample ratio is not tested: ${whyNot}` };
  const observed = test.observed.map(count);
  const last = observed.pop();
  const figures = `cells hold ${observed.join(', ')} and ${last} units where ${test.weights.join(':')} was designed`;
  const isFailed = test.p < alpha;
  const validity = test.isAlwaysValid === true ? 'at any look ' : '';
  const hint = isFailed ? ': find out which hop loses units before reading any effect' : '';
  return { ...about, outcome: isFailed ? 'failed' : 'passed', sentence: `${figures} (${validity}${againstLevel(test.p, alpha)})${hint}` };
};

/** @param seen  units with a randomised first exposure, those in two arms included; @param inTwoArms  those seen in two arms */
export const multipleExposureCheck = (seen: number, inTwoArms: number): QualityCheck => {
  const { share, units } = MULTIPLE_EXPOSURE_ALARM;
  const isFailed = inTwoArms >= units && inTwoArms >= share * seen;
  const figures = `${count(inTwoArms)} of ${count(seen)} units were seen in two arms (${percent(seen === 0 ? 0 : inTwoArms / seen)}`;
  const sentence = isFailed
    ? `${figures} ≥ ${percent(share)}): assignment does not stick`
    : `${figures}; alarm at ${percent(share)} and ${units} units)`;
  return { check: 'multiple-exposure', arm: null, outcome: isFailed ? 'failed' : 'passed', sentence };
};
