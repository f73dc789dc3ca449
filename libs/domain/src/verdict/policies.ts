/**
 * The policies as data: ordered rules, the first whose conditions all hold decides, each arm by itself.
 * `ship`: may this arm replace the control? Wrong ships ≤ α: a go needs a shown gain (where a success metric is named) and every margin kept.
 * `stage`: may the ramp go one step on? A go needs that nothing is worse; false rollbacks ≤ α₋, but small harm may pass to the next stage.
 */
import { DomainError } from '../errors.js';
import type { VerdictKind } from './verdict.js';

export type Policy = 'stage' | 'ship';

/** What a ramp does when a metric is shown to be worse. `warn`: it is told; it stops nothing, and nothing waits for it. */
export type OnHarm = 'roll-back' | 'hold' | 'warn';

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

const QUALITY_FAILED: PolicyRule = { rule: 'quality-failed', when: ['a-quality-check-failed'], verdict: 'invalid' };
// A fixed horizon has one look: before it a small p proves nothing, in either direction. A sequential plan is due from its first look on.
const DETERIORATED: PolicyRule = { rule: 'deteriorated', when: ['the-look-is-due', 'a-metric-deteriorated'], verdict: 'no-go' };
const PLAN_EXHAUSTED: PolicyRule = { rule: 'plan-exhausted', when: ['the-plan-is-exhausted'], verdict: 'inconclusive' };
const NOT_YET: PolicyRule = { rule: 'not-yet', when: [], verdict: 'continue' };

export const SHIP_POLICY: readonly PolicyRule[] = [
  QUALITY_FAILED,
  DETERIORATED,
  {
    rule: 'shown-to-be-good',
    when: ['the-look-is-due', 'the-minimum-run-is-over', 'every-metric-has-a-result', 'a-success-is-shown', 'every-margin-is-kept'],
    verdict: 'go',
  },
  PLAN_EXHAUSTED,
  NOT_YET,
];

/** Bake time, units and approval are gates of the ramp. Its margins are the bound on harm that can't be excluded yet, where the plan has one. */
export const STAGE_POLICY: readonly PolicyRule[] = [
  QUALITY_FAILED,
  DETERIORATED,
  { rule: 'nothing-is-worse', when: ['the-look-is-due', 'every-metric-has-a-result', 'every-margin-is-kept'], verdict: 'go' },
  PLAN_EXHAUSTED,
  NOT_YET,
];

export const POLICIES: Readonly<Record<Policy, readonly PolicyRule[]>> = { ship: SHIP_POLICY, stage: STAGE_POLICY };

/** Refuses metrics from which a policy could never conclude anything: `ship` needs something to show, `stage` something to watch. */
export const requireSomethingToJudge = (
  policy: Policy,
  metrics: readonly { readonly role: string; readonly margin?: unknown; readonly onHarm?: OnHarm | undefined }[],
): void => {
  // What only warns neither stops nor is waited for: alone it would let everything pass.
  const having = (role: string) => metrics.filter((metric) => metric.role === role && metric.onHarm !== 'warn');
  const success = having('success').length;
  if (policy === 'stage') {
    if (success + having('guardrail').length > 0) return;
    const message = `policy stage needs a metric to watch: ${metrics.length} metrics hold 0 of role success or guardrail that does more than warn; make one a guardrail`;
    throw new DomainError('nothing-to-watch', message, { metrics: metrics.length });
  }
  const margins = having('guardrail').filter(({ margin }) => margin !== undefined && margin !== null).length;
  if (success + margins > 0) return;
  const message = `policy ship needs a success metric or a guardrail with a margin: ${metrics.length} metrics hold 0 of either that does more than warn; give one the role success, or a guardrail a margin`;
  throw new DomainError('nothing-to-show', message, { metrics: metrics.length, success, margins });
};
