/**
 * Traces, off unless OTEL_EXPORTER_OTLP_ENDPOINT is set. A trace travels as a W3C `traceparent`: in the request of a client, in the header of a message of
 * the log. Off, and for what is not sampled, there is no span, no header, and nothing is asked more than once.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export type SpanKind = 'server' | 'producer' | 'consumer' | 'internal';
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly kind: SpanKind;
  /** What it continues; a new trace without it. */
  readonly parent?: string | undefined;
  readonly attributes?: Attributes;
  /** Default: now. */
  readonly startUs?: number;
}

export interface Span {
  /** For whatever continues it. */
  readonly traceparent: string;
  /** @param error  what it failed with */
  end(more?: { readonly attributes?: Attributes; readonly error?: unknown; readonly endUs?: number }): void;
}

/** What makes spans: the only one is made of OpenTelemetry's packages (otlp-spans.ts). */
export interface Spans {
  /** Undefined where the trace is not sampled. */
  start(name: string, start: SpanStart): Span | undefined;
  /** Sends what is left. */
  close(): Promise<void>;
}

const answering = new AsyncLocalStorage<string>();
const UNTRACED = new Set(['/livez', '/readyz', '/metrics']);

export class Tracing {
  private readonly ofRequests = new WeakMap<FastifyRequest, Span>();

  constructor(private readonly spans?: Spans) {}

  get isOn(): boolean {
    return this.spans !== undefined;
  }

  /** The span of the request that is being answered; undefined where it is not traced. */
  current(): string | undefined {
    return this.spans === undefined ? undefined : answering.getStore();
  }

  start(name: string, start: SpanStart): Span | undefined {
    return this.spans?.start(name, start);
  }

  /** A span around some work; it carries the error that the work ends with. */
  async within<Result>(name: string, start: SpanStart, work: (traceparent: string | undefined) => Promise<Result>): Promise<Result> {
    const span = this.spans?.start(name, start);
    if (span === undefined) return work(undefined);
    try {
      const result = await work(span.traceparent);
      span.end();
      return result;
    } catch (error) {
      span.end({ error });
      throw error;
    }
  }

  /** A span for each request, continuing the client's; no hook at all when it is off. */
  followRequests(fastify: FastifyInstance): void {
    const { spans, ofRequests } = this;
    if (spans === undefined) return;
    fastify.addHook('onRequest', (request, _reply, done) => {
      const route = request.routeOptions.url;
      if (route !== undefined && UNTRACED.has(route)) return done();
      const given = request.headers.traceparent;
      // What is none is read as none further on, as W3C Trace Context has it: a new trace begins.
      const parent = typeof given === 'string' ? given : undefined;
      const attributes = { 'http.request.method': request.method, ...(route === undefined ? {} : { 'http.route': route }) };
      const span = spans.start(`${request.method} ${route ?? 'unmatched'}`, { kind: 'server', parent, attributes });
      if (span === undefined) return done();
      ofRequests.set(request, span);
      answering.run(span.traceparent, done);
    });
    // Reading the body leaves the asynchronous context of the first hook: enter it again.
    fastify.addHook('preValidation', (request, _reply, done) => {
      const span = ofRequests.get(request);
      if (span === undefined) done();
      else answering.run(span.traceparent, done);
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      const status = reply.statusCode;
      const attributes = { 'http.response.status_code': status };
      ofRequests.get(request)?.end({ attributes, ...(status >= 500 ? { error: `status ${status}` } : {}) });
      done();
    });
  }

  async close(): Promise<void> {
    await this.spans?.close();
  }
}

/** For parts of a service that are made without one. */
export const noTracing = new Tracing();
