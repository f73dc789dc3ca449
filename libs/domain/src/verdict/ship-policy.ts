/**
 * The `ship` policy: may this arm replace the control? Ordered rules, the first whose conditions all hold decides; each arm by itself.
 * Wrong ships ≤ α: a go needs a shown gain (where a success metric is named) and every margin kept; the other rules only take ships away.
 */
import { DomainError } from '../errors.js';
import { findingsOf } from './findings.js';
import type { Look } from './look.js';
import { type ArmVerdict, type Finding, overall, type Verdict, type VerdictKind } from './verdict.js';

export type Condition =
  | 'a-quality-check-failed'
  | 'the-look-is-due'
  | 'a-metric-deteriorated'
  | 'the-minimum-run-is-over'
  | 'every-metric-has-a-result'
  | 'a-success-is-shown'
  | 'every-margin-is-kept'
  | 'the-plan-is-exhausted';

export interface PolicyRule {
  readonly rule: string;
  readonly when: readonly Condition[];
  readonly verdict: VerdictKind;
}

export const SHIP_POLICY: readonly PolicyRule[] = [
  { rule: 'quality-failed', when: ['a-quality-check-failed'], verdict: 'invalid' },
  // A fixed horizon has one look: before it a small p proves nothing, in either direction.
  { rule: 'deteriorated', when: ['the-look-is-due', 'a-metric-deteriorated'], verdict: 'no-go' },
  {
    rule: 'shown-to-be-good',
    when: ['the-look-is-due', 'the-minimum-run-is-over', 'every-metric-has-a-result', 'a-success-is-shown', 'every-margin-is-kept'],
    verdict: 'go',
  },
  { rule: 'plan-exhausted', when: ['the-plan-is-exhausted'], verdict: 'inconclusive' },
  { rule: 'not-yet', when: [], verdict: 'continue' },
];

/** Refuses metrics from which `ship` could never conclude anything: there must be a success metric or a guardrail with a margin. */
export const requireSomethingToShow = (metrics: readonly { readonly role: string; readonly margin?: unknown }[]): void => {
  const success = metrics.filter((metric) => metric.role === 'success').length;
  const margins = metrics.filter((metric) => metric.role === 'guardrail' && metric.margin !== undefined && metric.margin !== null).length;
  if (success + margins > 0) return;
  const message = `policy ship needs a success metric or a guardrail with a margin: ${metrics.length} metrics hold 0 of either; give one the role success, or a guardrail a margin`;
  throw new DomainError('nothing-to-show', message, { metrics: metrics.length, success, margins });
};

/** @param look  tests not yet judged; @returns the verdict of each treatment and of all, with every finding: nothing hides behind the deciding rule */
export const shipVerdict = (look: Look, policy: readonly PolicyRule[] = SHIP_POLICY): Verdict => {
  const findings = findingsOf(look);
  return overall(
    look.treatments.map((arm) => verdictOf(arm, look, findings, policy)),
    findings,
  );
};

const verdictOf = (arm: string, look: Look, all: readonly Finding[], policy: readonly PolicyRule[]): ArmVerdict => {
  const findings = all.filter((finding) => finding.arm === null || finding.arm === arm);
  const rule = policy.find(({ when }) => when.every((condition) => CONDITIONS[condition](findings, look))) ?? LAST;
  return { arm, verdict: rule.verdict, rule: rule.rule, sentence: reason(rule.verdict, findings, look) };
};

const LAST: PolicyRule = { rule: 'no-rule-matched', when: [], verdict: 'continue' };

const CONDITIONS: Readonly<Record<Condition, (findings: readonly Finding[], look: Look) => boolean>> = {
  'a-quality-check-failed': (findings) => failedQuality(findings).length > 0,
  'the-look-is-due': (_, look) => look.plan.waits.length === 0,
  'a-metric-deteriorated': (findings) => shown('harm', findings).length > 0,
  'the-minimum-run-is-over': (_, look) => look.plan.minimumRunOver,
  'every-metric-has-a-result': (findings) => unmeasured(findings).length === 0,
  'a-success-is-shown': (findings, look) =>
    look.metrics.some((metric) => metric.role === 'success')
      ? shown('success', findings).length > 0
      : // Without a success metric, margins are all there is to show.
        look.metrics.some((metric) => metric.margin !== null),
  'every-margin-is-kept': (findings) => lostMargins(findings).length === 0,
  'the-plan-is-exhausted': (_, look) => look.plan.exhausted,
};

const shown = (kind: Finding['kind'], findings: readonly Finding[]) => findings.filter((finding) => finding.kind === kind && finding.holds);
const notShown = (kind: Finding['kind'], findings: readonly Finding[]) =>
  findings.filter((finding) => finding.kind === kind && !finding.holds);
const failedQuality = (findings: readonly Finding[]) => notShown('quality', findings);
const lostMargins = (findings: readonly Finding[]) => notShown('non-inferiority', findings);
const unmeasured = (findings: readonly Finding[]) => shown('waiting', findings).filter((finding) => finding.metric !== null);

const reason = (verdict: VerdictKind, findings: readonly Finding[], look: Look): string => {
  switch (verdict) {
    case 'invalid':
      return sentences(failedQuality(findings));
    case 'no-go':
      return sentences(shown('harm', findings));
    case 'go':
      return sentences([...shown('success', findings), ...shown('non-inferiority', findings)]);
    case 'inconclusive':
      return `the plan is over: ${missing(findings, look)}`;
    case 'continue':
      // What metrics lack is told when the look is due: until then they are still coming.
      return sentences(shown('waiting', findings).filter((finding) => finding.metric === null)) || missing(findings, look);
  }
};

/** What a go would have needed besides. */
const missing = (findings: readonly Finding[], look: Look): string => {
  const obstacles = [...unmeasured(findings), ...lostMargins(findings)];
  if (shown('success', findings).length === 0) obstacles.push(...notShown('success', findings));
  const tooShort = look.plan.minimumRunOver ? [] : ['it was closed before its minimum run was over'];
  return [...tooShort, ...obstacles.map((finding) => finding.sentence)].join('; ');
};

const sentences = (findings: readonly Finding[]): string => findings.map((finding) => finding.sentence).join('; ');
