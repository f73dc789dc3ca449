/** Spans by OpenTelemetry's own packages, sent to a collector as OTLP over HTTP. Loaded only when tracing is on. */
import { type Attributes, SpanKind as Kind, type Span as OtelSpan, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Log } from './log.js';
import type { Span, SpanKind, SpanStart, Spans } from './tracing.js';

export interface OtlpOptions {
  readonly service: string;
  readonly version: string;
  /** Of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  /** Of traces that begin here; one that a client began is sampled as it says. */
  readonly ratio: number;
  readonly log: Log;
}

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  server: Kind.SERVER,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
  internal: Kind.INTERNAL,
};
/** A collector that is away is said so once in this time. */
const SAY_EVERY_MS = 60_000;
const SEND_EVERY_MS = 1_000;

export const otlpSpans = ({ service, version, endpoint, ratio, log }: OtlpOptions): Spans => {
  sayFailures(log);
  // What it can't hand over in time it drops: the platform never waits for its traces.
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 5_000 });
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `rampart-${service}`, 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('rampart', version);
  return {
    start: (name, { kind, parent, attributes, startUs }: SpanStart) => {
      const given = parent === undefined ? null : parseTraceParent(parent);
      const context = given === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...given, isRemote: true });
      const startTime = startUs === undefined ? undefined : startUs / 1_000;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: attributes as Attributes, startTime }, context);
      return span.isRecording() ? spanOf(span) : undefined;
    },
    close: () => provider.shutdown(),
  };
};

const spanOf = (span: OtelSpan): Span => {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    end: ({ attributes, error, endUs } = {}) => {
      if (attributes !== undefined) span.setAttributes(attributes as Attributes);
      if (error !== undefined)
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      span.end(endUs === undefined ? undefined : endUs / 1_000);
    },
  };
};

const sayFailures = (log: Log): void => {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  setGlobalErrorHandler((failure) => {
    if (performance.now() - saidAtMs < SAY_EVERY_MS) return;
    saidAtMs = performance.now();
    log.warn({ err: failure }, 'traces are not taken by their collector');
  });
};
