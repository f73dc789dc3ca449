/** The one address of the platform: its own few pages, and everything else passed on to the service that answers it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Refusal } from '../refusal.js';
import { serviceNames } from '../services.js';
import type { PageFiles } from './page-files.js';
import { answerProblem, refuseUnreadable } from './problem.js';
import { type Places, Relay, requestIdOf } from './relay.js';
import { redirectOf, targetOf } from './routes.js';
import { answerSignIn, type SignIn } from './sign-in.js';
import { type PlatformStatus, statusPage } from './status-page.js';

export interface FrontDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly places: Places;
  status(): Promise<PlatformStatus>;
  /** Without it, or where it is not built, "/" shows the status. */
  readonly page?: PageFiles;
  /** Left out where others than this machine are listened to. */
  readonly signIn?: SignIn | undefined;
}

export interface FrontDoor {
  readonly address: string;
  /** Takes no new requests and waits for running ones; after `graceMs` they are cut off. */
  close(graceMs: number): Promise<void>;
}

const CLOSE_IDLE_EVERY_MS = 50;

/** Of every answer; what a service or a page says for itself has the last word. */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const pageHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { ...pageHeaders, 'content-type': `${type}; charset=utf-8` });
  response.end(body);
};
const sendJson = (response: ServerResponse, status: number, body: unknown) =>
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`);

type Page = (response: ServerResponse, status: PlatformStatus) => void;
const ownPages: Readonly<Record<string, Page>> = {
  '/': (response, status) => send(response, 200, 'text/html', statusPage(status)),
  '/status': (response, status) => send(response, 200, 'text/html', statusPage(status)),
  '/livez': (response) => sendJson(response, 200, { status: 'ok' }),
  '/status.json': (response, status) => sendJson(response, 200, status),
  '/readyz': (response, { isReady, components }) =>
    sendJson(response, isReady ? 200 : 503, {
      status: isReady ? 'ok' : 'not-ready',
      components: Object.fromEntries(components.map((one) => [one.name, one.isReady ? 'ok' : one.state])),
    }),
};

/** For whoever asks each of them: /diagnostics/analysis-1 and so on. */
const processesOf = (places: Places): Readonly<Record<string, number>> =>
  Object.fromEntries(serviceNames.map((name) => [name, places.processesOf(name)]));

const handle = async (incoming: IncomingMessage, outgoing: ServerResponse, relay: Relay, options: FrontDoorOptions): Promise<void> => {
  for (const [name, value] of Object.entries(securityHeaders)) outgoing.setHeader(name, value);
  if (incoming.headers['x-forwarded-proto'] === 'https') outgoing.setHeader('strict-transport-security', 'max-age=31536000');
  const requestId = requestIdOf(incoming.headers['x-request-id']);
  const [path = '/', ...query] = (incoming.url ?? '/').split('?');
  const method = incoming.method ?? 'GET';
  const target = targetOf(method, path);
  if (target !== undefined && (target.process ?? 1) <= options.places.processesOf(target.service)) {
    relay.pass(incoming, outgoing, { ...target, query: query.length > 0 ? `?${query.join('?')}` : '' }, requestId);
    return;
  }
  const redirect = redirectOf(path);
  if (redirect !== undefined) {
    outgoing.writeHead(302, { location: redirect }).end();
    return;
  }
  if (path === '/session' && method === 'POST') return answerSignIn(incoming, outgoing, options.signIn, requestId);
  if (method === 'GET' || method === 'HEAD') {
    if ((await options.page?.answer(path, outgoing)) === true) return;
    if (path === '/diagnostics') return sendJson(outgoing, 200, { processes: processesOf(options.places) });
    const page = Object.hasOwn(ownPages, path) ? ownPages[path] : undefined;
    if (page !== undefined) return page(outgoing, await options.status());
  }
  answerProblem(outgoing, requestId, {
    status: 404,
    code: 'not-found',
    title: 'Not found',
    detail: `Nothing answers ${method} ${path.slice(0, 200)}. The API is under /v1, its description is linked from "/".`,
  });
};

const listen = (server: Server, { host, port }: FrontDoorOptions): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const next = 'choose another with RAMPART_PORT, for example RAMPART_PORT=8081 npm start';
      if (code === 'EADDRINUSE') reject(new Refusal(`Port ${port} is in use by another program: stop that, or ${next}.`));
      else if (code === 'EACCES') reject(new Refusal(`This user may not listen on port ${port}: ${next}.`));
      else reject(new Refusal(`Cannot listen on ${host} port ${port} (${message}): ${next}, or another address with RAMPART_HOST.`));
    });
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });

const readable = ({ address, port, family }: AddressInfo): string => {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
};

export const openFrontDoor = async (options: FrontDoorOptions): Promise<FrontDoor> => {
  const relay = new Relay(options.places);
  // The largest body is a megabyte: who needs longer for it keeps a connection from others.
  const server = createServer({ requestTimeout: 300_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 }, (incoming, outgoing) => {
    handle(incoming, outgoing, relay, options).catch(() => outgoing.destroy());
  });
  server.on('clientError', refuseUnreadable);
  const address = readable(await listen(server, options));
  return {
    address,
    close: async (graceMs) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      // Those that were busy would be kept after their answer, for a client that has nothing more to ask.
      const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(timer);
      relay.close();
    },
  };
};
