/** Which erasures there are and how far each is, as `erasures.v1` tells it. */
import { Injectable } from '@nestjs/common';
import {
  ERASURE_STORES,
  ERASURES,
  type ErasureMessage,
  type ErasureProgress,
  type ErasureRequest,
  type ErasureStep,
  type ErasureStoreProgress,
  erasureKey,
  erasureMessageIn,
  formatInstant,
  RAW_FEEDBACK,
} from '@rampart/contracts';
import { EventLog, FollowedTopic } from '@rampart/event-log';

/** Whoever was just told of an erasure finds it. */
const PATIENCE_MS = 5_000;

interface Known {
  readonly request: ErasureRequest;
  readonly steps: ReadonlyMap<string, ErasureStep>;
}

/** Parts without which a store is not done. Of raw events one for each partition; how many processes have a spool, nobody knows. */
const PARTS: Readonly<Record<Exclude<ErasureStep['store'], 'raw-events'>, readonly string[]>> = {
  'feedback-store': ['rows'],
  'dead-letters': ['log', 'store'],
  'control-plane': ['texts'],
  spools: [],
};

@Injectable()
export class Erasures {
  private readonly requests = new Map<string, ErasureRequest>();
  private readonly steps = new Map<string, Map<string, ErasureStep>>();
  private readonly followed: FollowedTopic;
  private rawPartitions = 0;

  constructor(private readonly log: EventLog) {
    this.followed = new FollowedTopic(log, {
      topic: ERASURES,
      what: 'erasures',
      take: ({ value }) => {
        const message = erasureMessageIn(value);
        if (message?.kind === 'request') this.requests.set(message.id, message);
        else if (message?.kind === 'step') this.noted(message);
      },
    });
  }

  /** The topics must exist. */
  async start(): Promise<void> {
    this.rawPartitions = (await this.log.describeTopic(RAW_FEEDBACK)).partitions;
    this.followed.start();
    await this.followed.caughtUp;
  }

  async stop(): Promise<void> {
    await this.followed.close();
  }

  async readToTheEnd(): Promise<void> {
    await this.followed.readToTheEnd(PATIENCE_MS);
  }

  /** Durable when it resolves. */
  async tell(messages: readonly ErasureMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await this.log.append(
      ERASURES,
      messages.map((message) => ({ partition: 0, key: erasureKey(message), value: JSON.stringify(message) })),
    );
  }

  find(id: string): Known | undefined {
    const request = this.requests.get(id);
    return request === undefined ? undefined : { request, steps: this.steps.get(id) ?? new Map() };
  }

  /** Newest first. */
  of(project: string): readonly ErasureRequest[] {
    return [...this.requests.values()]
      .filter((request) => request.project === project)
      .toSorted((a, b) => b.requestedAtUs - a.requestedAtUs);
  }

  /** Those whose raw id is still needed. */
  open(): readonly ErasureRequest[] {
    return [...this.requests.values()].filter(({ sealed }) => sealed !== null);
  }

  isDone(id: string, store: ErasureStep['store']): boolean {
    return this.storeOf(id, store).state === 'done';
  }

  progressOf({ id, project, environment, unitType, requestedAtUs, by }: ErasureRequest): ErasureProgress {
    const stores = ERASURE_STORES.map((store) => this.storeOf(id, store));
    return {
      ...{ id, project, environment, unitType, by, requestedAt: formatInstant(requestedAtUs) },
      state: stores.every(({ state }) => state === 'done') ? 'done' : 'running',
      stores,
    };
  }

  private storeOf(id: string, store: ErasureStep['store']): ErasureStoreProgress {
    const done = [...(this.steps.get(id)?.values() ?? [])].filter((step) => step.store === store);
    const parts = done.map(({ part }) => part).toSorted();
    const isDone = this.partsOf(store).every((part) => parts.includes(part));
    const counts = done.flatMap(({ removed }) => (removed === null ? [] : [removed]));
    const last = done.length === 0 ? null : formatInstant(Math.max(...done.map(({ doneAtUs }) => doneAtUs)));
    return {
      store,
      state: isDone ? 'done' : 'waiting',
      doneAt: isDone ? last : null,
      removed: counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0),
      parts,
    };
  }

  private partsOf(store: ErasureStep['store']): readonly string[] {
    return store === 'raw-events' ? Array.from({ length: this.rawPartitions }, (_, partition) => String(partition)) : PARTS[store];
  }

  private noted(step: ErasureStep): void {
    const steps = this.steps.get(step.id) ?? new Map<string, ErasureStep>();
    this.steps.set(step.id, steps.set(`${step.store}/${step.part}`, step));
  }
}
