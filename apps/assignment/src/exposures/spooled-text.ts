/** A row as it lies in the spool: its JSON, with the span that it came with where that is traced. A version that knows no traces forwards it all the same. */
import type { FeedbackRow } from '@rampart/contracts';

interface SpooledContent extends FeedbackRow {
  readonly trace?: string;
}

/** @param trace  a W3C traceparent */
export const spooledText = (row: FeedbackRow, trace: string | undefined): string =>
  JSON.stringify(trace === undefined ? row : ({ ...row, trace } satisfies SpooledContent));

export const spooledRow = (text: string): { readonly row: FeedbackRow; readonly trace: string | undefined } => {
  const { trace, ...row } = JSON.parse(text) as SpooledContent;
  return { row, trace };
};
