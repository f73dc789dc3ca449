/** The newest look of every comparison, as `look.v1` tells it. */
import { Injectable } from '@nestjs/common';
import { LOOKS, type LookMessage } from '@rampart/contracts';
import { EventLog, FollowedTopic, type LogMessage } from '@rampart/event-log';

const PATIENCE_MS = 2_000;

/** As long as an append may take, which a process goes on with after it has given the looks away. */
const OVERTAKEN_WITHIN_US = 10_000_000;

/** What was looked at last is not known yet: to close at another moment would change the result. */
export class LooksUnread extends Error {
  override readonly name = 'LooksUnread';
  readonly retriable = true;
}

@Injectable()
export class NewestLooks {
  /** By experiment, then by key of the comparison. */
  private readonly looks = new Map<string, Map<string, LookMessage>>();
  private readonly followed: FollowedTopic;
  private readonly listeners = new Set<(look: LookMessage) => void>();

  constructor(log: EventLog) {
    this.followed = new FollowedTopic(log, { topic: LOOKS, what: 'looks', take: (message) => this.take(message) });
  }

  /** The topic must exist. */
  start(): void {
    this.followed.start();
  }

  /** Tells every look that is read from now on. */
  onLook(listener: (look: LookMessage) => void): void {
    this.listeners.add(listener);
  }

  /** Why what is said here may not be the newest. */
  trouble(): string | undefined {
    return this.followed.trouble();
  }

  async stop(): Promise<void> {
    await this.followed.close();
  }

  /** Of all environments and comparisons of an experiment, as far as they were read. */
  of(project: string, experiment: string): readonly LookMessage[] {
    return [...(this.looks.get(`${project}/${experiment}`)?.values() ?? [])];
  }

  /** As `of`, once everything that was in the log at the start has been read. @throws LooksUnread */
  async knownOf(project: string, experiment: string): Promise<readonly LookMessage[]> {
    const trouble = await this.followed.settled(PATIENCE_MS);
    if (trouble !== undefined) throw new LooksUnread(trouble);
    return this.of(project, experiment);
  }

  private take({ key, value }: LogMessage): void {
    if (key === null) return;
    const [project, , experiment] = key.split('/');
    const place = `${project}/${experiment}`;
    const look = value === null ? undefined : lookIn(value);
    if (value === null) this.looks.get(place)?.delete(key);
    if (look === undefined) return;
    const ofExperiment = this.looks.get(place) ?? new Map<string, LookMessage>();
    if (isOvertaken(look, ofExperiment.get(key))) return;
    this.looks.set(place, ofExperiment.set(key, look));
    for (const listener of this.listeners) listener(look);
  }
}

/**
 * Whoever gives the looks away may have one on its way to the log still, which lands behind that of his successor. Both times must say so: a comparison that is
 * closed is looked at as of a moment that has passed, and clocks of two processes differ. In the log it stays the last of its key, until the next look.
 */
const isOvertaken = (look: LookMessage, kept: LookMessage | undefined): boolean =>
  kept !== undefined &&
  look.knownUntilUs < kept.knownUntilUs &&
  look.lookedAtUs < kept.lookedAtUs &&
  kept.lookedAtUs - look.lookedAtUs <= OVERTAKEN_WITHIN_US;

/** @returns undefined for what is no look: the one before it stays */
const lookIn = (value: Uint8Array): LookMessage | undefined => {
  try {
    const look = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<LookMessage> | null;
    const numbers = [look?.knownUntilUs, look?.lookedAtUs, look?.comparison];
    return numbers.every(Number.isSafeInteger) ? (look as LookMessage) : undefined;
  } catch {
    return undefined;
  }
};
