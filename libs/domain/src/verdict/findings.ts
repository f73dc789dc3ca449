/** Judges every test of a look against its share of the error budget: the facts that a policy's rules ask about. */
import { BURN_IN } from '@rampart/statistics';
import { type ErrorBudget, errorBudget, falseDiscoveryLevel, superiorityLevels } from './error-budget.js';
import { type Evidence, evidenceText, isAtLevel, type Known, type NoResult } from './evidence.js';
import { type Crossing, latchedHarm, withLatchedRatio } from './latching.js';
import type { ArmTest, FirstError, Look, Margin, MonitoredMetric } from './look.js';
import { count, percent, plain } from './number-texts.js';
import { isWatched, waitSentence } from './plan-state.js';
import type { Finding } from './verdict.js';

/** @param latched  crossings that stay; @returns all findings of a look, in a fixed order: waiting, quality, then metric by metric, arm by arm */
export const findingsOf = (look: Look, latched: readonly Crossing[] = []): readonly Finding[] => [
  ...look.plan.waits.map((wait) => waiting(null, null, waitSentence(wait))),
  ...withLatchedRatio(look.quality, latched).map(
    (check): Finding => ({
      kind: 'quality',
      metric: null,
      arm: check.arm,
      // Not tested is not failed: the sentence says why, and the metrics' own numbers decide.
      holds: check.outcome !== 'failed',
      sentence: check.sentence,
    }),
  ),
  ...latchedHarm(look, latched, metricFindings(look)).map((finding) => told(look, finding)),
];

/** Shown, and nothing follows from it: a reader must not wonder why. */
const told = ({ metrics }: Look, finding: Finding): Finding => {
  if (finding.kind !== 'harm' || !finding.holds) return finding;
  const isWarning = metrics.some(({ metric, onHarm }) => metric === finding.metric && onHarm === 'warn');
  return isWarning ? { ...finding, sentence: `${finding.sentence}: a warning, which stops nothing` } : finding;
};

const metricFindings = (look: Look): readonly Finding[] => {
  const budget = look.levels ?? errorBudget(look);
  const levels = levelsOfSuperiority(look, budget);
  return look.metrics.flatMap((metric) =>
    metric.arms.flatMap((test) => armFindings(look, metric, test, { ...budget, superiority: levels.get(test) ?? budget.superiority })),
  );
};

const armFindings = (look: Look, metric: MonitoredMetric, test: ArmTest, budget: ErrorBudget): readonly Finding[] => {
  switch (test.kind) {
    case 'no-result':
      return [waiting(metric.metric, test.arm, noResultSentence(metric.metric, test))];
    case 'equal-constants':
      return constants(metric, test, requiredMargin(look, metric));
    case 'tested':
      return testedFindings(look, metric, test, budget);
  }
};

/** Corrections step over the tests of one look; at every look of a watched plan each has α/(S·k), which needs no other test, or what e-BH gives. */
const levelsOfSuperiority = (look: Look, budget: ErrorBudget): ReadonlyMap<ArmTest, number> => {
  const tests = look.metrics.filter(({ role }) => role === 'success').flatMap(({ arms }) => arms);
  const better = tests.map((test): Evidence => (test.kind === 'tested' ? test.better : NOT_TESTED));
  if (look.multiplicity === 'e-bh') {
    const level = falseDiscoveryLevel(
      better.map((one) => (one.kind === 'e' ? one.logE : null)),
      look.alpha,
    );
    return new Map(tests.map((test) => [test, level]));
  }
  if (isWatched(look.plan.method)) return new Map(tests.map((test) => [test, budget.superiority]));
  const pValues = better.map((one) => (one.kind === 'p' ? one.p : null));
  const levels = superiorityLevels(pValues, look.alpha, look.multiplicity);
  return new Map(tests.map((test, index) => [test, levels[index] ?? budget.superiority]));
};

const NOT_TESTED: Evidence = { kind: 'none', refused: 'NOT_TESTED' };

type Tested = Extract<ArmTest, { kind: 'tested' }>;

const testedFindings = (look: Look, metric: MonitoredMetric, test: Tested, budget: ErrorBudget): readonly Finding[] => {
  const findings = [
    test.worse.kind === 'none'
      ? waiting(metric.metric, test.arm, noResultSentence(metric.metric, test.worse))
      : harm(metric, test, test.worse, budget.harm),
  ];
  if (metric.role === 'success') findings.push(superiority(metric, test, budget.superiority));
  if (look.policy === 'stage') findings.push(...boundedHarm(metric, test, look.harmBound));
  else if (metric.margin !== null) findings.push(nonInferiority(metric, test, metric.margin, budget.nonInferiority));
  return findings;
};

/** What a go may not be without: of `ship` the metric's own margin, of `stage` the bound on harm. */
const requiredMargin = (look: Look, metric: MonitoredMetric): Margin | null => (look.policy === 'ship' ? metric.margin : null);

const superiority = (metric: MonitoredMetric, test: Tested, level: number): Finding => {
  const about = { kind: 'success', metric: metric.metric, arm: test.arm } as const;
  const { better } = test;
  if (better.kind === 'none') return { ...about, holds: false, sentence: noResultSentence(metric.metric, better) };
  const isShown = isAtLevel(better, level);
  const doubt = isShown ? '' : ', which is not shown to be a gain';
  return { ...about, holds: isShown, sentence: `${metric.metric} is ${change(test)}${doubt} (${evidenceText(better, level)})` };
};

const harm = (metric: MonitoredMetric, test: Tested, evidence: Known, level: number): Finding => {
  const holds = isAtLevel(evidence, level);
  const worse = test.firstError === null && holds ? `is ${change(test)}` : holds ? 'is worse' : 'is not shown to be worse';
  const counts = test.firstError === null ? '' : `: ${erring(test.arm, test.firstError)}`;
  const sentence = `${metric.metric} ${worse}${counts} (${evidenceText(evidence, level)})`;
  return { kind: 'harm', metric: metric.metric, arm: test.arm, holds, sentence };
};

const erring = (arm: string, { control, treatment, expectedShare }: FirstError): string =>
  `${count(treatment)} of ${count(control + treatment)} units that have it are in ${arm}, whose share is ${percent(expectedShare)}`;

const nonInferiority = (metric: MonitoredMetric, test: Tested, margin: Margin, level: number): Finding => {
  const about = { kind: 'non-inferiority', metric: metric.metric, arm: test.arm } as const;
  const result = test.nonInferiority;
  if (result === null || result.kind === 'no-result') {
    const why = result === null ? 'not computed' : reasonOf(result);
    return { ...about, holds: false, sentence: `guardrail ${metric.metric} can't be held against its margin (${why})` };
  }
  const isShown = isAtLevel(result.evidence, level);
  const worst = couldLose(result.couldLose, margin);
  const sentence = `guardrail ${metric.metric} ${worst}, margin ${marginText(margin)} (${evidenceText(result.evidence, level)})`;
  return { ...about, holds: isShown, sentence };
};

/** The harm that can't be excluded yet, against the stage's bound on it. */
const boundedHarm = (metric: MonitoredMetric, test: Tested, bound: number | null): readonly Finding[] => {
  if (bound === null) return [];
  const holds = test.couldLose !== null && test.couldLose < bound;
  const sentence = `${metric.metric} ${couldLose(test.couldLose, { relative: bound })}, a stage may risk less than ${percent(bound)}`;
  return [{ kind: 'non-inferiority', metric: metric.metric, arm: test.arm, holds, sentence }];
};

const constants = (
  metric: MonitoredMetric,
  test: Extract<ArmTest, { kind: 'equal-constants' }>,
  margin: Margin | null,
): readonly Finding[] => {
  const about = { metric: metric.metric, arm: test.arm };
  if (!test.isEventSeen)
    return [waiting(metric.metric, test.arm, `${metric.metric} has no data: its event was not seen in this environment`)];
  const same = `${metric.metric} has the same value for every unit of both arms`;
  const findings: Finding[] = [{ kind: 'harm', ...about, holds: false, sentence: `${same}: nothing is worse` }];
  if (metric.role === 'success') findings.push({ kind: 'success', ...about, holds: false, sentence: `${same}: nothing is better` });
  if (margin !== null)
    findings.push({
      kind: 'non-inferiority',
      ...about,
      holds: false,
      sentence: `${same}: no spread, so no margin can be shown to be kept`,
    });
  return findings;
};

const change = ({ gain }: Tested): string => {
  if (gain === null) return 'changed';
  const size = 'relative' in gain ? gain.relative : gain.absolute;
  const text = 'relative' in gain ? percent(Math.abs(size)) : plain(Math.abs(size));
  return `${text} ${size < 0 ? 'worse' : 'better'}`;
};

const couldLose = (loss: number | null, margin: Margin): string => {
  if (loss === null) return 'could be worse without bound';
  const size = 'relative' in margin ? percent(Math.abs(loss)) : plain(Math.abs(loss));
  return loss < 0 ? `is at least ${size} better` : `could be ${size} worse`;
};

const marginText = (margin: Margin): string => ('relative' in margin ? percent(margin.relative) : plain(margin.absolute));

const noResultSentence = (metric: string, result: NoResult): string => `${metric} has no result (${reasonOf(result)})`;

/** A burn-in has two numbers and says which of its two conditions is open. */
const reasonOf = ({ refused, have, needed }: NoResult): string => {
  if (have === undefined || needed === undefined) return REASONS[refused] ?? refused;
  if (refused === 'TOO_FEW_UNITS') return `${count(have)} of ${count(needed)} units an arm, which its plan asks for`;
  if (refused === 'CAPS_NOT_FIXED') return `its caps are not fixed: ${count(have)} of ${count(needed)} units that give them have closed`;
  const what = needed === BURN_IN.unitsPerArm ? 'units an arm' : 'units an arm with the rarer outcome';
  return `burn-in: ${count(have)} of ${count(needed)} ${what}`;
};

/** Codes are for programs; what has no words here is told by its code. */
const REASONS: Readonly<Record<string, string>> = {
  INSUFFICIENT_UNITS: 'an arm has fewer than two units to count',
  ZERO_VARIANCE: 'every unit of an arm has the same value',
  ZERO_BASELINE: 'the mean of control is 0',
  OPEN_WINDOW: 'it has no window, so that its values are never final',
  NOT_COMPARED: 'its arms are not compared',
  NO_LOOK_YET: 'none of its planned looks was taken yet',
  NO_RESULT_AT_LOOK: 'there was none at its last planned look',
};

const waiting = (metric: string | null, arm: string | null, sentence: string): Finding => ({
  kind: 'waiting',
  metric,
  arm,
  holds: true,
  sentence,
});
