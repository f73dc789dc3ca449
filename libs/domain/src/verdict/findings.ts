/** Judges every test of a look against its share of the error budget: the facts that a policy's rules ask about. */
import { harmLevel, superiorityLevels, type TestCounts } from './error-budget.js';
import type { ArmTest, Look, Margin, MonitoredMetric } from './look.js';
import { againstLevel, percent, plain } from './number-texts.js';
import { waitSentence } from './plan-state.js';
import type { Finding } from './verdict.js';

/** @returns all findings of a look, in a fixed order: waiting, quality, then metric by metric, arm by arm */
export const findingsOf = (look: Look): readonly Finding[] => [
  ...look.plan.waits.map((wait) => waiting(null, null, waitSentence(wait))),
  ...look.quality.map(
    (check): Finding => ({
      kind: 'quality',
      metric: null,
      arm: check.arm,
      // Not tested is not failed: the sentence says why, and the metrics' own numbers decide.
      holds: check.outcome !== 'failed',
      sentence: check.sentence,
    }),
  ),
  ...metricFindings(look),
];

/** S, G, D and Q of the error budget. */
const testCounts = (look: Look): TestCounts => {
  const guardrails = look.metrics.filter((metric) => metric.role === 'guardrail');
  const withMargin = guardrails.filter((metric) => metric.margin !== null).length;
  return {
    success: look.metrics.filter((metric) => metric.role === 'success').length,
    guardrailsWithMargin: withMargin,
    guardrailsWithoutMargin: guardrails.length - withMargin,
    quality: look.quality.filter((check) => check.check === 'sample-ratio' && check.outcome !== 'not-tested').length,
    treatments: look.treatments.length,
  };
};

const metricFindings = (look: Look): readonly Finding[] => {
  const harmAt = harmLevel(look.alphaMinus, testCounts(look));
  const success = look.metrics.filter((metric) => metric.role === 'success').flatMap((metric) => metric.arms);
  const pValues = success.map((test) => (test.kind === 'tested' ? test.pBetter : null));
  const levels = superiorityLevels(pValues, look.alpha, look.multiplicity);
  return look.metrics.flatMap((metric) =>
    metric.arms.flatMap((test) => {
      if (test.kind === 'no-result') return [waiting(metric.metric, test.arm, `${metric.metric} has no result (${test.refused})`)];
      if (test.kind === 'equal-constants') return constants(metric, test);
      const findings = [harm(metric, test, harmAt)];
      const level = levels[success.indexOf(test)];
      if (level !== undefined) findings.push(superiority(metric, test, level));
      if (metric.margin !== null) findings.push(nonInferiority(metric, test, metric.margin, look.alpha));
      return findings;
    }),
  );
};

type Tested = Extract<ArmTest, { kind: 'tested' }>;

const superiority = (metric: MonitoredMetric, test: Tested, level: number): Finding => {
  const isShown = test.pBetter <= level;
  const doubt = isShown ? '' : ', which is not shown to be a gain';
  const sentence = `${metric.metric} is ${change(test)}${doubt} (one-sided ${againstLevel(test.pBetter, level)})`;
  return { kind: 'success', metric: metric.metric, arm: test.arm, holds: isShown, sentence };
};

const harm = (metric: MonitoredMetric, test: Tested, level: number): Finding => {
  const isShown = test.pWorse <= level;
  const what = isShown ? `is ${change(test)}` : 'is not shown to be worse';
  const sentence = `${metric.metric} ${what} (one-sided ${againstLevel(test.pWorse, level)})`;
  return { kind: 'harm', metric: metric.metric, arm: test.arm, holds: isShown, sentence };
};

const nonInferiority = (metric: MonitoredMetric, test: Tested, margin: Margin, alpha: number): Finding => {
  const about = { kind: 'non-inferiority', metric: metric.metric, arm: test.arm } as const;
  const result = test.nonInferiority;
  if (result === null || result.kind === 'no-result') {
    const refused = result === null ? 'not computed' : result.refused;
    return { ...about, holds: false, sentence: `guardrail ${metric.metric} can't be held against its margin (${refused})` };
  }
  const isShown = result.p <= alpha;
  const worst = couldLose(result.couldLose, margin);
  const sentence = `guardrail ${metric.metric} ${worst}, margin ${marginText(margin)} (one-sided ${againstLevel(result.p, alpha)})`;
  return { ...about, holds: isShown, sentence };
};

const constants = (metric: MonitoredMetric, test: Extract<ArmTest, { kind: 'equal-constants' }>): readonly Finding[] => {
  const about = { metric: metric.metric, arm: test.arm };
  if (!test.isEventSeen)
    return [waiting(metric.metric, test.arm, `${metric.metric} has no data: its event was not seen in this environment`)];
  const same = `${metric.metric} has the same value for every unit of both arms`;
  const findings: Finding[] = [{ kind: 'harm', ...about, holds: false, sentence: `${same}: nothing is worse` }];
  if (metric.role === 'success') findings.push({ kind: 'success', ...about, holds: false, sentence: `${same}: nothing is better` });
  if (metric.margin !== null)
    findings.push({
      kind: 'non-inferiority',
      ...about,
      holds: false,
      sentence: `${same}: no spread, so no margin can be shown to be kept`,
    });
  return findings;
};

const change = ({ gain }: Tested): string => {
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

const waiting = (metric: string | null, arm: string | null, sentence: string): Finding => ({
  kind: 'waiting',
  metric,
  arm,
  holds: true,
  sentence,
});
