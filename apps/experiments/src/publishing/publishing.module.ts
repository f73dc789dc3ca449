import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { EventLog } from '@rampart/event-log';
import { EventStore } from '@rampart/event-store';
import { LOG, type Log, Readiness } from '@rampart/service-kit';
import { DefinitionsPublisher } from './definitions.publisher.js';

@Module({
  providers: [
    {
      provide: DefinitionsPublisher,
      inject: [EventStore, EventLog, LOG],
      useFactory: (store: EventStore, eventLog: EventLog, log: Log) =>
        new DefinitionsPublisher(store, eventLog, (err) => log.warn({ err }, 'definitions are not published, it is tried again')),
    },
  ],
  exports: [DefinitionsPublisher],
})
export class PublishingModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(DefinitionsPublisher) private readonly publisher: DefinitionsPublisher,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): void {
    this.publisher.follow();
    this.readiness.add('definitions', () => this.publisher.trouble());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.publisher.stop();
  }
}
