/** The event store in memory, for specs: same promises, gone with the process. */
import {
  type AppendRequest,
  EventStore,
  EventStoreUnavailable,
  type RecordedRequest,
  RequestRecorded,
  type StoredEvent,
  type Subscriber,
  type Subscription,
  type Tail,
} from './event-store.js';
import { revisionMismatch } from './revision-mismatch.js';

const BATCH = 500;

export class MemoryEventStore extends EventStore<undefined> {
  private readonly events: StoredEvent[] = [];
  private readonly requests = new Map<string, RecordedRequest>();
  private readonly checkpoints = new Map<string, number>();
  private readonly followers = new Set<MemorySubscription>();
  private readonly tails = new Set<(event: StoredEvent) => void>();
  /** By name: one batch at a time, whoever follows. */
  private readonly turns = new Map<string, Promise<unknown>>();

  async append({ stream, expectedVersion, events, origin, request }: AppendRequest): Promise<number> {
    const key = request && JSON.stringify([request.scope, request.key]);
    if (key !== undefined && this.requests.has(key)) throw new RequestRecorded(`a request is recorded under ${key}`);
    const { length: version } = this.events.filter((stored) => stored.stream === stream);
    if (version !== expectedVersion) throw revisionMismatch(stream, expectedVersion, version);
    if (key !== undefined && request !== undefined) this.requests.set(key, request);
    events.forEach((event, index) => {
      this.events.push({ ...origin, position: this.events.length + 1, stream, version: version + index + 1, event });
    });
    for (const follower of this.followers) follower.wake();
    for (const stored of this.events.slice(this.events.length - events.length)) for (const tell of this.tails) tell(stored);
    return version + events.length;
  }

  async readStream(stream: string, afterVersion = 0): Promise<readonly StoredEvent[]> {
    return this.events.filter((stored) => stored.stream === stream && stored.version > afterVersion);
  }

  async readAll(afterPosition: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.events.slice(afterPosition, afterPosition + limit);
  }

  async recordedRequest(scope: string, key: string): Promise<RecordedRequest | undefined> {
    return this.requests.get(JSON.stringify([scope, key]));
  }

  subscribe(subscriber: Subscriber<undefined>): Subscription {
    const follower = new MemorySubscription(
      subscriber,
      () => this.handleNext(subscriber),
      () => this.events.length,
    );
    this.followers.add(follower);
    return follower;
  }

  tail(tell: (event: StoredEvent) => void): Tail {
    this.tails.add(tell);
    return { ready: Promise.resolve(), trouble: () => undefined, close: async () => void this.tails.delete(tell) };
  }

  async rebuild(subscriber: Subscriber<undefined>): Promise<number> {
    await subscriber.reset(undefined);
    this.checkpoints.set(subscriber.name, 0);
    while ((await this.handleNext(subscriber)) < this.events.length);
    return this.events.length;
  }

  async close(): Promise<void> {
    await Promise.all([...this.followers].map((follower) => follower.close()));
  }

  /** @returns the checkpoint afterwards */
  private handleNext(subscriber: Subscriber<undefined>): Promise<number> {
    const before = this.turns.get(subscriber.name) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.handleBatch(subscriber));
    this.turns.set(subscriber.name, turn);
    return turn;
  }

  private async handleBatch(subscriber: Subscriber<undefined>): Promise<number> {
    const checkpoint = this.checkpoints.get(subscriber.name) ?? 0;
    const events = this.events.slice(checkpoint, checkpoint + BATCH);
    if (events.length > 0) await subscriber.handle(events, undefined);
    this.checkpoints.set(subscriber.name, checkpoint + events.length);
    return checkpoint + events.length;
  }
}

class MemorySubscription implements Subscription {
  private working: Promise<void> | undefined;
  private isClosed = false;
  private lastError: string | undefined;
  private checkpoint = 0;

  constructor(
    private readonly subscriber: Subscriber<undefined>,
    private readonly handleNext: () => Promise<number>,
    private readonly end: () => number,
  ) {
    this.wake();
  }

  wake(): void {
    this.working ??= this.work().finally(() => {
      this.working = undefined;
      // Between the last look and here something may have come.
      if (!this.isClosed && this.checkpoint < this.end()) this.wake();
    });
  }

  trouble(): string | undefined {
    return this.lastError;
  }

  isOwner(): boolean {
    return !this.isClosed;
  }

  async caughtUp(withinMs = 5_000): Promise<void> {
    const target = this.end();
    const deadline = performance.now() + withinMs;
    while (this.checkpoint < target) {
      if (performance.now() > deadline) throw new EventStoreUnavailable(`did not catch up with ${target}: ${this.lastError ?? 'busy'}`);
      this.wake();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.isClosed && this.checkpoint < this.end()) {
      try {
        this.checkpoint = await this.handleNext();
        this.lastError = undefined;
      } catch (error) {
        this.lastError = error instanceof Error ? error.message : String(error);
        this.subscriber.onTrouble?.(error);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }
}
