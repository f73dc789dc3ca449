/** What the platform says about a comparison, and why. */

/** `invalid`: the evidence can't be trusted. `inconclusive`: the plan is over without an answer. */
export type VerdictKind = 'go' | 'no-go' | 'continue' | 'inconclusive' | 'invalid';

/**
 * One thing that a look found. `holds` says whether the statement named by `kind` is true:
 * quality is good, harm is shown, success is shown, non-inferiority is shown, something is waited for.
 */
export interface Finding {
  readonly kind: 'quality' | 'harm' | 'success' | 'non-inferiority' | 'waiting';
  readonly metric: string | null;
  readonly arm: string | null;
  readonly holds: boolean;
  readonly sentence: string;
}

export interface ArmVerdict {
  readonly arm: string;
  readonly verdict: VerdictKind;
  readonly rule: string;
  readonly sentence: string;
}

export interface Verdict {
  readonly verdict: VerdictKind;
  readonly rule: string;
  readonly sentence: string;
  readonly arms: readonly ArmVerdict[];
  readonly findings: readonly Finding[];
}

/** Any invalid → invalid; else any go → go, naming the arms; no-go only if all are; else whoever still waits. */
export const overall = (arms: readonly ArmVerdict[], findings: readonly Finding[]): Verdict => {
  const having = (kind: VerdictKind) => arms.filter((arm) => arm.verdict === kind);
  const deciding = (['invalid', 'go'] as const).find((kind) => having(kind).length > 0) ?? agreed(arms);
  const named = having(deciding);
  const rule = named[0]?.rule ?? 'no-treatment';
  return { verdict: deciding, rule, sentence: sentenceOf(deciding, named, arms), arms, findings };
};

const agreed = (arms: readonly ArmVerdict[]): VerdictKind => {
  if (arms.length > 0 && arms.every((arm) => arm.verdict === 'no-go')) return 'no-go';
  return arms.length === 0 || arms.some((arm) => arm.verdict === 'continue') ? 'continue' : 'inconclusive';
};

const sentenceOf = (kind: VerdictKind, named: readonly ArmVerdict[], arms: readonly ArmVerdict[]): string => {
  if (arms.length === 0) return 'there is no treatment to judge';
  // What concerns the whole comparison is the same sentence for every arm: said once.
  const distinct = new Set(named.map((arm) => arm.sentence));
  const isPlain = arms.length === 1 || (kind === 'go' && named.length === 1) || (distinct.size === 1 && named.length > 1);
  const reasons = isPlain ? [...distinct] : named.map((arm) => `${arm.arm}: ${arm.sentence}`);
  return `${OPENING[kind]}${kind === 'go' ? ` ${named.map((arm) => arm.arm).join(', ')}` : ''} – ${reasons.join('; ')}`;
};

const OPENING: Readonly<Record<VerdictKind, string>> = {
  go: 'go with',
  'no-go': 'no-go',
  continue: 'continue',
  inconclusive: 'inconclusive, keep control',
  invalid: 'invalid',
};
