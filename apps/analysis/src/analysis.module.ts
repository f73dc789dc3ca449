/** Analysis on one screen: log → store, and from the store to results and views. */
import { type DynamicModule, Module } from '@nestjs/common';
import { EventLog } from '@rampart/event-log';
import { openEventLog } from '@rampart/event-log/configured';
import { ClickhouseFeedbackStore, ClickhouseFeedbackViews, FeedbackStore, FeedbackViews } from '@rampart/feedback-store';
import { ApiKeys } from '@rampart/service-kit';
import { type AnalysisConfig, storeOptions } from './config.js';
import { Definitions } from './definitions/definition-in-force.js';
import { DefinitionsLink, LinkedDefinitions, LinkedKeys } from './definitions/definitions-link.js';
import { FeedbackConsumer } from './feedback/feedback.consumer.js';
import { IntakeController } from './feedback/intake.controller.js';
import { Intake, PARTITIONS } from './feedback/intake.service.js';
import { IntakeFigures } from './feedback/intake-figures.js';
import { StoredEvidence } from './feedback/stored-evidence.js';
import { Watermark } from './feedback/watermark.js';
import { IngestViewsController, PLATFORM_SECRET } from './ingest-views/ingest-views.controller.js';
import { ViewConsumers } from './ingest-views/view.consumers.js';
import { Evidence } from './results/evidence.source.js';
import { MetricPreviewController } from './results/metric-preview.controller.js';
import { ResultsController } from './results/results.controller.js';
import { ResultsService } from './results/results.service.js';

@Module({})
class AnalysisModule {}

export const analysisModule = (config: AnalysisConfig): DynamicModule => ({
  module: AnalysisModule,
  controllers: [ResultsController, MetricPreviewController, IngestViewsController, IntakeController],
  providers: [
    { provide: PARTITIONS, useValue: config.RAMPART_LOG_PARTITIONS },
    { provide: PLATFORM_SECRET, useValue: config.RAMPART_SECRET },
    {
      provide: EventLog,
      useFactory: () =>
        openEventLog({ databaseUrl: config.RAMPART_DATABASE_URL, kafkaBrokers: config.KAFKA_BROKERS, clientId: 'analysis' }),
    },
    { provide: FeedbackStore, useFactory: () => new ClickhouseFeedbackStore(storeOptions(config)) },
    { provide: FeedbackViews, useFactory: () => new ClickhouseFeedbackViews(storeOptions(config)) },
    { provide: ApiKeys, useClass: LinkedKeys },
    { provide: Definitions, useClass: LinkedDefinitions },
    { provide: Evidence, useClass: StoredEvidence },
    DefinitionsLink,
    FeedbackConsumer,
    Intake,
    IntakeFigures,
    ResultsService,
    ViewConsumers,
    Watermark,
  ],
});
