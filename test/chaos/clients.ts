/** What clients do while things break, with every answer written down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { assigned } from '../journeys/assigned.js';
import type { LiveSetting } from '../journeys/live.js';
import type { Platform } from '../journeys/platform.js';
import type { Operation } from './history.js';

const REQUEST_MS = 8_000;
const BATCH_MS = 180_000;

export interface Sent {
  readonly acknowledged: Set<string>;
  readonly offered: Set<string>;
  /** Every status that the door gave; 0: no answer. */
  readonly statuses: Map<number, number>;
}

interface Identified {
  readonly id: string;
}

/** Each batch until it is acknowledged, as a client would: what was not answered is sent again. `when` says when the next may go. */
export const sendEvents = async (
  platform: Platform,
  { key }: LiveSetting,
  events: readonly Identified[],
  { perBatch, when }: { readonly perBatch: number; readonly when: (batch: number) => Promise<void> },
): Promise<Sent> => {
  const sent: Sent = { acknowledged: new Set(), offered: new Set(), statuses: new Map() };
  for (let at = 0; at < events.length; at += perBatch) {
    await when(at / perBatch);
    const batch = events.slice(at, at + perBatch);
    for (const { id } of batch) sent.offered.add(id);
    const until = Date.now() + BATCH_MS;
    for (;;) {
      const status = await statusOf(platform.address, key, batch);
      sent.statuses.set(status, (sent.statuses.get(status) ?? 0) + 1);
      if (status === 202) break;
      if (Date.now() > until) throw new Error(`a batch was not acknowledged within ${BATCH_MS / 1000} s`);
      await sleep(200);
    }
    for (const { id } of batch) sent.acknowledged.add(id);
  }
  return sent;
};

const statusOf = async (address: string, key: string, batch: readonly object[]): Promise<number> => {
  try {
    const answer = await fetch(`${address}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(batch),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const { status } = answer;
    const body = (await answer.json()) as { rejected?: number };
    if (status === 202 ? body.rejected !== 0 : status !== 503 && status !== 429)
      throw new RangeError(`events were answered with ${status}: ${JSON.stringify(body)}`);
    return status;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return 0;
  }
};

/** A definition that one client writes again and again and others read: the nth write names it n. */
export class Register {
  readonly operations: Operation[] = [];
  private value = 0;
  private revision: string | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly project: string,
    private readonly key: string,
  ) {}

  /** Before anything breaks: a first write knows no revision to hang on, and one that hung in a stopped process would be done after later ones. */
  async begin(): Promise<void> {
    await this.write();
    if (this.revision === null) throw new Error(`the first write to ${this.key} was not acknowledged`);
  }

  async run(isOver: () => boolean): Promise<void> {
    await Promise.all([this.writing(isOver), this.reading(isOver)]);
  }

  /** What its history says was written. */
  async kept(): Promise<readonly number[]> {
    const { body } = await this.platform.call('GET', `/v1/metrics/${this.key}/history?project=${this.project}&limit=1000`);
    return (body.items as readonly { details: { definition?: { name?: string } } }[]).map(({ details }) =>
      Number(details.definition?.name),
    );
  }

  private async writing(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.write();
      await sleep(150);
      if (this.operations.at(-1)?.outcome === 'unknown') await this.refreshRevision(isOver);
    }
  }

  private async write(): Promise<void> {
    this.value += 1;
    const value = this.value;
    const definition = { key: this.key, name: String(value), type: 'proportion', unitType: 'user', numerator: { event: 'register' } };
    // A request that hangs in a stopped process must not be done after later ones.
    const headers: Record<string, string> = this.revision === null ? {} : { 'If-Match': this.revision };
    await this.noted('write', value, async () => {
      const answer = await this.asked('PUT', headers, definition);
      this.revision = answer.headers.get('etag');
      return value;
    });
  }

  private async reading(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.noted('read', 0, async () => {
        const answer = await this.asked('GET', {});
        if (answer.status === 404) return 0;
        return Number(((await answer.json()) as { definition: { name: string } }).definition.name);
      });
      await sleep(100);
    }
  }

  private async refreshRevision(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const answer = await this.asked('GET', {}).catch(() => undefined);
      if (answer !== undefined) {
        this.revision = answer.status === 404 ? null : answer.headers.get('etag');
        return;
      }
      await sleep(200);
    }
  }

  private async asked(method: string, headers: Readonly<Record<string, string>>, body?: object): Promise<Response> {
    const answer = await fetch(`${this.platform.address}/v1/metrics/${this.key}?project=${this.project}`, {
      method,
      headers: { authorization: `Bearer ${this.platform.adminKey}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    if (answer.status === 200 || answer.status === 201 || (method === 'GET' && answer.status === 404)) return answer;
    throw new Error(`${method}: ${answer.status}`);
  }

  private async noted(kind: Operation['kind'], written: number, work: () => Promise<number>): Promise<void> {
    const begunMs = performance.now();
    const found = await work().then(
      (value) => ({ value, outcome: 'acknowledged' as const }),
      () => ({ value: written, outcome: 'unknown' as const }),
    );
    this.operations.push({ kind, begunMs, endedMs: performance.now(), ...found });
  }
}

export interface Told {
  readonly acknowledged: Set<string>;
  readonly asked: Set<string>;
}

/** Units that ask for their variant, each once; what was answered must be an exposure in the store. */
export const askForVariants = async (platform: Platform, clientKey: string, prefix: string, isOver: () => boolean): Promise<Told> => {
  const told: Told = { acknowledged: new Set(), asked: new Set() };
  for (let number = 0; !isOver(); number += 1) {
    const unit = `${prefix}-${number}`;
    told.asked.add(unit);
    const answer = assigned(platform.address, clientKey, 'checkout', unit).catch(() => undefined);
    const found = await Promise.race([answer, sleep(REQUEST_MS, undefined, { ref: false })]);
    if (found?.reason === 'SPLIT') told.acknowledged.add(unit);
    await sleep(50);
  }
  return told;
};
