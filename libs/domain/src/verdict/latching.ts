/** Boundaries that were crossed once and stay crossed: evidence that holds at any time is not taken back by what comes later. */
import { isEqual } from '../equality.js';
import { errorBudget } from './error-budget.js';
import { isAtLevel, pOf } from './evidence.js';
import type { Look, QualityCheck, RampStep } from './look.js';
import { exponential, instant, recorded } from './number-texts.js';
import { isWatched } from './plan-state.js';
import type { Policy } from './policies.js';
import type { ArmVerdict, Finding } from './verdict.js';

export interface Crossing {
  readonly test: 'sample-ratio' | 'harm' | 'go';
  readonly metric: string | null;
  readonly arm: string | null;
  /** W of the look that crossed. */
  readonly knownUntilUs: number;
  /** ln E of the e-process; the one-sided p of a go. */
  readonly value: number;
  /** Of a go in a ramp: it is one of that step, and says nothing of the next. Harm and sample ratio are of the whole comparison. */
  readonly ramp?: RampStep & { readonly policy: Policy };
}

/** Crossings of this look in its tests that hold at every look: what one look of a fixed horizon says needs no latch. */
export const alarmsOf = (look: Look): readonly Crossing[] => {
  const { knownUntilUs } = look;
  const { harm } = look.levels ?? errorBudget(look);
  const ratio = look.quality.flatMap(({ check, outcome, logE, arm }): Crossing[] =>
    check === 'sample-ratio' && outcome === 'failed' && logE !== undefined
      ? [{ test: 'sample-ratio', metric: null, arm, knownUntilUs, value: recorded(logE) }]
      : [],
  );
  if (!look.plan.isDue) return ratio;
  const harms = look.metrics.flatMap(({ metric, arms }) =>
    arms.flatMap((test): Crossing[] =>
      test.kind === 'tested' && test.worse.kind === 'e' && isAtLevel(test.worse, harm)
        ? [{ test: 'harm', metric, arm: test.arm, knownUntilUs, value: recorded(test.worse.logE) }]
        : [],
    ),
  );
  return [...ratio, ...harms];
};

/** An arm's go at this look; it happened, though it does not bind later looks. */
export const goesOf = (look: Look, arms: readonly ArmVerdict[]): readonly Crossing[] =>
  isWatched(look.plan.method)
    ? arms
        .filter(({ verdict }) => verdict === 'go')
        .map(({ arm }) => ({
          test: 'go',
          metric: null,
          arm,
          knownUntilUs: look.knownUntilUs,
          value: recorded(pOfGo(look, arm)),
          ...(look.ramp === null ? {} : { ramp: { ...look.ramp, policy: look.policy } }),
        }))
    : [];

/** The smallest p among the success metrics, or, where margins are all there is to show, the largest of theirs; 1 where a stage shows nothing. */
const pOfGo = (look: Look, arm: string): number => {
  const tests = look.metrics.flatMap(({ role, arms }) =>
    arms.flatMap((test) => (test.kind === 'tested' && test.arm === arm ? [{ role, test }] : [])),
  );
  const success = tests.flatMap(({ role, test }) => (role === 'success' ? [pOf(test.better)] : []));
  if (success.length > 0) return Math.min(...success);
  const margins = tests.flatMap(({ test }) => (test.nonInferiority?.kind === 'tested' ? [pOf(test.nonInferiority.evidence)] : []));
  return margins.length > 0 ? Math.max(...margins) : 1;
};

/** @returns all crossings in the order in which they happened; each boundary is crossed once */
export const latchedWith = (before: readonly Crossing[], now: readonly Crossing[]): readonly Crossing[] => [
  ...before,
  ...now.filter((crossing) => !before.some((earlier) => isSameBoundary(earlier, crossing))),
];

const isSameBoundary = (one: Crossing, other: Crossing): boolean =>
  one.test === other.test && one.metric === other.metric && one.arm === other.arm && isEqual(one.ramp, other.ramp);

/** A ratio that was off once is off: which hop loses units is not answered by more units. */
export const withLatchedRatio = (quality: readonly QualityCheck[], latched: readonly Crossing[]): readonly QualityCheck[] => {
  const crossing = latched.find(({ test }) => test === 'sample-ratio');
  if (crossing === undefined) return quality;
  const failed = (sentence: string): QualityCheck => ({ check: 'sample-ratio', outcome: 'failed', arm: null, sentence });
  if (!quality.some(({ check }) => check === 'sample-ratio')) return [...quality, failed(`the sample ratio ${crossedText(crossing)}`)];
  return quality.map((check) =>
    check.check === 'sample-ratio' && check.outcome !== 'failed' ? failed(`${check.sentence}; it ${crossedText(crossing)}`) : check,
  );
};

/** Harm that was shown once stays shown, whatever this look's own number says, and also where this look has none. */
export const latchedHarm = (look: Look, latched: readonly Crossing[], findings: readonly Finding[]): readonly Finding[] =>
  latched
    .filter(({ test, arm }) => test === 'harm' && arm !== null && look.treatments.includes(arm))
    .reduce<readonly Finding[]>((all, crossing) => withHarm(all, crossing), findings);

const withHarm = (findings: readonly Finding[], crossing: Crossing): readonly Finding[] => {
  const { metric, arm } = crossing;
  const isIts = (finding: Finding) => finding.kind === 'harm' && finding.metric === metric && finding.arm === arm;
  const found = findings.find(isIts);
  const text = crossedText(crossing);
  if (found === undefined) return [...findings, { kind: 'harm', metric, arm, holds: true, sentence: `${metric} ${text}` }];
  if (found.holds) return findings;
  return findings.map((finding) =>
    isIts(finding) ? { ...finding, holds: true, sentence: `${metric} ${text}; now it ${withoutName(finding.sentence, metric)}` } : finding,
  );
};

const withoutName = (sentence: string, metric: string | null): string =>
  sentence.startsWith(`${metric} `) ? sentence.slice(`${metric} `.length) : sentence;

const crossedText = ({ test, knownUntilUs, value }: Crossing): string =>
  `${test === 'harm' ? 'was shown to be worse' : 'was off'} at ${instant(knownUntilUs)} with E ${exponential(value)}, and a crossing stays`;
