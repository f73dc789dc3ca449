/** What needs somebody comes first: 0 is most urgent. */
import type { ExperimentStatus, RolloutDocument, VerdictKind } from '@rampart/contracts';

export const rolloutUrgency = ({ status, look, hold, waits }: Pick<RolloutDocument, 'status' | 'look' | 'hold' | 'waits'>): number => {
  if (status === 'held') return hold?.cause === 'person' ? 2 : 0;
  if (status === 'running' && (look?.verdict === 'no-go' || look?.verdict === 'invalid')) return 0;
  if (status === 'running') return waits.some(({ what }) => what === 'approval' || what === 'freshness') ? 1 : 4;
  if (status === 'paused') return 3;
  return { draft: 5, 'rolled-back': 6, released: 7 }[status];
};

const VERDICTS: Readonly<Record<VerdictKind, number>> = { invalid: 0, 'no-go': 0, inconclusive: 1, go: 2, continue: 3 };

export const experimentUrgency = ({
  status,
  look,
}: {
  readonly status: ExperimentStatus;
  readonly look?: { readonly verdict: VerdictKind } | null;
}): number => {
  if (status === 'decided') return 8;
  if (status === 'archived') return 9;
  if (status === 'draft') return 7;
  return look === null || look === undefined ? 4 : VERDICTS[look.verdict];
};
