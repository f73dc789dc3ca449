/** Passes a request on to a service and its answer back, both as they come, without holding them. */
import { randomUUID } from 'node:crypto';
import {
  Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import { answerProblem } from './problem.js';
import type { Target } from './routes.js';

const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Without what is meant for the next hop only, including what `Connection` itself names. */
export const endToEnd = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name) && !named.includes(name)));
};

/** The client's own id where it is a sane one, and no key: it ends up in logs. */
export const requestIdOf = (given: string | string[] | undefined): string =>
  typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) && !/\brk_/.test(given) ? given : randomUUID();

const forwardedHeaders = (incoming: IncomingMessage, requestId: string): OutgoingHttpHeaders => {
  const { expect: _, ...headers } = endToEnd(incoming.headers);
  const client = incoming.socket.remoteAddress ?? '';
  const before = incoming.headers['x-forwarded-for'];
  const hasBody = incoming.headers['transfer-encoding'] !== undefined;
  return {
    ...headers,
    'x-request-id': requestId,
    'x-forwarded-for': before === undefined ? client : `${before}, ${client}`,
    'x-forwarded-host': incoming.headers['x-forwarded-host'] ?? incoming.headers.host ?? '',
    'x-forwarded-proto': incoming.headers['x-forwarded-proto'] ?? 'http',
    ...(hasBody ? { 'transfer-encoding': 'chunked' } : {}),
  };
};

const hasNoBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] === undefined || headers['content-length'] === '0');
const mayBeRepeated = (incoming: IncomingMessage) => (incoming.method === 'GET' || incoming.method === 'HEAD') && hasNoBody(incoming);

const isStream = ({ headers, url }: IncomingMessage) =>
  headers.accept?.includes('text/event-stream') === true || url?.startsWith('/v1/stream') === true;

/** What is left of the body is read and dropped: else the next request on this connection would wait behind it. */
const readAway = (incoming: IncomingMessage, inner: ClientRequest): void => {
  incoming.unpipe(inner).resume();
};

/** Before that nothing is read: what nobody takes can still be passed to another one. */
const whenConnected = (inner: ClientRequest, then: () => void): void => {
  inner.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', then);
    else then();
  });
};

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Places {
  /** Where a process of the service listens, one of them or the one asked for; undefined while it has none. */
  placeOf(service: Target['service'], process?: number, refused?: readonly Place[]): Place | undefined;
  /** How many of it there should be. */
  processesOf(service: Target['service']): number;
  /** Nobody listens there. */
  refused?(place: Place): void;
}

export class Relay {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 32 });
  /** Streams stay for hours: in the pool they would keep everybody else waiting. */
  private readonly streams = new Agent({ keepAlive: false });

  constructor(private readonly places: Places) {}

  /** @param refused  where it was tried before, and nobody listens */
  pass(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    target: Target & { readonly query: string },
    requestId: string,
    refused: readonly Place[] = [],
  ): void {
    const place = this.places.placeOf(target.service, target.process, refused);
    if (place === undefined) {
      this.unavailable(outgoing, target, requestId, 'is starting');
      return;
    }
    const inner = request({
      agent: isStream(incoming) ? this.streams : this.agent,
      ...place,
      method: incoming.method,
      path: target.path + target.query,
      headers: forwardedHeaders(incoming, requestId),
    });
    inner.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, { ...endToEnd(answer.headers), 'x-request-id': requestId });
      outgoing.flushHeaders(); // an event stream must not wait for its first event
      answer.on('error', () => outgoing.destroy());
      answer.on('aborted', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    inner.on('error', (error: NodeJS.ErrnoException) => {
      const isRefused = error.code === 'ECONNREFUSED';
      if (isRefused) this.places.refused?.(place);
      // Nothing of it was sent: whoever else there is may be asked.
      if (
        isRefused &&
        target.process === undefined &&
        refused.length + 1 < this.places.processesOf(target.service) &&
        !outgoing.destroyed
      ) {
        outgoing.off('close', onClose);
        return this.pass(incoming, outgoing, target, requestId, [...refused, place]);
      }
      readAway(incoming, inner);
      if (outgoing.headersSent || outgoing.destroyed) return outgoing.destroy();
      // The service closed a kept connection just as it was used again.
      if (inner.reusedSocket && error.code === 'ECONNRESET' && mayBeRepeated(incoming))
        return this.pass(incoming, outgoing, target, requestId, refused);
      this.unavailable(outgoing, target, requestId, isRefused ? 'is not running at the moment' : 'ended before it answered');
    });
    const onClose = () => {
      if (!outgoing.writableFinished) inner.destroy();
      // Answered before the end of the body: nobody there waits for the rest, and it may never be read.
      else if (!incoming.complete) {
        readAway(incoming, inner);
        inner.destroy();
      }
    };
    outgoing.on('close', onClose);
    if (mayBeRepeated(incoming)) inner.end();
    else whenConnected(inner, () => incoming.pipe(inner));
  }

  close(): void {
    this.agent.destroy();
    this.streams.destroy();
  }

  private unavailable(outgoing: ServerResponse, { service }: Target, requestId: string, why: string): void {
    const detail = `The service ${service} ${why}. Try again in a second.`;
    answerProblem(outgoing, requestId, {
      status: 503,
      code: 'service-unavailable',
      title: 'Service unavailable',
      detail,
      retryAfterSeconds: 1,
    });
  }
}
