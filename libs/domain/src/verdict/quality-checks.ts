/** Checks that decide whether the evidence can be trusted at all. */
import { MULTIPLE_EXPOSURE_ALARM, type QualityCheck } from './look.js';
import { againstLevel, againstThreshold, count, percent } from './number-texts.js';

export interface SampleRatioTest {
  readonly observed: readonly number[];
  readonly weights: readonly number[];
  readonly p: number;
  /** The test that holds at any look, where that one decides. */
  readonly anytime?: { readonly logE: number; readonly alarmAtE: number };
}

/**
 * @param test   undefined where no ratio was designed, or too few units are there to test it
 * @param alpha  alarm when p is below it
 */
export const sampleRatioCheck = (test: SampleRatioTest | undefined, alpha: number, whyNot = 'no ratio was designed'): QualityCheck => {
  const about = { check: 'sample-ratio', arm: null } as const;
  if (test === undefined) return { ...about, outcome: 'not-tested', sentence: `the sample ratio is not tested: ${whyNot}` };
  const { anytime, p, weights } = test;
  const observed = test.observed.map(count);
  const last = observed.pop();
  const figures = `cells hold ${observed.join(', ')} and ${last} units where ${weights.join(':')} was designed`;
  const isFailed = anytime === undefined ? p < alpha : anytime.logE >= Math.log(anytime.alarmAtE);
  const numbers =
    anytime === undefined ? againstLevel(p, alpha) : `at any look ${againstThreshold(anytime.logE, Math.log(anytime.alarmAtE))}`;
  const hint = isFailed ? ': find out which hop loses units before reading any effect' : '';
  const check: QualityCheck = { ...about, outcome: isFailed ? 'failed' : 'passed', sentence: `${figures} (${numbers})${hint}` };
  return anytime === undefined ? check : { ...check, logE: anytime.logE };
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
