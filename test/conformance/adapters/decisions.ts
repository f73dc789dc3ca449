/** Cases of corrections, margins and the decision rule. */
import {
  adHocAdjustedInterval,
  adjustPValues,
  decisionBudget,
  decisionRule,
  eBenjaminiHochberg,
  equivalenceTest,
  nonInferiorityTest,
  type Procedure,
  type RuleOutcome,
} from '@rampart/statistics';
import type { JsonRecord } from '../reference-cases.js';
import { alphaOf, has, listAt, numberAt, numbersAt, recordAt, textAt } from './case-input.js';
import { meanOrProportion } from './comparisons.js';

export const multiplicity = (input: JsonRecord): JsonRecord => {
  if (has(input, 'pAdjusted')) {
    const [lower = 0, upper = 0] = numbersAt(input, 'ci');
    const adjusted = adHocAdjustedInterval({
      estimate: numberAt(input, 'lift'),
      pAdjusted: numberAt(input, 'pAdjusted'),
      alpha: alphaOf(input),
      interval: { lower, upper },
    });
    return { ci: [adjusted.lower ?? '-Infinity', adjusted.upper ?? 'Infinity'] };
  }
  if (has(input, 'e')) return { rejected: eBenjaminiHochberg(numbersAt(input, 'e').map(Math.log), alphaOf(input)) };
  const p = listAt(input, 'p').map((value) => (typeof value === 'number' ? value : null));
  return { adjusted: adjustPValues(p, textAt(input, 'procedure') as Procedure) };
};

export const nonInferiority = (input: JsonRecord): JsonRecord => {
  const direction = textAt(input, 'preferredDirection') === 'decrease' ? 'decrease' : 'increase';
  const test = nonInferiorityTest({
    control: meanOrProportion(recordAt(input, 'control')),
    treatment: meanOrProportion(recordAt(input, 'treatment')),
    direction,
    margin: has(input, 'absoluteNim')
      ? { kind: 'absolute', value: numberAt(input, 'absoluteNim') }
      : { kind: 'relative', value: numberAt(input, 'relativeNim', 0) },
    relativeMargin: 'converted',
    alpha: alphaOf(input),
    distribution: input.distribution === 'normal' ? 'normal' : 'student-t',
  });
  if (test.kind === 'refused') return { error: test.reason };
  const { nullDifference, difference, se, statistic, p, ciLower, ciUpper, isNonInferior } = test;
  // The cases' z has the sign of the difference, ours that of the contrast.
  const z = direction === 'decrease' ? -statistic : statistic;
  return { nullDifference, difference, se, z, p, ciLower, ciUpper, reject: isNonInferior };
};

export const equivalence = (input: JsonRecord): JsonRecord => {
  const alpha = alphaOf(input);
  const test = equivalenceTest({
    estimate: numberAt(input, 'estimate'),
    se: numberAt(input, 'se'),
    lower: numberAt(input, 'lower'),
    upper: numberAt(input, 'upper'),
    alpha,
    ...(has(input, 'df') ? { df: numberAt(input, 'df') } : {}),
  });
  const { pLower, pUpper, p, ciLower, ciUpper, isEquivalent } = test;
  return { pLower, pUpper, p, [`ci${Math.round(100 * (1 - 2 * alpha))}`]: [ciLower, ciUpper], equivalent: isEquivalent };
};

export const decisionCorrections = (input: JsonRecord): JsonRecord => {
  const [success, guardrail, deterioration, quality] = ['success', 'guardrail', 'deterioration', 'quality'].map((key) =>
    numberAt(input, key),
  ) as [number, number, number, number];
  const [alpha, beta, alphaMinus] = [alphaOf(input), numberAt(input, 'beta'), numberAt(input, 'alphaMinus')];
  return { ...decisionBudget({ success, guardrail, deterioration, quality, alpha, beta, alphaMinus }) };
};

const verdictNames: Readonly<Record<RuleOutcome, string>> = {
  invalid: 'NO_GO_INVALID',
  'no-go': 'ROLLBACK',
  go: 'GO',
  inconclusive: 'NO_GO',
  continue: 'CONTINUE',
};

export const decisionRuleOutcome = (input: JsonRecord): JsonRecord => {
  const answers = (key: string): readonly boolean[] => listAt(input, key).map((value) => value === 1 || value === true);
  const outcome = decisionRule({
    superior: answers('superior'),
    nonInferior: answers('nonInferior'),
    deteriorated: answers('deteriorated'),
    qualityFailed: answers('qualityFailed'),
    isPlanExhausted: input.planExhausted === true || input.planExhausted === 1,
  });
  return { decision: verdictNames[outcome] };
};
