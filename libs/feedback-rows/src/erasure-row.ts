/** `unit.erased.v1` in the feedback log: the unit's rows before it are no more. */
import type { ErasureRequest, FeedbackRow, InstantUs } from '@rampart/contracts';

type ErasedUnit = Pick<ErasureRequest, 'project' | 'environment' | 'unitType' | 'unit' | 'by'>;

/** It says nothing but whom and when, so that there is nothing to digest. */
const NOTHING_SAID = '0'.repeat(16);

export const erasureRow = (
  { project, environment, unitType, unit, by }: ErasedUnit,
  event: { readonly source: string; readonly id: string; readonly at: InstantUs },
): FeedbackRow => ({ kind: 'erasure', project, environment, name: '', unitType, unit, ...event, digest: NOTHING_SAID, key: by });
