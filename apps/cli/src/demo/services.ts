/** The shop's services at work: each asks for its feature as a visitor comes by, and sends what it sees. They know the platform's HTTP API and nothing else. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloudEvent, formatInstant } from '@rampart/contracts';
import { type ApiClient, refusedBy } from '../platform/api-client.js';
import { fnv32a, type Random, randomOf } from '../traffic/generation/random.js';
import { FEATURES, type FeatureKey } from './shop.js';
import { type Deed, deedsUpon } from './visitor.js';

export interface ShopKeys {
  /** Of role `client`: what the shop's pages hold. */
  readonly client: string;
  /** Of role `emit`: what its servers hold. */
  readonly emit: string;
  readonly areNewUntilMs: number;
}

export interface ShopFigures {
  visitors: number;
  evaluations: number;
  events: number;
  /** Evaluations and batches that nobody answered: the shop goes on with its default. */
  failures: number;
  /** Too many were in the shop. */
  turnedAway: number;
}

const SEND_EVERY_MS = 250;
const MOST_IN_A_BATCH = 1_000;
/** More visitors than come in this time are turned away: a shop that is slow must not be stormed, or it would stay slow. */
const CROWD_SECONDS = 3;

export class Shop {
  readonly figures: ShopFigures = { visitors: 0, evaluations: 0, events: 0, failures: 0, turnedAway: 0 };
  private readonly run = randomUUID().slice(0, 8);
  private readonly outbox: { readonly dueMs: number; readonly event: CloudEvent }[] = [];
  private readonly visits = new Set<Promise<void>>();

  constructor(
    private readonly client: ApiClient,
    private readonly keys: ShopKeys,
    private readonly seed: number,
  ) {}

  /** Resolves once it was told to stop, and everything that was done by then is sent. */
  async open(perSecond: number, stop: AbortSignal): Promise<void> {
    await Promise.all([this.receiveUntil(perSecond, stop), this.sendUntil(stop)]);
    await this.send(Number.POSITIVE_INFINITY);
  }

  private async receiveUntil(perSecond: number, stop: AbortSignal): Promise<void> {
    const startedMs = performance.now();
    let arrived = 0;
    while (!stop.aborted) {
      const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond);
      for (; arrived < due; arrived++) {
        if (this.visits.size < perSecond * CROWD_SECONDS) this.receive(this.figures.visitors++);
        else this.figures.turnedAway++;
      }
      await sleep(1_000 / Math.min(perSecond, 50), undefined, { signal: stop }).catch(() => undefined);
    }
    await Promise.all(this.visits);
  }

  private receive(index: number): void {
    const visit: Promise<void> = this.visit(`visitor-${this.run}-${index.toString(36)}`, index).finally(() => this.visits.delete(visit));
    this.visits.add(visit);
  }

  private async visit(id: string, index: number): Promise<void> {
    for (const feature of FEATURES) {
      const random = randomOf(this.seed, index, fnv32a(feature));
      const isOn = await this.isOn(feature, id, random);
      for (const [place, deed] of deedsUpon[feature](isOn, random).entries()) this.note(id, feature, deed, place);
      await sleep(50 + random.uniform() * 200);
    }
  }

  /** The platform's answer; without one, or without a value in it, the shop's own default. */
  private async isOn(key: FeatureKey, targetingKey: string, random: Random): Promise<boolean> {
    this.figures.evaluations++;
    const context = { targetingKey, country: random.isTrue(0.3) ? 'AT' : 'DE' };
    const options = { key: this.keys.client, keyIsNewUntilMs: this.keys.areNewUntilMs };
    try {
      const { status, body } = await this.client.call('POST', `/ofrep/v1/evaluate/flags/${key}`, { context }, options);
      if (status === 200) return body.value === true;
    } catch {
      // As when nothing answers: see below.
    }
    this.figures.failures++;
    return false;
  }

  private note(id: string, feature: FeatureKey, { service, name, value, afterMs }: Deed, place: number): void {
    const dueMs = Date.now() + afterMs;
    const data = { unit: { type: 'user', id }, name, ...(value === undefined ? {} : { value }) };
    const time = formatInstant(dueMs * 1000);
    const event = {
      specversion: '1.0',
      id: `${id}-${feature}-${place}`,
      source: `shop/${service}`,
      type: 'metric.v1',
      time,
      data,
    } as const;
    this.outbox.push({ dueMs, event });
  }

  private async sendUntil(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await sleep(SEND_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
      await this.send(Date.now());
    }
  }

  /** What is not acknowledged is sent again with the next ones, under the same ids: it counts once. */
  private async send(untilMs: number): Promise<void> {
    const due = this.outbox.filter(({ dueMs }) => dueMs <= untilMs).slice(0, MOST_IN_A_BATCH);
    if (due.length === 0) return;
    const events = due.map(({ event }) => event);
    const { emit, areNewUntilMs } = this.keys;
    const answer = await this.client.call('POST', '/v1/events', events, { key: emit, keyIsNewUntilMs: areNewUntilMs });
    if (answer.status !== 202) throw refusedBy(this.client.address, 'POST /v1/events', answer);
    const sent = new Set(due);
    this.outbox.splice(0, this.outbox.length, ...this.outbox.filter((one) => !sent.has(one)));
    this.figures.events += due.length;
    if (due.length === MOST_IN_A_BATCH) await this.send(untilMs);
  }
}
