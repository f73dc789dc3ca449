/** Rows become messages: one per partition (and 4,096 rows), since a message costs more than a row. */
import { type FeedbackRow, MAX_ROWS_PER_MESSAGE } from '@rampart/contracts';
import { partitionOf } from '@rampart/contracts/pseudonyms';
import type { OutgoingMessage } from '@rampart/event-log';

/** A completed import has no unit; it counts once whatever the partition, but that must be the same for a retry. */
const WITHOUT_UNIT = 0;

export const partitionOfRow = (row: FeedbackRow, partitions: number): number =>
  row.unit === '' ? WITHOUT_UNIT : partitionOf(row.unit, partitions);

/** Rows of a unit keep their order: they share a partition. */
export const messagesOf = (rows: readonly FeedbackRow[], partitions: number): readonly OutgoingMessage[] => {
  const byPartition: FeedbackRow[][] = Array.from({ length: partitions }, () => []);
  for (const row of rows) byPartition[partitionOfRow(row, partitions)]?.push(row);
  return byPartition.flatMap((own, partition) => chunks(own).map((chunk) => ({ partition, value: JSON.stringify(chunk) })));
};

const chunks = (rows: readonly FeedbackRow[]): readonly (readonly FeedbackRow[])[] =>
  Array.from({ length: Math.ceil(rows.length / MAX_ROWS_PER_MESSAGE) }, (_, index) =>
    rows.slice(index * MAX_ROWS_PER_MESSAGE, (index + 1) * MAX_ROWS_PER_MESSAGE),
  );
