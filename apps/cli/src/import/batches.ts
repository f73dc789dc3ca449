/** Events in batches, several on their way at once; whatever was rejected is told with its place in the file. */
import { hash } from 'node:crypto';
import type { BatchAnswer } from '@rampart/contracts';
import { type ApiClient, refusedBy } from '../platform/api-client.js';
import { Refusal } from '../refusal.js';

export interface Origin {
  readonly line: number;
  readonly column: string;
}
export interface Rejection extends Origin {
  readonly code: string;
  readonly message: string;
}
export interface SenderOptions {
  readonly key: string;
  readonly keyIsNewUntilMs: number;
  readonly signal: AbortSignal;
  /** More rejections than this stop the import. */
  readonly mostRejected: number;
}

const BATCH_EVENTS = 1_000;
/** Characters; a character has up to three bytes, and a batch up to 1 MiB. */
const BATCH_CHARACTERS = 340_000;
const IN_FLIGHT = 6;
const REJECTIONS_KEPT = 20;
/** A key never gets better by asking again, but it may have been revoked in mid-import. */
const PATH = '/v1/events';

interface Batch {
  texts: string[];
  origins: Origin[];
  characters: number;
}

export class EventSender {
  accepted = 0;
  rejected = 0;
  readonly rejections: Rejection[] = [];
  private sum = 0n;
  private batch = empty();
  private readonly inFlight = new Set<Promise<void>>();
  private failure: unknown;

  constructor(
    private readonly client: Pick<ApiClient, 'address' | 'call'>,
    private readonly options: SenderOptions,
  ) {}

  /** @param text  an event as JSON; @returns whether the batch is full, and `flush` should be awaited before more is added */
  add(text: string, origin: Origin): boolean {
    this.sum = BigInt.asUintN(64, this.sum + BigInt(`0x${hash('sha256', text, 'hex').slice(0, 16)}`));
    this.batch.texts.push(text);
    this.batch.origins.push(origin);
    this.batch.characters += text.length + 1;
    return this.batch.texts.length >= BATCH_EVENTS || this.batch.characters > BATCH_CHARACTERS;
  }

  /** Of all events added, in any order: the same file in another order has the same. */
  get fingerprint(): string {
    return this.sum.toString(16).padStart(16, '0');
  }

  /** Resolves when the log has everything. */
  async drained(): Promise<void> {
    await this.flush();
    await Promise.all(this.inFlight);
    this.throwFailure();
  }

  /** Sends the batch; resolves when there is room for another one. */
  async flush(): Promise<void> {
    while (this.inFlight.size >= IN_FLIGHT) await Promise.race(this.inFlight);
    this.throwFailure();
    const { batch } = this;
    if (batch.texts.length === 0) return;
    this.batch = empty();
    const sending: Promise<void> = this.deliver(batch)
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.inFlight.delete(sending));
    this.inFlight.add(sending);
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private async deliver({ texts, origins }: Batch): Promise<void> {
    const { key, keyIsNewUntilMs, signal } = this.options;
    const answer = await this.client.call('POST', PATH, `[${texts.join(',')}]`, { key, keyIsNewUntilMs, signal });
    if (answer.status === 413 && texts.length > 1) {
      const middle = texts.length >> 1;
      await this.deliver({ texts: texts.slice(0, middle), origins: origins.slice(0, middle), characters: 0 });
      return this.deliver({ texts: texts.slice(middle), origins: origins.slice(middle), characters: 0 });
    }
    if (answer.status !== 202) throw refusedBy(this.client.address, `POST ${PATH} (from line ${origins[0]?.line})`, answer);
    this.take(answer.body as BatchAnswer, origins);
  }

  private take({ accepted, rejected, items }: BatchAnswer, origins: readonly Origin[]): void {
    this.accepted += accepted;
    this.rejected += rejected;
    if (rejected === 0) return;
    for (const [index, item] of items.entries()) {
      const origin = origins[index];
      if (item.status === 'rejected' && origin !== undefined && this.rejections.length < REJECTIONS_KEPT)
        this.rejections.push({ ...origin, code: item.code, message: item.message });
    }
    if (this.rejected > this.options.mostRejected)
      throw new Refusal(
        `${this.rejected} events were rejected, more than the ${this.options.mostRejected} allowed (--max-rejected); stopped after ${this.accepted} accepted ones.`,
      );
  }
}

const empty = (): Batch => ({ texts: [], origins: [], characters: 0 });
