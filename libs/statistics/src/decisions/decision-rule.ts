/** The go/no-go rule over the answers of all tests (Schultzberg, Ankargren & Frånberg 2024, decision rule with quality tests first). */

export interface TestAnswers {
  /** One per success metric. */
  readonly superior: readonly boolean[];
  /** One per guardrail with a margin. */
  readonly nonInferior: readonly boolean[];
  /** One per metric watched for harm: success, guardrail and further ones. */
  readonly deteriorated: readonly boolean[];
  readonly qualityFailed: readonly boolean[];
  /** The planned units are in, or the last scheduled look is over. */
  readonly isPlanExhausted: boolean;
}

export type RuleOutcome = 'invalid' | 'no-go' | 'go' | 'inconclusive' | 'continue';

/**
 * First match wins: a failed quality test, harm, then (a superior success metric, where there is one) and all guardrails non-inferior.
 * The action taken may be more severe than the outcome: harm beside a failed quality test still rolls back.
 * Golden: decision_rule
 */
export const decisionRule = ({ superior, nonInferior, deteriorated, qualityFailed, isPlanExhausted }: TestAnswers): RuleOutcome => {
  if (qualityFailed.includes(true)) return 'invalid';
  if (deteriorated.includes(true)) return 'no-go';
  const hasSuccess = superior.length === 0 || superior.includes(true);
  const hasAsked = superior.length + nonInferior.length > 0;
  if (hasAsked && hasSuccess && !nonInferior.includes(false)) return 'go';
  return isPlanExhausted ? 'inconclusive' : 'continue';
};
