/** What may not happen to a store: that it is filled anew from a log which does not have all of its rows any more. */
import { FEEDBACK } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import type { EventLog } from '@rampart/event-log';
import type { FeedbackStore } from '@rampart/feedback-store';

/** @throws DomainError rebuild-loses-rows where the log was cut */
export const requireWholeLog = async (log: Pick<EventLog, 'offsets'>): Promise<void> => {
  const gone = (await log.offsets(FEEDBACK)).find(({ earliest }) => earliest > 0);
  if (gone === undefined) return;
  const message = `the log begins at offset ${gone.earliest} of partition ${gone.partition}: rows from before would be gone from a store that is filled from it; restore a backup instead`;
  throw new DomainError('rebuild-loses-rows', message, { partition: gone.partition, earliest: gone.earliest });
};

/** Takes every row out of a store that nobody fills at the moment. @throws DomainError rebuild-loses-rows; then nothing is gone */
export const emptied = async (
  store: Pick<FeedbackStore, 'reset' | 'identity'>,
  log: Pick<EventLog, 'offsets'>,
): Promise<{ readonly filling: string }> => {
  await requireWholeLog(log);
  await store.reset();
  return { filling: await store.identity() };
};
