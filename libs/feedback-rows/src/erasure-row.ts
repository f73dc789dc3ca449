/** `unit.erased.v1` in the feedback log: the unit's rows before it are no more. */
import { randomUUID } from 'node:crypto';
import {
  ERASURES,
  type ErasureRepetition,
  type ErasureRequest,
  erasureKey,
  FEEDBACK,
  type FeedbackRow,
  type InstantUs,
} from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { messagesOf } from './feedback-messages.js';

type ErasedUnit = Pick<ErasureRequest, 'project' | 'environment' | 'unitType' | 'unit' | 'by'>;

/** It says nothing but whom and when, so that there is nothing to digest. */
const NOTHING_SAID = '0'.repeat(16);

export const erasureRow = (
  { project, environment, unitType, unit, by }: ErasedUnit,
  event: { readonly source: string; readonly id: string; readonly at: InstantUs },
): FeedbackRow => ({ kind: 'erasure', project, environment, name: '', unitType, unit, ...event, digest: NOTHING_SAID, key: by });

/** Another event behind rows that the first one did not take; whoever looks for rows that come late finds its place in `erasures.v1`. Durable when it resolves. */
export const repeatErasure = async (
  log: EventLog,
  request: ErasureRequest,
  { source, atUs, partitions }: { readonly source: string; readonly atUs: InstantUs; readonly partitions: number },
): Promise<void> => {
  const row = erasureRow(request, { source, id: randomUUID(), at: atUs });
  const [place] = await log.append(FEEDBACK, messagesOf([row], partitions));
  if (place === undefined) throw new Error('the log took nothing');
  const { partition, offset } = place;
  const repetition: ErasureRepetition = { kind: 'repetition', id: request.id, partition, offset, repeatedAtUs: atUs };
  await log.append(ERASURES, [{ partition: 0, key: erasureKey(repetition), value: JSON.stringify(repetition) }]);
};
