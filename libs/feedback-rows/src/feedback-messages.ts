/** Rows become messages: one per partition (and 4,096 rows), since a message costs more than a row. */
import { type FeedbackRow, MAX_ROWS_PER_MESSAGE } from '@rampart/contracts';
import { partitionOf } from '@rampart/contracts/pseudonyms';
import { maxMessageBytes, type OutgoingMessage } from '@rampart/event-log';

/** A completed import has no unit; it counts once whatever the partition, but that must be the same for a retry. */
const WITHOUT_UNIT = 0;

export const partitionOfRow = (row: FeedbackRow, partitions: number): number =>
  row.unit === '' ? WITHOUT_UNIT : partitionOf(row.unit, partitions);

/** Rows of a unit keep their order: they share a partition. @param headersOf  of a message with these rows */
export const messagesOf = (
  rows: readonly FeedbackRow[],
  partitions: number,
  headersOf?: (rows: readonly FeedbackRow[]) => OutgoingMessage['headers'],
): readonly OutgoingMessage[] => {
  const byPartition: FeedbackRow[][] = Array.from({ length: partitions }, () => []);
  for (const row of rows) byPartition[partitionOfRow(row, partitions)]?.push(row);
  return byPartition.flatMap((own, partition) => {
    const headers = own.length === 0 ? undefined : headersOf?.(own);
    return valuesOf(own).map((value) => (headers === undefined ? { partition, value } : { partition, value, headers }));
  });
};

const valuesOf = (rows: readonly FeedbackRow[]): readonly string[] => {
  if (rows.length === 0) return [];
  const value = rows.length > MAX_ROWS_PER_MESSAGE ? undefined : JSON.stringify(rows);
  // An event that names nine units is nine rows of its size: a batch can become larger than any message may be.
  if (value !== undefined && (rows.length === 1 || Buffer.byteLength(value) <= maxMessageBytes)) return [value];
  const middle = rows.length > MAX_ROWS_PER_MESSAGE ? MAX_ROWS_PER_MESSAGE : rows.length >> 1;
  return [...valuesOf(rows.slice(0, middle)), ...valuesOf(rows.slice(middle))];
};
