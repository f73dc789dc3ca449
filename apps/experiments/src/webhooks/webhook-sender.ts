/** Sends what is due, each webhook in its own order and for itself: a slow or dead one keeps nobody else waiting. */
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { fold, sealedSecretsOf, type Webhook, type WebhookEvent, webhookDecider } from '@rampart/domain';
import type { EventStore } from '@rampart/event-store';
import type { Log } from '@rampart/service-kit';
import { nowUs } from '../clock.js';
import type { AnswerSeal } from '../command/answer-seal.js';
import { begunAt, type DueDelivery, type Tried, type WebhookDeliveries } from './webhook-deliveries.store.js';
import { MOST_ATTEMPTS, pauseAfter, signedHeaders } from './webhook-message.js';
import { addressOf } from './webhook-target.js';

const TICK_MS = 500;
/** News come from within the transaction that brings them: it is looked for a few times, until that is committed. */
const QUICK_LOOKS = 5;
const QUICK_MS = 20;
const FORGET_EVERY_MS = 3_600_000;
const ANSWER_WITHIN_MS = 10_000;
const MOST_ANSWER_BYTES = 2_048;

export interface SenderParts {
  readonly store: EventStore;
  readonly deliveries: WebhookDeliveries;
  readonly seal: AnswerSeal;
  readonly log: Log;
  readonly allowInner: boolean;
  /** Told of every try that was settled. */
  readonly onTried?: (outcome: 'delivered' | 'tried-again' | 'given-up', seconds: number) => void;
}

export class WebhookSender {
  private isStopped = false;
  private wake: () => void = () => undefined;
  private quickLooks = 0;
  private forgotAtMs = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | undefined;
  private readonly inFlight = new Set<Promise<void>>();

  constructor(private readonly parts: SenderParts) {}

  start(): void {
    this.running = this.run();
  }

  nudge(): void {
    this.quickLooks = QUICK_LOOKS;
    this.wake();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    await this.running;
    await Promise.race([Promise.all(this.inFlight), sleep(2_000, undefined, { ref: false })]);
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      try {
        const isOwner = this.parts.deliveries.isOwner();
        if (isOwner) await this.forgetOld();
        const due = isOwner ? await this.parts.deliveries.takeDue() : [];
        for (const delivery of due) this.begin(delivery);
        if (due.length === 0) await this.rest();
      } catch (err) {
        this.parts.log.warn({ err }, 'webhooks are not sent, it is tried again');
        await this.rest();
      }
    }
  }

  private async forgetOld(): Promise<void> {
    if (performance.now() - this.forgotAtMs < FORGET_EVERY_MS) return;
    await this.parts.deliveries.forgetOld();
    this.forgotAtMs = performance.now();
  }

  private begin(delivery: DueDelivery): void {
    const sending: Promise<void> = this.deliver(delivery)
      .catch((err: unknown) =>
        this.parts.log.warn({ err, webhook: delivery.webhook }, 'what became of a delivery is not noted: it is sent again'),
      )
      .finally(() => {
        this.inFlight.delete(sending);
        this.nudge();
      });
    this.inFlight.add(sending);
  }

  private async deliver(delivery: DueDelivery): Promise<void> {
    const stored = await this.parts.store.readStream(delivery.webhook);
    const webhook = fold(webhookDecider, stored.map(({ event }) => event) as unknown as WebhookEvent[]);
    if (webhook.status !== 'active' || delivery.position < begunAt(stored)) {
      const answer = `not sent: ${webhook.status === 'active' ? 'it was meant for the address before' : 'the webhook is removed'}`;
      await this.parts.deliveries.settle(delivery, { isDelivered: false, answer }, undefined);
      return;
    }
    if (delivery.attempts > MOST_ATTEMPTS) {
      const answer = `not sent again: what became of ${MOST_ATTEMPTS} tries could not be noted`;
      await this.parts.deliveries.settle(delivery, { isDelivered: false, answer }, undefined);
      this.parts.onTried?.('given-up', 0);
      return;
    }
    const startedMs = performance.now();
    const tried = await this.tried(webhook, delivery);
    const tookSeconds = (performance.now() - startedMs) / 1_000;
    const pauseSeconds = tried.isDelivered ? undefined : pauseAfter(delivery.attempts);
    await this.parts.deliveries.settle(delivery, tried, pauseSeconds);
    this.parts.onTried?.(tried.isDelivered ? 'delivered' : pauseSeconds === undefined ? 'given-up' : 'tried-again', tookSeconds);
  }

  private async tried(webhook: Exclude<Webhook, { status: 'absent' }>, { id, body }: DueDelivery): Promise<Tried> {
    try {
      const atUs = nowUs();
      const secrets = sealedSecretsOf(webhook, atUs).map((sealed) => this.parts.seal.opened(sealed));
      const headers = signedHeaders(secrets, { id, body, atSeconds: Math.floor(atUs / 1e6) });
      const { status, text } = await posted(webhook.definition.url, headers, body, this.parts.allowInner);
      return { isDelivered: status >= 200 && status < 300, answer: `${status} ${text}`.trim() };
    } catch (error) {
      return { isDelivered: false, answer: error instanceof Error ? error.message : String(error) };
    }
  }

  private rest(): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    const isQuick = this.quickLooks > 0;
    this.quickLooks -= isQuick ? 1 : 0;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, isQuick ? QUICK_MS : TICK_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Node's own client: it follows no redirect, and calls the address that was checked. */
const posted = async (
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  allowInner: boolean,
): Promise<{ readonly status: number; readonly text: string }> => {
  const url = new URL(target);
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const address = await Promise.race([addressOf(url, allowInner), tooLate(signal)]);
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body), 'user-agent': 'rampart-webhooks' },
    signal,
    agent: false,
    lookup: (_host, asked, callback) => {
      const family = address.includes(':') ? 6 : 4;
      if (asked.all === true) callback(null, [{ address, family }]);
      else callback(null, address, family);
    },
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (answer) => {
      const status = answer.statusCode ?? 0;
      let text = '';
      // PostgreSQL's texts hold no U+0000.
      answer.on('close', () => resolve({ status, text: text.slice(0, 300).replaceAll('\0', '\uFFFD') }));
      answer.on('error', () => undefined);
      // What a receiver says beside yes is nobody's business, and may have no end.
      if (status >= 200 && status < 300) return void answer.destroy();
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        if (text.length < MOST_ANSWER_BYTES) text += part.slice(0, MOST_ANSWER_BYTES);
        else answer.destroy();
      });
    });
    request.on('error', (error) => reject(signal.aborted ? new NoAnswer() : error));
    // Taken off the request: neither an answer nor an error would follow.
    request.on('upgrade', ({ statusCode = 101 }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, text: 'it changes the protocol instead of answering' });
    });
    request.end(body);
  });
};

class NoAnswer extends Error {
  override readonly message = `no whole answer within ${ANSWER_WITHIN_MS / 1_000} s`;
}

const tooLate = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new NoAnswer()), { once: true }));
