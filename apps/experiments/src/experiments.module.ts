/** The control plane: commands in, history kept, definitions out. */
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { EventLog } from '@rampart/event-log';
import { EventStore, type PostgresEventStore } from '@rampart/event-store';
import { AuditModule } from './audit/audit.module.js';
import { AuditLog } from './audit/audit-log.store.js';
import { BackupController } from './backup/backup.controller.js';
import { HistoryBackup } from './backup/history-backup.js';
import { CatalogueModule } from './catalogue/catalogue.module.js';
import { Catalogue } from './catalogue/catalogue.store.js';
import { CommandModule } from './command/command.module.js';
import { DecisionRecords } from './decisions/decision-records.store.js';
import { DecisionsModule } from './decisions/decisions.module.js';
import { ErasureModule } from './erasure/erasure.module.js';
import { EvidenceModule } from './evidence/evidence.module.js';
import type { ExperimentsConfig } from './experiments-config.js';
import { AdminController } from './http/admin.controller.js';
import { HoldoutsController, LayersController, OverridesController } from './http/allocation.controllers.js';
import { AnswerInterceptor } from './http/answer.interceptor.js';
import { DecisionsController } from './http/decisions.controller.js';
import { EnvironmentsController } from './http/environments.controller.js';
import { ExperimentsController } from './http/experiments.controller.js';
import { FeaturesController } from './http/features.controller.js';
import { KeysController } from './http/keys.controller.js';
import { MetricsController } from './http/metrics.controller.js';
import { ProjectsController } from './http/projects.controller.js';
import { ProjectRemoval } from './project-removal.js';
import { DecisionsPublisher } from './publishing/decisions.publisher.js';
import { DefinitionsPublisher } from './publishing/definitions.publisher.js';
import { PublishingModule } from './publishing/publishing.module.js';
import { Rebuilder } from './rebuilder.js';
import { RolloutModule } from './rollout/rollout.module.js';
import { isLogElsewhere, openCopy, StoresModule } from './stores.module.js';
import { StreamModule } from './stream/stream.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

@Module({})
export class ExperimentsModule {}

export const experimentsModule = (config: ExperimentsConfig): DynamicModule => ({
  module: ExperimentsModule,
  imports: [
    CqrsModule.forRoot(),
    StoresModule.of(config),
    AuditModule,
    CommandModule,
    CatalogueModule,
    DecisionsModule,
    ErasureModule.of(config.RAMPART_SECRET),
    EvidenceModule,
    PublishingModule,
    RolloutModule,
    StreamModule,
    WebhooksModule.of(config.RAMPART_WEBHOOK_ALLOW_PRIVATE),
  ],
  controllers: [
    ProjectsController,
    EnvironmentsController,
    KeysController,
    MetricsController,
    FeaturesController,
    LayersController,
    HoldoutsController,
    OverridesController,
    ExperimentsController,
    DecisionsController,
    AdminController,
    BackupController,
  ],
  providers: [
    ProjectRemoval,
    {
      provide: HistoryBackup,
      inject: [EventLog],
      useFactory: (log: EventLog) =>
        new HistoryBackup({
          url: config.RAMPART_DATABASE_URL,
          log,
          openCopy: isLogElsewhere(config) ? () => openCopy(config) : undefined,
          secret: config.RAMPART_SECRET,
        }),
    },
    { provide: APP_INTERCEPTOR, useClass: AnswerInterceptor },
    {
      provide: Rebuilder,
      inject: [EventStore, Catalogue, DefinitionsPublisher, DecisionRecords, DecisionsPublisher, AuditLog],
      useFactory: (
        store: PostgresEventStore,
        catalogue: Catalogue,
        definitions: DefinitionsPublisher,
        decisions: DecisionRecords,
        decisionsV1: DecisionsPublisher,
        audit: AuditLog,
      ) => new Rebuilder(store, { catalogue, definitions, decisions, 'decisions.v1': decisionsV1, audit }),
    },
  ],
});
