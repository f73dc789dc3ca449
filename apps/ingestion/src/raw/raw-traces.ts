/** The spans of a batch of raw messages: each that names a trace in its header continues it, up to the rows in `feedback.v1`. */
import { type FeedbackRow, RAW_FEEDBACK, tracesOf } from '@rampart/contracts';
import type { LogMessage } from '@rampart/event-log';
import type { TraceOf } from '@rampart/feedback-rows';
import type { Span, Tracing } from '@rampart/service-kit';

/** Of one batch; what is traced beyond is not followed further. */
const MOST_SPANS = 64;

export class RawTraces {
  private readonly spans = new Map<LogMessage, Span>();
  private readonly spanOf = new Map<FeedbackRow, Span>();

  constructor(private readonly tracing: Tracing) {}

  /** @param rows  of one event of the message */
  came(message: LogMessage, rows: readonly FeedbackRow[]): void {
    const span = this.spans.get(message) ?? this.begun(message);
    if (span !== undefined) for (const row of rows) this.spanOf.set(row, span);
  }

  async around(keep: (traceOf: TraceOf) => Promise<void>): Promise<void> {
    try {
      await keep((row) => this.spanOf.get(row)?.traceparent);
      for (const span of this.spans.values()) span.end();
    } catch (error) {
      for (const span of this.spans.values()) span.end({ error });
      throw error;
    }
  }

  private begun(message: LogMessage): Span | undefined {
    const [parent] = tracesOf(message.headers);
    if (parent === undefined || this.spans.size >= MOST_SPANS) return undefined;
    const attributes = { 'messaging.destination.name': RAW_FEEDBACK, 'messaging.kafka.offset': message.offset };
    const span = this.tracing.start(`read ${RAW_FEEDBACK}`, { kind: 'consumer', parent, attributes });
    if (span !== undefined) this.spans.set(message, span);
    return span;
  }
}
