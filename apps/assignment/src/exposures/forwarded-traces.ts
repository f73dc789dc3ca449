/** The spans of one forwarding: every traced evaluation whose rows are in it continues into the log. */
import { FEEDBACK, type FeedbackRow } from '@rampart/contracts';
import type { TraceOf } from '@rampart/feedback-rows';
import type { Span, Tracing } from '@rampart/service-kit';

/** Of one forwarding; what is traced beyond is not followed further. */
const MOST_SPANS = 64;

interface Content {
  readonly row: FeedbackRow;
  readonly trace: string | undefined;
}

export class ForwardedTraces {
  private constructor(
    private readonly spans: ReadonlyMap<string, Span>,
    private readonly traces: ReadonlyMap<FeedbackRow, string>,
  ) {}

  /** @returns undefined where nothing is traced */
  static of(contents: readonly Content[], tracing: Tracing): ForwardedTraces | undefined {
    const spans = new Map<string, Span>();
    const traces = new Map<FeedbackRow, string>();
    for (const { row, trace } of contents) {
      if (trace === undefined || (!spans.has(trace) && spans.size >= MOST_SPANS)) continue;
      // It began when the row was told: how long it lay in the spool is its length.
      const start = { kind: 'producer', parent: trace, startUs: row.at, attributes: { 'messaging.destination.name': FEEDBACK } } as const;
      const span = spans.get(trace) ?? tracing.start(`forward to ${FEEDBACK}`, start);
      if (span === undefined) continue;
      spans.set(trace, span);
      traces.set(row, trace);
    }
    return spans.size === 0 ? undefined : new ForwardedTraces(spans, traces);
  }

  readonly traceOf: TraceOf = (row) => this.spans.get(this.traces.get(row) ?? '')?.traceparent;

  async around<T>(append: () => Promise<T>): Promise<T> {
    try {
      const appended = await append();
      for (const span of this.spans.values()) span.end();
      return appended;
    } catch (error) {
      // Tried again, it is another span of the same trace.
      for (const span of this.spans.values()) span.end({ error });
      throw error;
    }
  }
}
