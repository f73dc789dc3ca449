import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { EventLog } from '@rampart/event-log';
import { EventStore } from '@rampart/event-store';
import { LOG, type Log, Readiness } from '@rampart/service-kit';
import { DecisionsPublisher } from './decisions.publisher.js';
import { DefinitionsPublisher } from './definitions.publisher.js';

@Module({
  providers: [
    {
      provide: DefinitionsPublisher,
      inject: [EventStore, EventLog, LOG],
      useFactory: (store: EventStore, eventLog: EventLog, log: Log) =>
        new DefinitionsPublisher(store, eventLog, (err) => log.warn({ err }, 'definitions are not published, it is tried again')),
    },
    {
      provide: DecisionsPublisher,
      inject: [EventStore, EventLog, LOG],
      useFactory: (store: EventStore, eventLog: EventLog, log: Log) =>
        new DecisionsPublisher(store, eventLog, (err) => log.warn({ err }, 'decisions are not published, it is tried again')),
    },
  ],
  exports: [DefinitionsPublisher, DecisionsPublisher],
})
export class PublishingModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(DefinitionsPublisher) private readonly definitions: DefinitionsPublisher,
    @Inject(DecisionsPublisher) private readonly decisions: DecisionsPublisher,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): void {
    this.definitions.follow();
    this.decisions.follow();
    this.readiness.add('definitions', () => this.definitions.trouble());
    this.readiness.add('decisions.v1', () => this.decisions.trouble());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.definitions.stop(), this.decisions.stop()]);
  }
}
