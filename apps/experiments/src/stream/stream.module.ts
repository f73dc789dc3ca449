import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { EventStore, type StoredEvent, type Tail } from '@rampart/event-store';
import { Readiness } from '@rampart/service-kit';
import { CommandModule } from '../command/command.module.js';
import { EvidenceModule } from '../evidence/evidence.module.js';
import { NewestLooks } from '../evidence/newest-looks.js';
import { partsOfStream } from '../streams.js';
import { LiveStream } from './live-stream.js';
import { StreamController } from './stream.controller.js';
import { noticeOfEvent, noticeOfLook } from './stream-notices.js';

const KEY = 'key/';
const PATIENCE_MS = 2_000;

/** What watchers are told: every process reads along for its own. */
@Module({ imports: [CommandModule, EvidenceModule], controllers: [StreamController], providers: [LiveStream], exports: [LiveStream] })
export class StreamModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private tail: Tail | undefined;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    private readonly looks: NewestLooks,
    private readonly live: LiveStream,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.tail = this.store.tail((stored) => this.take(stored));
    this.looks.onLook((look) => this.live.tell(noticeOfLook(look)));
    this.readiness.add('live stream', () => this.tail?.trouble());
    // Who watches before it reads along would miss what comes between; a database that is away is waited for elsewhere.
    await Promise.race([this.tail.ready, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.live.close();
    await this.tail?.close();
  }

  private take(stored: StoredEvent): void {
    const notice = noticeOfEvent(stored);
    if (notice !== undefined) this.live.tell(notice);
    if (!stored.stream.startsWith(KEY)) return;
    const { id } = partsOfStream(stored.stream);
    this.live.dismiss(({ keyId }) => keyId === id);
  }
}
