import { Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { EventStore } from '@rampart/event-store';
import { LOG, type Log, Readiness } from '@rampart/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { decisionQueryHandlers } from './decision-queries.js';
import { DecisionRecords } from './decision-records.store.js';

@Module({
  providers: [
    {
      provide: DecisionRecords,
      inject: [EventStore, DataSource, LOG],
      useFactory: (store: EventStore<EntityManager>, dataSource: DataSource, log: Log) =>
        new DecisionRecords(store, dataSource, (err) => log.warn({ err }, 'the list of decisions does not go on, it is tried again')),
    },
    ...decisionQueryHandlers,
  ],
  exports: [DecisionRecords],
})
export class DecisionsModule implements OnApplicationBootstrap {
  constructor(
    @Inject(DecisionRecords) private readonly records: DecisionRecords,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): void {
    this.records.follow();
    this.readiness.add('decisions', () => this.records.trouble());
  }
}
