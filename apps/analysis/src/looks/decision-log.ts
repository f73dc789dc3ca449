/** The chains of appended records, from `decisions.v1`: who decided last about each comparison, and where each record lies in the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import {
  type ComparisonPlace,
  comparisonKey,
  DECISIONS,
  type DecisionRecord,
  type InstantUs,
  type RecordedDecision,
} from '@rampart/contracts';
import { EventLog, type Following, type LogMessage } from '@rampart/event-log';
import { definitionHash, type RecordHead } from './records.js';

interface Entry {
  readonly head: RecordHead;
  readonly recordedAtUs: InstantUs;
  readonly offset: number;
}

@Injectable()
export class DecisionLog {
  /** By comparison, oldest first. */
  private readonly chains = new Map<string, Entry[]>();
  private readonly offsets = new Map<string, number>();
  private following: Following | undefined;
  private isComplete = false;
  private stopped: string | undefined;
  private unreadable = 0;

  constructor(private readonly log: EventLog) {}

  /** The topic must exist. */
  start(): void {
    if (this.following !== undefined) return;
    this.following = this.log.follow({
      topic: DECISIONS,
      onBatch: async ({ messages }) => {
        for (const message of messages) this.take(message);
      },
    });
    this.following.caughtUp.then(
      () => {
        this.isComplete = true;
      },
      () => undefined,
    );
    this.following.done.catch((error: unknown) => {
      this.stopped = error instanceof Error ? error.message : String(error);
    });
  }

  /** Why the newest record may not be known. */
  trouble(): string | undefined {
    if (this.stopped !== undefined) return `decisions are no longer read: ${this.stopped}`;
    return this.isComplete ? undefined : 'decisions are still being read';
  }

  /** How many messages of the topic were no records. */
  get skipped(): number {
    return this.unreadable;
  }

  get newestRecordedAtUs(): InstantUs | undefined {
    let newest: number | undefined;
    for (const chain of this.chains.values()) newest = Math.max(newest ?? 0, chain.at(-1)?.recordedAtUs ?? 0);
    return newest;
  }

  newest(place: ComparisonPlace): RecordHead | undefined {
    return this.chains.get(comparisonKey(place))?.at(-1)?.head;
  }

  /** The last record whose look knew nothing later than `knownUntilUs`. */
  newestAsOf(place: ComparisonPlace, knownUntilUs: InstantUs): RecordHead | undefined {
    return this.chains.get(comparisonKey(place))?.findLast(({ head }) => head.knownUntilUs <= knownUntilUs)?.head;
  }

  /** Waits until everything that was appended before this call has been read: a record that somebody has just been told of is found. */
  async readToTheEnd(withinMs = 2_000): Promise<void> {
    const [{ end } = { end: 0 }] = await this.log.offsets(DECISIONS);
    const deadlineMs = performance.now() + withinMs;
    const next = () => this.following?.stats().partitions[0]?.next ?? 0;
    while (next() < end && performance.now() < deadlineMs) await sleep(20);
  }

  has(id: string): boolean {
    return this.offsets.has(id);
  }

  /** The whole record, from the log; undefined when there is none with this id. */
  async read(id: string): Promise<RecordedDecision | undefined> {
    const offset = this.offsets.get(id);
    if (offset === undefined) return undefined;
    const [message] = await this.log.read({ topic: DECISIONS, partition: 0, offset, limit: 1 });
    return message === undefined ? undefined : decisionIn(message);
  }

  async close(): Promise<void> {
    await this.following?.close();
    this.following = undefined;
    this.isComplete = false;
  }

  private take(message: LogMessage): void {
    const decision = decisionIn(message);
    if (decision === undefined) {
      if (message.value !== null) this.unreadable += 1;
      return;
    }
    const { record, recordedAtUs } = decision;
    const head = headIn(record);
    if (head === undefined) {
      this.unreadable += 1;
      return;
    }
    // At least once: a record that comes again is the same one.
    if (this.offsets.has(record.id)) return;
    this.offsets.set(record.id, message.offset);
    const key = comparisonKey(record);
    const chain = this.chains.get(key) ?? [];
    this.chains.set(key, chain);
    chain.push({ head, recordedAtUs, offset: message.offset });
  }
}

/** Undefined for what has an id and is no record: whoever wrote it ends nobody's looks. */
const headIn = (record: DecisionRecord): RecordHead | undefined => {
  try {
    return headOf(record);
  } catch {
    return undefined;
  }
};

const headOf = (record: DecisionRecord): RecordHead => {
  const { id, previous, knownUntilUs, cause, policy, verdict, actions, latched, definition } = record;
  // Findings are long and are read from the log when somebody asks.
  return {
    id,
    previous,
    knownUntilUs,
    cause,
    policy,
    verdict: { ...verdict, findings: [] },
    actions,
    latched,
    definitionHash: definitionHash(definition),
  };
};

const decisionIn = ({ value }: LogMessage): RecordedDecision | undefined => {
  if (value === null) return undefined;
  try {
    const decision = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<RecordedDecision>;
    return typeof decision.record?.id === 'string' ? (decision as RecordedDecision) : undefined;
  } catch {
    return undefined;
  }
};
