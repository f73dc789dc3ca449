/** Follows `definitions.v1` into memory and onto the disk, and says how old the newest word is. */
import { DEFINITIONS, definitionKnownAtUs } from '@rampart/contracts';
import { type EventLog, FollowedTopic, type LogMessage } from '@rampart/event-log';
import { type ChangedScope, DefinitionsView } from './definitions-view.js';
import type { KeptDefinitions } from './kept-definitions.js';
import { type PublishedDefinition, publishedDefinition, removedDefinition } from './published-definition.js';
import { Rulesets } from './rulesets.js';

export interface FeedOptions {
  /** Older than this, the newest word about definitions is stale: a tick comes each second. */
  readonly staleAfterMs: number;
  onTrouble(error: unknown, what: string): void;
}

export class DefinitionsFeed {
  readonly view = new DefinitionsView();
  readonly rulesets = new Rulesets(this.view);
  private lastKnownAtUs: number | undefined;
  private isAnswering = false;
  private isOnDisk = false;
  private followed: FollowedTopic | undefined;
  private changes: ChangedScope[] = [];
  /** What the disk does not have yet, by slot; null: taken back. */
  private unkept = new Map<string, PublishedDefinition | null>();
  /** What the log was heard to say since it is followed, until it was read to its end. */
  private heard: Set<string> | undefined = new Set();
  private isSettling = false;
  private keeping: Promise<void> = Promise.resolve();
  private unreadableCount = 0;

  constructor(
    private readonly kept: KeptDefinitions,
    private readonly options: FeedOptions,
  ) {}

  /** What the disk has is in force at once, however old it is. */
  restore(): void {
    const found = this.kept.read();
    if (found === undefined) return;
    for (const definition of found.definitions) this.view.take(definition);
    this.lastKnownAtUs = found.mark.lastKnownAtUs;
    this.isAnswering = true;
    this.isOnDisk = true;
  }

  /** The topic must exist. */
  follow(log: EventLog): void {
    this.followed = new FollowedTopic(log, { topic: DEFINITIONS, what: 'definitions', take: (message) => this.take(message) });
    this.followed.start();
    this.followed.caughtUp.then(
      () => this.haveAll(),
      (error: unknown) => this.options.onTrouble(error, 'definitions are not read to their end'),
    );
  }

  /** False until there is anything complete to answer from: the log read once, or what a process before this one kept. */
  get canAnswer(): boolean {
    return this.isAnswering;
  }

  /** Why this process should not be asked yet. Until the disk has what it answers from, a restart without the log could not answer. */
  whyUnready(): string | undefined {
    if (!this.isAnswering) return `nothing to answer from yet: ${this.trouble() ?? 'definitions are not read yet'}`;
    return this.isOnDisk ? undefined : 'definitions are being kept on disk';
  }

  /** Age of the newest message or tick; null before there was one. */
  ageMs(nowMs: number): number | null {
    return this.lastKnownAtUs === undefined ? null : Math.max(0, nowMs - this.lastKnownAtUs / 1_000);
  }

  /** @returns whole seconds where the definitions are too old to be called current, else null */
  staleSeconds(nowMs: number): number | null {
    const ageMs = this.ageMs(nowMs);
    return ageMs === null || ageMs <= this.options.staleAfterMs ? null : Math.floor(ageMs / 1_000);
  }

  /** Why what is served may not be the newest. */
  trouble(): string | undefined {
    const notInForce = this.whyNotInForce();
    if (notInForce !== undefined) return notInForce;
    return this.followed === undefined ? 'the log was not reached yet' : this.followed.trouble();
  }

  /** Why the newest change is not served; undefined when it is. */
  whyNotInForce(): string | undefined {
    const [failure] = this.rulesets.failures;
    return failure === undefined ? undefined : `the newest change is not in force, since it can’t be compiled: ${failure}`;
  }

  get unreadable(): number {
    return this.unreadableCount;
  }

  async close(): Promise<void> {
    await this.followed?.close();
    this.settle();
    await this.keeping;
  }

  private take(message: LogMessage): void {
    const { key, value } = message;
    this.lastKnownAtUs = Math.max(this.lastKnownAtUs ?? 0, message.knownAtUs);
    if (key !== null && value !== null) this.takeDefinition(key, value, definitionKnownAtUs(message));
    else if (key !== null) this.takeRemoval(key);
    if (this.isSettling) return;
    // After all that came in this turn.
    this.isSettling = true;
    setImmediate(() => this.settle());
  }

  private takeDefinition(key: string, value: Uint8Array, knownAtUs: number): void {
    try {
      const definition = publishedDefinition(key, value, knownAtUs);
      if (definition === undefined) return;
      this.heard?.add(definition.slot);
      const scope = this.view.take(definition);
      if (scope === undefined) return;
      this.changes.push(scope);
      this.unkept.set(definition.slot, definition);
    } catch (error) {
      // One that can't be read must not stop those after it.
      this.unreadableCount += 1;
      this.options.onTrouble(error, `the definition ${key} can't be read`);
    }
  }

  /** A project that was removed is taken out of the log key by key. */
  private takeRemoval(key: string): void {
    const removed = removedDefinition(key);
    const scope = removed === undefined ? undefined : this.view.drop(removed.slot, removed.revision);
    if (removed === undefined || scope === undefined) return;
    this.heard?.delete(removed.slot);
    this.unkept.set(removed.slot, null);
    this.changes.push(scope);
  }

  /** What is on disk and not in the log was taken back while this process was away: a restored log has less. */
  private haveAll(): void {
    for (const { slot } of [...this.view.all()]) {
      if (this.heard?.has(slot) === true) continue;
      const scope = this.view.drop(slot);
      this.unkept.set(slot, null);
      if (scope !== undefined) this.changes.push(scope);
    }
    this.heard = undefined;
    this.isAnswering = true;
    this.settle();
  }

  private settle(): void {
    this.isSettling = false;
    const { changes } = this;
    this.changes = [];
    for (const error of this.rulesets.changed(changes))
      this.options.onTrouble(error, 'a change of the definitions is not in force: it can’t be compiled');
    this.keeping = this.keeping.then(() => this.keep());
  }

  private async keep(): Promise<void> {
    const { isAnswering: isComplete, lastKnownAtUs, unkept } = this;
    if (lastKnownAtUs === undefined) return;
    this.unkept = new Map();
    try {
      await this.kept.keep(unkept, { lastKnownAtUs, isComplete });
    } catch (error) {
      // A later mark would say that the disk had them: they come with the next one.
      this.unkept = new Map([...unkept, ...this.unkept]);
      this.options.onTrouble(error, 'definitions are not kept on disk: a restart would wait for the log');
    }
    // Also when the disk refused: that was said, and not to answer would be worse.
    if (isComplete) this.isOnDisk = true;
  }
}
