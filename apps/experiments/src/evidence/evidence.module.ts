import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DEAD_LETTERS, DECISIONS, LOOKS, RECORD_PROPOSALS, topicSpecs } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { LOG, type Log, Readiness } from '@rampart/service-kit';
import { NewestLooks } from './newest-looks.js';
import { RecordProposalsConsumer } from './record-proposals.consumer.js';

const TOPICS = new Set([LOOKS, RECORD_PROPOSALS, DECISIONS, DEAD_LETTERS]);
const RETRY_MS = 500;

/** What comes from analysis through the log. */
@Module({ providers: [NewestLooks, RecordProposalsConsumer], exports: [NewestLooks] })
export class EvidenceModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private isStopped = false;

  constructor(
    private readonly log: EventLog,
    private readonly looks: NewestLooks,
    private readonly proposals: RecordProposalsConsumer,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.readiness.add('looks', () => this.looks.trouble());
    this.readiness.add('record proposals', () => this.proposals.trouble());
    void this.begin();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await Promise.all([this.looks.stop(), this.proposals.stop()]);
  }

  /** As soon as there is a log: commands are taken before. */
  private async begin(): Promise<void> {
    while (!this.isStopped) {
      try {
        const specs = topicSpecs(1).filter(({ topic }) => TOPICS.has(topic));
        await Promise.all(specs.map((spec) => this.log.createTopic(spec)));
        if (this.isStopped) return;
        this.looks.start();
        this.proposals.start();
        return;
      } catch (err) {
        this.lines.warn({ err }, 'looks and proposed records are not read yet, it is tried again');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
