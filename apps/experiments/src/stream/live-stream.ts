/** Everybody who watches, and what each is sent. Nothing is kept: who is too slow, or comes back, reads everything again. */
import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { DomainError } from '@rampart/domain';
import type { Addressed } from './stream-notices.js';

/** Bytes that may wait for one client: a few thousand notices. */
export const MOST_WAITING = 256 * 1024;
export const MOST_WATCHERS = 1_000;
const PING_MS = 15_000;
/** How long a browser waits before it comes back. */
const RETRY_MS = 2_000;

export interface Watcher {
  readonly keyId: string;
  readonly project: string;
  /** null: every environment. */
  readonly environment: string | null;
  /** When its key stops to work by itself, in microseconds since the epoch; null: never. */
  readonly endsAtUs: number | null;
}

const HEADERS = {
  ...{
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  },
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

@Injectable()
export class LiveStream {
  private readonly watchers = new Map<ServerResponse, Watcher>();
  private readonly pinging = setInterval(() => this.ping(), PING_MS).unref();
  private isClosed = false;

  get size(): number {
    return this.watchers.size;
  }

  /** Takes the response over. @throws DomainError too-many-watchers */
  open(response: ServerResponse, watcher: Watcher): void {
    if (this.isClosed || this.watchers.size >= MOST_WATCHERS) {
      const message = `${this.watchers.size} clients watch already, of ${MOST_WATCHERS} at most: close one, or ask again later`;
      throw new DomainError('too-many-watchers', message, { watchers: this.watchers.size, most: MOST_WATCHERS });
    }
    this.watchers.set(response, watcher);
    response.on('close', () => this.watchers.delete(response));
    response.on('error', () => this.watchers.delete(response));
    response.writeHead(200, HEADERS);
    this.write(response, `retry: ${RETRY_MS}\n: watching ${watcher.project}\n\n`);
  }

  /** Made into text once, however many watch. */
  tell({ project, environment, notice }: Addressed): void {
    let text: string | undefined;
    for (const [response, watcher] of this.watchers) {
      if (watcher.project !== project) continue;
      if (watcher.environment !== null && environment !== null && watcher.environment !== environment) continue;
      text ??= `event: ${notice.kind}\ndata: ${JSON.stringify(notice)}\n\n`;
      this.write(response, text);
    }
  }

  /** A key that was revoked or replaced sees nothing more. */
  dismiss(isMeant: (watcher: Watcher) => boolean): void {
    for (const [response, watcher] of this.watchers) if (isMeant(watcher)) this.drop(response);
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.pinging);
    for (const response of this.watchers.keys()) response.end();
    this.watchers.clear();
  }

  private ping(): void {
    for (const response of this.watchers.keys()) this.write(response, ': ping\n\n');
  }

  private write(response: ServerResponse, text: string): void {
    const endsAtUs = this.watchers.get(response)?.endsAtUs ?? null;
    // A key that expired sees nothing more, whatever it was let in to.
    if (endsAtUs !== null && Date.now() * 1_000 >= endsAtUs) {
      this.drop(response);
      return;
    }
    response.write(text);
    if (response.writableLength > MOST_WAITING) this.drop(response);
  }

  private drop(response: ServerResponse): void {
    this.watchers.delete(response);
    response.destroy();
  }
}
