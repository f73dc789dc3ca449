/** Sends timed events when they are due, or as fast as they are taken: nothing is dropped, what cannot be sent now waits and holds up the rest. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchAnswer } from '@rampart/contracts';
import { formatInstant } from '@rampart/contracts';
import { ApiClient, refusedBy } from '../../platform/api-client.js';
import { Refusal } from '../../refusal.js';
import type { TimedEvent } from '../generation/traffic.js';
import { Tally, type TrafficSummary } from './tally.js';

export interface SendingOptions {
  /** The front door or ingestion itself. */
  readonly address: string;
  /** Of role `emit`. */
  readonly key: string;
  /** Until this time (ms) an unknown key is no reason to give up. */
  readonly keyIsNewUntilMs?: number;
  /** Keys of the scenario's experiments, for the counts by arm. */
  readonly experiments?: readonly string[];
  /** `due`: each at its time; `fast`: as fast as they are taken. */
  readonly pace?: 'due' | 'fast';
  readonly batchEvents?: number;
  readonly inFlight?: number;
  /** How long a request is repeated while nobody answers. */
  readonly patienceMs?: number;
  /** No event is begun after this; what is in hand is still sent. */
  readonly stop?: AbortSignal;
  readonly onAcknowledged?: (events: readonly TimedEvent[]) => void;
  readonly onProgress?: (soFar: SendingProgress) => void;
}

export interface SendingProgress {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly rejected: number;
  readonly retries: number;
  readonly behindMs: number;
  readonly inFlight: number;
}

export interface SendingOutcome extends TrafficSummary {
  /** Why it was given up; undefined when everything was answered. */
  readonly failure: string | undefined;
}

/** A batch leaves when it is full, or when its first event has waited so long. */
const LINGER_MS = 50;
const PATH = '/v1/events';
const PROGRESS_MS = 1_000;
const DEFAULTS = { pace: 'due', batchEvents: 500, inFlight: 4, patienceMs: 300_000 } as const;

/** Resolves when every event that was begun is acknowledged, rejected or given up; never rejects over what the platform answers. */
export const sendTraffic = async (events: Iterable<TimedEvent>, options: SendingOptions): Promise<SendingOutcome> => {
  const client = new ApiClient(options.address, '', options.patienceMs ?? DEFAULTS.patienceMs);
  const sender = new TrafficSender(client, options);
  const ticker = setInterval(() => options.onProgress?.(sender.progress()), PROGRESS_MS);
  try {
    await sender.send(events);
    return sender.outcome();
  } finally {
    clearInterval(ticker);
    await client.close();
  }
};

class TrafficSender {
  private readonly tally: Tally;
  private readonly startedMs = performance.now();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly batchEvents: number;
  private readonly mostInFlight: number;
  private batch: TimedEvent[] = [];
  private batchSinceMs = 0;
  private behindUs = 0;
  private failure: unknown;

  constructor(
    private readonly client: ApiClient,
    private readonly options: SendingOptions,
  ) {
    this.tally = new Tally(options.experiments ?? []);
    this.batchEvents = options.batchEvents ?? DEFAULTS.batchEvents;
    this.mostInFlight = options.inFlight ?? DEFAULTS.inFlight;
  }

  async send(events: Iterable<TimedEvent>): Promise<void> {
    const isPaced = (this.options.pace ?? DEFAULTS.pace) === 'due';
    for (const timed of events) {
      if (isPaced && !this.isDue(timed)) await this.untilDue(timed);
      if (this.isOver()) break;
      if (this.batch.length === 0) this.batchSinceMs = performance.now();
      this.batch.push(timed);
      this.tally.sent++;
      if (this.batch.length >= this.batchEvents || (isPaced && this.hasLingered())) await this.flush();
    }
    await this.flush();
    await Promise.all(this.inFlight);
  }

  progress(): SendingProgress {
    const { sent, acknowledged, rejectedCount, retries } = this.tally;
    return {
      elapsedMs: performance.now() - this.startedMs,
      ...{ sent, acknowledged, rejected: rejectedCount, retries },
      behindMs: this.behindUs / 1000,
      inFlight: this.inFlight.size,
    };
  }

  outcome(): SendingOutcome {
    const why = this.failure;
    const failure = why === undefined ? undefined : why instanceof Error ? why.message : String(why);
    return { ...this.tally.summary(performance.now() - this.startedMs), failure };
  }

  private isOver(): boolean {
    return this.failure !== undefined || this.options.stop?.aborted === true;
  }

  private isDue({ sendAtUs }: TimedEvent): boolean {
    this.behindUs = Math.max(0, Date.now() * 1000 - sendAtUs);
    if (this.behindUs > this.tally.longestBehindUs) this.tally.longestBehindUs = this.behindUs;
    return Date.now() * 1000 >= sendAtUs;
  }

  private async untilDue(timed: TimedEvent): Promise<void> {
    while (!this.isDue(timed) && !this.isOver()) {
      if (this.batch.length > 0 && this.hasLingered()) await this.flush();
      const waitMs = (timed.sendAtUs - Date.now() * 1000) / 1000;
      const longestMs = this.batch.length > 0 ? LINGER_MS : PROGRESS_MS;
      // Whoever asks it to stop need not wait for the next event.
      await sleep(Math.max(1, Math.min(waitMs, longestMs)), undefined, { signal: this.options.stop }).catch(() => undefined);
    }
  }

  private hasLingered(): boolean {
    return performance.now() - this.batchSinceMs >= LINGER_MS;
  }

  /** Resolves when there is room for another batch. */
  private async flush(): Promise<void> {
    while (this.inFlight.size >= this.mostInFlight) await Promise.race(this.inFlight);
    const { batch } = this;
    if (batch.length === 0 || this.failure !== undefined) return;
    this.batch = [];
    const sending: Promise<void> = this.deliver(batch)
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.inFlight.delete(sending));
    this.inFlight.add(sending);
  }

  private async deliver(batch: readonly TimedEvent[]): Promise<void> {
    const { key, keyIsNewUntilMs, address } = this.options;
    this.tally.requests++;
    const onRetry = (why: string) => this.tally.retried(why);
    const answer = await this.client.call('POST', PATH, () => textOf(batch), { key, keyIsNewUntilMs, onRetry });
    if (answer.status === 413 && batch.length > 1) {
      const middle = batch.length >> 1;
      await this.deliver(batch.slice(0, middle));
      return this.deliver(batch.slice(middle));
    }
    if (answer.status !== 202) throw refusedBy(address, `POST ${PATH}`, answer);
    this.take(batch, answer.body as BatchAnswer);
  }

  private take(batch: readonly TimedEvent[], { items }: BatchAnswer): void {
    if (items?.length !== batch.length)
      throw new Refusal(`${this.options.address} answered ${items?.length} of ${batch.length} events: is that a Rampart platform?`);
    const accepted: TimedEvent[] = [];
    for (const [index, timed] of batch.entries()) {
      const answer = items[index];
      if (answer === undefined) continue;
      this.tally.answered(timed, answer);
      if (answer.status === 'accepted') accepted.push(timed);
    }
    if (accepted.length > 0) this.options.onAcknowledged?.(accepted);
  }
}

/** Made anew for every try: `sentat` is when it is sent. */
const textOf = (batch: readonly TimedEvent[]): string => {
  const nowUs = Date.now() * 1000;
  return JSON.stringify(
    batch.map(({ event, sentAtAheadUs }) =>
      sentAtAheadUs === undefined ? event : { ...event, sentat: formatInstant(nowUs + sentAtAheadUs) },
    ),
  );
};
