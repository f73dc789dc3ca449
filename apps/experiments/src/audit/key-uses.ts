/** When each key was last used, as `key-uses.v1` tells it: exact to half a minute. */
import { Injectable } from '@nestjs/common';
import { formatInstant, KEY_USES, type KeyUse } from '@rampart/contracts';
import { EventLog, FollowedTopic, type LogMessage } from '@rampart/event-log';

@Injectable()
export class KeyUses {
  private readonly lastUs = new Map<string, number>();
  private readonly followed: FollowedTopic;

  constructor(log: EventLog) {
    this.followed = new FollowedTopic(log, { topic: KEY_USES, what: 'uses of keys', take: (message) => this.take(message) });
  }

  /** The topic must exist. */
  start(): void {
    this.followed.start();
  }

  async stop(): Promise<void> {
    await this.followed.close();
  }

  /** @returns ISO 8601; null where no use is known */
  lastUsedAt(key: string): string | null {
    const atUs = this.lastUs.get(key);
    return atUs === undefined ? null : formatInstant(atUs);
  }

  private take({ value }: LogMessage): void {
    const use = value === null ? undefined : useIn(value);
    if (use === undefined) return;
    // Several processes tell of one key, and not in the order of their clocks.
    this.lastUs.set(use.key, Math.max(use.atUs, this.lastUs.get(use.key) ?? 0));
  }
}

/** @returns undefined for what can't be read */
const useIn = (value: Uint8Array): KeyUse | undefined => {
  try {
    const use = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<KeyUse> | null;
    return typeof use?.key === 'string' && Number.isSafeInteger(use.atUs) ? (use as KeyUse) : undefined;
  } catch {
    return undefined;
  }
};
