import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { ERASURES, type ErasureRequest, type ErasureStep, erasureKey, erasureMessageIn, topicSpecs } from '@rampart/contracts';
import { unitSeal } from '@rampart/contracts/pseudonyms';
import { EventLog, type Subscription } from '@rampart/event-log';
import { LOG, type Log, Readiness } from '@rampart/service-kit';
import { DataSource } from 'typeorm';
import { eraseTexts } from './erased-texts.store.js';

/** Its name is forever: the offsets hang on it. All processes together are one consumer. */
const GROUP = 'experiments-erasures';
const RETRY_MS = 500;
const SECRET = 'experiments:erasure-secret';

/** What the control plane does about an erased unit. */
@Module({})
export class ErasureModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private isStopped = false;
  private subscription: Subscription | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly dataSource: DataSource,
    @Inject(SECRET) private readonly platformSecret: string,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  static of(platformSecret: string): DynamicModule {
    return { module: ErasureModule, providers: [{ provide: SECRET, useValue: platformSecret }] };
  }

  onApplicationBootstrap(): void {
    this.readiness.note(
      'erasures',
      () => this.subscription?.stats().partitions.find(({ failing }) => failing !== undefined)?.failing?.error,
    );
    void this.begin();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.subscription?.close();
  }

  /** As soon as there is a log: commands are taken before. */
  private async begin(): Promise<void> {
    while (!this.isStopped) {
      try {
        for (const spec of topicSpecs(1)) if (spec.topic === ERASURES) await this.log.createTopic(spec);
        if (!this.isStopped) this.subscription = this.consume();
        return;
      } catch (err) {
        this.lines.warn({ err }, 'erasures are not read yet, it is tried again');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  private consume(): Subscription {
    const subscription = this.log.consume({
      topic: ERASURES,
      group: GROUP,
      onBatch: async ({ messages }) => {
        for (const { value } of messages) {
          const message = erasureMessageIn(value);
          if (message?.kind === 'request' && message.sealed !== null) await this.erase(message, message.sealed);
        }
      },
      onPoison: async ({ message, error }) =>
        this.lines.error({ err: error, offset: message.offset }, 'a message about an erasure is skipped'),
    });
    subscription.done.catch((err: unknown) => this.lines.fatal({ err }, 'erasures are no longer read'));
    return subscription;
  }

  private async erase({ id, project, unitType }: ErasureRequest, sealed: string): Promise<void> {
    const unitId = unitSeal(this.platformSecret).opened(sealed);
    const removed = await eraseTexts(this.dataSource, this.log, { project, unitType, unitId });
    const step: ErasureStep = { kind: 'step', id, store: 'control-plane', part: 'texts', doneAtUs: Date.now() * 1_000, removed };
    await this.log.append(ERASURES, [{ partition: 0, key: erasureKey(step), value: JSON.stringify(step) }]);
  }
}
