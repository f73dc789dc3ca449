import { Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { EventStore } from '@rampart/event-store';
import { ApiKeys, LOG, type Log, Readiness } from '@rampart/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { CommandModule } from '../command/command.module.js';
import { EvidenceModule } from '../evidence/evidence.module.js';
import { Catalogue } from './catalogue.store.js';
import { queryHandlers } from './catalogue-queries.js';
import { KnownApiKeys } from './known-api-keys.js';
import { Resources } from './resources.js';

@Module({
  imports: [CommandModule, EvidenceModule],
  providers: [
    {
      provide: Catalogue,
      inject: [EventStore, DataSource, LOG],
      useFactory: (store: EventStore<EntityManager>, dataSource: DataSource, log: Log) =>
        new Catalogue(store, dataSource, (err) => log.warn({ err }, 'the catalogue does not go on, it is tried again')),
    },
    { provide: ApiKeys, useClass: KnownApiKeys },
    Resources,
    ...queryHandlers,
  ],
  exports: [Catalogue, ApiKeys],
})
export class CatalogueModule implements OnApplicationBootstrap {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): void {
    this.catalogue.follow();
    this.readiness.add('catalogue', () => this.catalogue.trouble());
  }
}
