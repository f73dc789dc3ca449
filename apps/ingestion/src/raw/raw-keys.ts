/** Whose a raw event is: the write key that travels in it, looked up as the HTTP door looks up its header. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DEFINITIONS, type InstantUs } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import { EventLog, LogUnavailableError } from '@rampart/event-log';
import { hashOfKey, type KeyRecord, refusalOf } from '@rampart/service-kit';
import { IntakeScopes } from '../doors/intake-scopes.js';
import type { IntakeScope } from '../intake/event-rows.js';
import { LogLink } from '../running/log-link.js';
import type { RawRefusal } from './raw-event.js';
import { idOfKey, WRITE_KEY } from './write-key.js';

/** Whose a dead letter is, as far as that is known. */
export interface Owner {
  readonly project: string | null;
  readonly environment: string | null;
  readonly key: string | null;
}

/** Where events with a key belong, or why they belong nowhere. */
export type Admission = { readonly scope: IntakeScope } | { readonly refusal: RawRefusal; readonly owner: Owner };

/** A key is published within a moment of its making: an event with it may overtake it, but not by more than this. */
const PATIENCE_MS = 2_000;
/** After so long without the definitions' end the consumer says why it waits. */
const SAYS_SO_AFTER_MS = 5_000;
const LOOK_EVERY_MS = 50;
const MOST_STRANGERS = 10_000;
const LONGEST_KEY = 512;
const nobody: Owner = { project: null, environment: null, key: null };

@Injectable()
export class RawKeys {
  /** Hashes that were waited for in vain: they are judged at once from then on. */
  private readonly strangers = new Set<string>();

  constructor(
    private readonly log: EventLog,
    private readonly link: LogLink,
    private readonly scopes: IntakeScopes,
  ) {}

  /**
   * @param arrivedAtUs  of the newest event: what is old enough is not waited for
   * @returns an admission for each key
   * @throws LogUnavailableError while definitions are not known: an unknown key is not a wrong key then
   */
  async admit(writeKeys: ReadonlySet<unknown>, arrivedAtUs: InstantUs, signal: AbortSignal): Promise<ReadonlyMap<unknown, Admission>> {
    const hashes = new Map<unknown, string>();
    for (const key of writeKeys) if (typeof key === 'string' && key !== '' && key.length <= LONGEST_KEY) hashes.set(key, hashOfKey(key));
    const { definitions } = this.link;
    const missing = () => [...hashes.values()].filter((hash) => definitions.keyByHash(hash) === undefined);
    const unknown = missing();
    if (unknown.length > 0) {
      const isNew = unknown.some((hash) => !this.strangers.has(hash));
      await this.awaitDefinitions(isNew ? arrivedAtUs + PATIENCE_MS * 1_000 : 0, () => missing().length === 0, signal);
      this.remember(missing());
    }
    return new Map([...writeKeys].map((key) => [key, this.admission(key, hashes.get(key))]));
  }

  /** Until all is known, or everything that was published is read and the moment has passed. */
  private async awaitDefinitions(untilUs: InstantUs, isKnown: () => boolean, signal: AbortSignal): Promise<void> {
    const end = (await this.log.offsets(DEFINITIONS))[0]?.end ?? 0;
    const startedAtMs = Date.now();
    // A log's clock may be ahead of ours: nobody waits for longer than the patience because of it.
    const patienceUntilMs = Math.min(untilUs / 1_000, startedAtMs + PATIENCE_MS);
    while (!isKnown()) {
      const nowMs = Date.now();
      const isRead = this.readTo() >= end;
      if (isRead && nowMs >= patienceUntilMs) return;
      if (!isRead && nowMs - startedAtMs > SAYS_SO_AFTER_MS)
        throw new LogUnavailableError(`definitions are read to offset ${this.readTo()} of ${end}: an unknown key may be a new one`, 1_000);
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  private readTo(): number {
    const reading = this.log.stats().consumers.find(({ topic, group }) => topic === DEFINITIONS && group === undefined);
    return reading?.partitions[0]?.next ?? 0;
  }

  private remember(strangers: readonly string[]): void {
    if (this.strangers.size + strangers.length > MOST_STRANGERS) this.strangers.clear();
    for (const hash of strangers) this.strangers.add(hash);
  }

  private admission(writeKey: unknown, hash: string | undefined): Admission {
    if (typeof writeKey !== 'string' || hash === undefined) return { refusal: noKey(writeKey), owner: nobody };
    const record = this.link.definitions.keyByHash(hash);
    if (record === undefined) return { refusal: refused('key-unknown', 'no such API key'), owner: { ...nobody, key: idOfKey(writeKey) } };
    const { id, project, environment, role } = record;
    const owner = { project, environment: environment ?? 'production', key: id };
    const refusal = refusalOf(record, hash, Date.now() * 1_000);
    if (refusal !== undefined) return { refusal: refused(refusal.code, refusal.message), owner };
    if (role !== 'emit' && role !== 'import')
      return { refusal: refused('wrong-role', `a key of role ${role} sends no events; it takes one of role emit or import`), owner };
    return this.scoped(record, owner);
  }

  private scoped({ id, project, environment, role }: KeyRecord, owner: Owner): Admission {
    try {
      return { scope: this.scopes.of({ keyId: id, project, environment, role }) };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { refusal: refused(error.code, error.message), owner };
    }
  }
}

const refused = (code: string, message: string): RawRefusal => ({ code, path: `/${WRITE_KEY}`, message });

const noKey = (writeKey: unknown): RawRefusal => {
  if (writeKey === undefined || writeKey === null || writeKey === '')
    return refused('key-missing', `${WRITE_KEY} is missing: send the write key as this attribute (header ce_${WRITE_KEY} in binary mode)`);
  if (typeof writeKey !== 'string') return refused('key-missing', `${WRITE_KEY} must be text, got a ${typeof writeKey}`);
  return refused('key-unknown', `${WRITE_KEY} has ${writeKey.length} characters; no key is longer than ${LONGEST_KEY}`);
};
