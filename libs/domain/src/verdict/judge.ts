/** From one look to a verdict, what to do about it, and what has been crossed for good. */
import { type Actions, actionsUpon } from './actions.js';
import { findingsOf } from './findings.js';
import { alarmsOf, type Crossing, goesOf, latchedWith } from './latching.js';
import type { Look } from './look.js';
import { waitSentence } from './plan-state.js';
import { type Condition, type OnHarm, POLICIES, type PolicyRule } from './policies.js';
import { type ArmVerdict, type Finding, overall, type Verdict, type VerdictKind } from './verdict.js';

export interface Judgement {
  readonly verdict: Verdict;
  readonly actions: Actions;
  /** All crossings of the comparison up to and with this look, in the order in which they happened. */
  readonly latched: readonly Crossing[];
}

/**
 * @param look           tests not yet judged
 * @param latchedBefore  crossings of earlier looks at the same comparison: harm and sample ratio stay, a go is only remembered
 * @returns the verdict of each treatment and of all, with every finding: nothing hides behind the deciding rule
 */
export const judge = (look: Look, latchedBefore: readonly Crossing[] = []): Judgement => {
  const alarmed = latchedWith(latchedBefore, alarmsOf(look));
  const findings = findingsOf(look, alarmed);
  const arms = look.treatments.map((arm) => verdictOf(arm, look, findings));
  const verdict = overall(arms, findings);
  return {
    verdict,
    actions: actionsUpon(verdict.verdict, look.policy, look.plan.isDue ? shown('harm', findings).map(onHarmIn(look)) : []),
    latched: latchedWith(alarmed, goesOf(look, arms)),
  };
};

/** What is not known any more was latched when it was: nothing says that it was only a warning. */
const onHarmIn =
  ({ metrics }: Look) =>
  ({ metric }: Finding): OnHarm =>
    metrics.find((one) => one.metric === metric)?.onHarm ?? 'roll-back';

const isBinding = (look: Look) => (finding: Finding) => onHarmIn(look)(finding) !== 'warn';

const verdictOf = (arm: string, look: Look, all: readonly Finding[]): ArmVerdict => {
  const findings = all.filter((finding) => finding.arm === null || finding.arm === arm);
  const rule = POLICIES[look.policy].find(({ when }) => when.every((condition) => CONDITIONS[condition](findings, look))) ?? LAST;
  return { arm, verdict: rule.verdict, rule: rule.rule, sentence: reason(rule.verdict, findings, look) };
};

const LAST: PolicyRule = { rule: 'no-rule-matched', when: [], verdict: 'continue' };

const CONDITIONS: Readonly<Record<Condition, (findings: readonly Finding[], look: Look) => boolean>> = {
  'a-quality-check-failed': (findings) => failedQuality(findings).length > 0,
  'the-look-is-due': (_, look) => look.plan.isDue,
  'a-metric-deteriorated': (findings, look) => bindingHarm(findings, look).length > 0,
  'the-minimum-run-is-over': (_, look) => look.plan.minimumRunOver,
  'every-metric-has-a-result': (findings, look) => unmeasured(findings, look).length === 0,
  'a-success-is-shown': (findings, look) =>
    look.metrics.some((metric) => metric.role === 'success')
      ? shown('success', findings).length > 0
      : // Without a success metric, margins are all there is to show.
        look.metrics.some((metric) => metric.margin !== null && metric.onHarm !== 'warn'),
  'every-margin-is-kept': (findings, look) => lostMargins(findings, look).length === 0,
  'the-plan-is-exhausted': (_, look) => look.plan.exhausted,
};

const shown = (kind: Finding['kind'], findings: readonly Finding[]) => findings.filter((finding) => finding.kind === kind && finding.holds);
const notShown = (kind: Finding['kind'], findings: readonly Finding[]) =>
  findings.filter((finding) => finding.kind === kind && !finding.holds);
const failedQuality = (findings: readonly Finding[]) => notShown('quality', findings);
const bindingHarm = (findings: readonly Finding[], look: Look) => shown('harm', findings).filter(isBinding(look));
const warnings = (findings: readonly Finding[], look: Look) => shown('harm', findings).filter((finding) => !isBinding(look)(finding));
const lostMargins = (findings: readonly Finding[], look: Look) => notShown('non-inferiority', findings).filter(isBinding(look));
const unmeasured = (findings: readonly Finding[], look: Look) =>
  shown('waiting', findings).filter((finding) => finding.metric !== null && isBinding(look)(finding));

const reason = (verdict: VerdictKind, findings: readonly Finding[], look: Look): string => {
  switch (verdict) {
    case 'invalid':
      // What is acted upon is said: harm rolls back whatever the quality.
      return sentences([...failedQuality(findings), ...(look.plan.isDue ? bindingHarm(findings, look) : [])]);
    case 'no-go':
      return sentences(bindingHarm(findings, look));
    case 'go':
      return sentences([
        ...(look.policy === 'stage' ? notShown('harm', findings) : shown('success', findings)),
        ...keptMargins(findings),
        ...warnings(findings, look),
      ]);
    case 'inconclusive':
      return `the plan is over: ${missing(findings, look)}`;
    case 'continue':
      return waitsOf(findings, look);
  }
};

const keptMargins = (findings: readonly Finding[]) => shown('non-inferiority', findings);

const waitsOf = (findings: readonly Finding[], look: Look): string => {
  const { isDue, waits } = look.plan;
  // Before the one look, what metrics lack is still coming: it is told when the look is due.
  const lacking = isDue || waits.length === 0 ? missing(findings, look) : '';
  // Where only time is missing, there is evidence enough.
  const told = waits.filter(({ what }) => what !== 'evidence' || lacking !== '').map(waitSentence);
  return [...(lacking === '' ? [] : [lacking]), ...told].join('; ');
};

/** What a go would have needed besides. */
const missing = (findings: readonly Finding[], look: Look): string => {
  const obstacles = [...unmeasured(findings, look), ...lostMargins(findings, look)];
  if (look.policy === 'ship' && shown('success', findings).length === 0) obstacles.push(...notShown('success', findings));
  const isTooShort = look.policy === 'ship' && look.plan.exhausted && !look.plan.minimumRunOver;
  const tooShort = isTooShort ? ['it was closed before its minimum run was over'] : [];
  return [...tooShort, ...new Set(obstacles.map((finding) => finding.sentence))].join('; ');
};

const sentences = (findings: readonly Finding[]): string => findings.map((finding) => finding.sentence).join('; ');
