/**
 * Moves rollouts, in one process at a time: whoever holds the lock of its subscription. Woken by looks, by events and twice a second; what it does depends on
 * the state alone, so that a second one at the same moment, a late one or a new one after a crash do no harm.
 */
import type { CommandBus } from '@nestjs/cqrs';
import type { EventStore, StoredEvent, Subscriber, Subscription } from '@rampart/event-store';
import type { Log } from '@rampart/service-kit';
import type { Catalogue } from '../catalogue/catalogue.store.js';
import type { NewestLooks } from '../evidence/newest-looks.js';
import { partsOfStream, rolloutStream } from '../streams.js';
import type { RolloutPlace, RolloutReader } from './rollout.reader.js';
import { RolloutSteps } from './rollout-steps.js';

/** Names of subscriptions are forever. */
const ROLLOUTS = 'rollouts';
const TICK_MS = 500;
const PREFIX = 'rollout/';

export interface RolloutProcessParts {
  readonly store: EventStore;
  readonly catalogue: Catalogue;
  readonly looks: NewestLooks;
  readonly reader: RolloutReader;
  readonly commands: CommandBus;
  readonly log: Log;
  /** Default: half a second. Only what time alone brings about waits for it. */
  readonly tickMs?: number;
}

export class RolloutProcess {
  readonly subscriber: Subscriber<unknown>;
  private readonly steps: RolloutSteps;
  private subscription: Subscription | undefined;
  private running: Promise<void> | undefined;
  private isStopped = false;
  private wake: () => void = () => undefined;
  /** Rollouts that can still move, by stream; undefined: not known yet, or no more. */
  private watched: Map<string, RolloutPlace> | undefined;
  /** Where each rollout stood when it was last looked at; of this process's turn. */
  private readonly statuses = new Map<string, string>();
  /** Streams to be looked at before all others. */
  private readonly urgent = new Set<string>();
  private failure: string | undefined;
  private isWoken = false;
  /** What was said already: once, not at every tick. */
  private readonly told = new Map<string, string>();

  constructor(private readonly parts: RolloutProcessParts) {
    this.steps = new RolloutSteps(parts.reader, parts.commands);
    this.subscriber = {
      name: ROLLOUTS,
      handle: async (events) => this.note(events),
      // It keeps nothing: all is read anew at each step.
      reset: async () => undefined,
      onTrouble: (err) => parts.log.warn({ err }, 'rollouts are not told what happens, it is tried again'),
    };
    parts.looks.onLook(() => this.wake());
  }

  follow(): void {
    this.subscription = this.parts.store.subscribe(this.subscriber);
    this.running = this.run();
  }

  trouble(): string | undefined {
    return this.subscription?.trouble() ?? this.failure;
  }

  /** @returns how many rollouts have each status; empty while another process moves them */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const status of this.statuses.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    return counts;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    await this.running;
    await this.subscription?.close();
  }

  private note(events: readonly StoredEvent[]): void {
    for (const { stream } of events) {
      if (!stream.startsWith(PREFIX)) continue;
      const { project, id } = partsOfStream(stream);
      this.watched?.set(stream, { project: project ?? '', rollout: id });
      this.urgent.add(stream);
    }
    this.wake();
  }

  private handOver(): void {
    this.watched = undefined;
    this.statuses.clear();
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      // Here, and not in the round: who has no turn must rest too.
      this.isWoken = false;
      try {
        this.failure = undefined;
        if (this.subscription?.isOwner() === true) await this.round();
        else this.handOver();
      } catch (err) {
        this.failure = err instanceof Error ? err.message : String(err);
        this.watched = undefined;
        this.parts.log.warn({ err }, 'rollouts do not move, it is tried again');
      }
      await this.rest();
    }
  }

  /** Those that something was said about first; what comes meanwhile waits for the next round at most. */
  private async round(): Promise<void> {
    const watched = this.watched ?? (await this.everyRollout());
    this.watched = watched;
    const first = [...this.urgent].filter((stream) => watched.has(stream));
    this.urgent.clear();
    for (const stream of new Set([...first, ...watched.keys()])) {
      const place = watched.get(stream);
      if (this.isStopped || place === undefined) continue;
      await this.step(stream, place, watched);
    }
  }

  /** What one can't do must not keep the others from moving. */
  private async step(stream: string, place: RolloutPlace, watched: Map<string, RolloutPlace>): Promise<void> {
    try {
      const { isSettled, status, obstacle } = await this.steps.take(place);
      if (status === 'absent') this.statuses.delete(stream);
      else this.statuses.set(stream, status);
      if (isSettled && !this.urgent.has(stream)) watched.delete(stream);
      if (obstacle !== null) this.tell(place, obstacle);
    } catch (err) {
      this.failure = err instanceof Error ? err.message : String(err);
      this.parts.log.warn({ err, ...place }, 'a rollout does not move, it is tried again');
    }
  }

  private tell(place: RolloutPlace, obstacle: string): void {
    const stream = rolloutStream(place.project, place.rollout);
    if (this.told.get(stream) === obstacle) return;
    this.told.set(stream, obstacle);
    this.parts.log.warn({ ...place }, obstacle);
  }

  private async everyRollout(): Promise<Map<string, RolloutPlace>> {
    const streams = await this.parts.catalogue.streams('rollout');
    return new Map(
      [...streams, ...this.urgent].map((stream) => {
        const { project, id } = partsOfStream(stream);
        return [stream, { project: project ?? '', rollout: id }];
      }),
    );
  }

  private rest(): Promise<void> {
    if (this.isStopped || this.isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.parts.tickMs ?? TICK_MS);
      this.wake = () => {
        this.isWoken = true;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
