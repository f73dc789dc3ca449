/** Analysis on one screen: log → store, and from the store to results and views. */
import { type DynamicModule, Module } from '@nestjs/common';
import { DEFINITIONS } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { openEventLog } from '@rampart/event-log/configured';
import {
  ClickhouseFeedbackBackup,
  ClickhouseFeedbackStore,
  ClickhouseFeedbackViews,
  ClickhouseRowCheck,
  FeedbackStore,
  FeedbackViews,
} from '@rampart/feedback-store';
import { ApiKeys, Diagnostics, kafkaSecurityOf } from '@rampart/service-kit';
import { type AnalysisConfig, storeOptions } from './config.js';
import { Definitions } from './definitions/definition-in-force.js';
import { DefinitionsLink, LinkedDefinitions, LinkedKeys } from './definitions/definitions-link.js';
import { ErasureConsumer } from './feedback/erasure.consumer.js';
import { FeedbackConsumer } from './feedback/feedback.consumer.js';
import { HELD_BYTES } from './feedback/held-bytes.js';
import { IntakeController } from './feedback/intake.controller.js';
import { Intake, PARTITIONS } from './feedback/intake.service.js';
import { IntakeFigures } from './feedback/intake-figures.js';
import { StoreBackup } from './feedback/store-backup.js';
import { StoreMending } from './feedback/store-mending.js';
import { StoreRebuild } from './feedback/store-rebuild.js';
import { StoredEvidence } from './feedback/stored-evidence.js';
import { TracedRows } from './feedback/traced-rows.js';
import { Watermark } from './feedback/watermark.js';
import { FreshnessController } from './freshness/freshness.controller.js';
import { FreshnessService } from './freshness/freshness.service.js';
import { FreshnessGauges } from './freshness/freshness-gauges.js';
import { IngestViewsController, PLATFORM_SECRET } from './ingest-views/ingest-views.controller.js';
import { ViewConsumers } from './ingest-views/view.consumers.js';
import { KEEPING_TIMES, Keeping, type KeepingTimes } from './keeping/keeping.service.js';
import { DecisionLog } from './looks/decision-log.js';
import { DecisionsController } from './looks/decisions.controller.js';
import { LookFigures } from './looks/look-figures.js';
import { LOOK_EVERY_MS, LookLoop } from './looks/look-loop.js';
import { LookRound } from './looks/look-round.js';
import { Proposals } from './looks/proposals.js';
import { RecordedCrossings } from './looks/recorded-crossings.js';
import { ReplayService } from './looks/replay.service.js';
import { RowCheck, RowChecks } from './looks/row-check.service.js';
import { WatchedComparisons } from './looks/watched-comparisons.js';
import { PlanDesk } from './planning/plan-desk.js';
import { PlansController } from './planning/plans.controller.js';
import { Crossings } from './results/crossings.source.js';
import { Evidence } from './results/evidence.source.js';
import { MetricPreviewController } from './results/metric-preview.controller.js';
import { ResultsController } from './results/results.controller.js';
import { ResultsService } from './results/results.service.js';
import { TimeseriesController } from './timeseries/timeseries.controller.js';
import { TimeseriesService } from './timeseries/timeseries.service.js';

@Module({})
class AnalysisModule {}

export const analysisModule = (config: AnalysisConfig): DynamicModule => ({
  module: AnalysisModule,
  controllers: [
    ResultsController,
    TimeseriesController,
    DecisionsController,
    FreshnessController,
    MetricPreviewController,
    PlansController,
    IngestViewsController,
    IntakeController,
  ],
  providers: [
    { provide: LOOK_EVERY_MS, useValue: config.RAMPART_LOOK_INTERVAL_MS },
    { provide: PARTITIONS, useValue: config.RAMPART_LOG_PARTITIONS },
    { provide: HELD_BYTES, useValue: config.RAMPART_FEEDBACK_HELD_BYTES },
    {
      provide: KEEPING_TIMES,
      useValue: {
        rows: config.RAMPART_KEEP_ROWS_DAYS,
        log: config.RAMPART_KEEP_LOG_DAYS,
        counts: config.RAMPART_KEEP_COUNTS_DAYS,
        letters: config.RAMPART_KEEP_DEAD_LETTERS_DAYS,
      } satisfies KeepingTimes,
    },
    { provide: PLATFORM_SECRET, useValue: config.RAMPART_SECRET },
    {
      provide: EventLog,
      inject: [Diagnostics],
      useFactory: async (diagnostics: Diagnostics) => {
        const log = await openEventLog({
          databaseUrl: config.RAMPART_DATABASE_URL,
          kafkaBrokers: config.KAFKA_BROKERS,
          kafkaSecurity: kafkaSecurityOf(config),
          clientId: 'analysis',
        });
        diagnostics.addKafka(config.KAFKA_BROKERS, () => log.offsets(DEFINITIONS));
        return log;
      },
    },
    {
      provide: FeedbackStore,
      inject: [Diagnostics],
      useFactory: (diagnostics: Diagnostics) => {
        const store = new ClickhouseFeedbackStore(storeOptions(config));
        diagnostics.addEngine('clickhouse', () => store.servers());
        return store;
      },
    },
    { provide: ClickhouseFeedbackBackup, useFactory: () => new ClickhouseFeedbackBackup(storeOptions(config)) },
    {
      provide: RowChecks,
      useValue: {
        of: (query) => new ClickhouseRowCheck(storeOptions(config), query, (beside) => new ClickhouseFeedbackStore(beside)),
      } satisfies RowChecks,
    },
    { provide: FeedbackViews, useFactory: () => new ClickhouseFeedbackViews(storeOptions(config)) },
    { provide: ApiKeys, useClass: LinkedKeys },
    { provide: Definitions, useClass: LinkedDefinitions },
    { provide: Evidence, useClass: StoredEvidence },
    { provide: Crossings, useClass: RecordedCrossings },
    DecisionLog,
    DefinitionsLink,
    ErasureConsumer,
    FeedbackConsumer,
    FreshnessGauges,
    FreshnessService,
    Intake,
    IntakeFigures,
    Keeping,
    LookFigures,
    LookLoop,
    LookRound,
    PlanDesk,
    Proposals,
    ReplayService,
    ResultsService,
    RowCheck,
    StoreBackup,
    StoreMending,
    StoreRebuild,
    TimeseriesService,
    TracedRows,
    ViewConsumers,
    WatchedComparisons,
    Watermark,
  ],
});
