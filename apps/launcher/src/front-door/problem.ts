/** Refusals of the front door itself, in the same form as the services' (RFC 9457). */
import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

export const answerProblem = (response: ServerResponse, requestId: string, { retryAfterSeconds, ...problem }: Problem): void => {
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify({ type: `urn:rampart:problem:${problem.code}`, ...problem, requestId }));
};

const unreadable: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'The path, its query and the headers are larger than 16 KB together: shorten them.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'The request did not arrive within its time: send it again.'],
};

/** What could not be read as HTTP has no response to write to: the answer goes straight to the connection, which ends. */
export const refuseUnreadable = ({ code = '' }: NodeJS.ErrnoException, connection: Duplex): void => {
  if (code === 'ECONNRESET' || !connection.writable) {
    connection.destroy();
    return;
  }
  const [status, name, detail] = unreadable[code] ?? [400, 'not-http', 'The request is not HTTP as this server reads it.'];
  const title = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ type: `urn:rampart:problem:${name}`, status, code: name, title, detail, requestId: randomUUID() });
  connection.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
};
