/** Assignment on one screen: definitions → rulesets → doors → exposures → spool → log. */
import { type DynamicModule, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DEFINITIONS } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { openEventLog } from '@rampart/event-log/configured';
import { Pseudonyms } from '@rampart/feedback-rows';
import { ApiKeys, Diagnostics, kafkaSecurityOf, LOG, type Log } from '@rampart/service-kit';
import { Browsers } from './doors/browsers.js';
import { EvaluateController } from './doors/evaluate.controller.js';
import { EvaluationQuotas } from './doors/evaluation-quotas.js';
import { EvaluationScopes, FedKeys } from './doors/evaluation-scopes.js';
import { OfrepController } from './doors/ofrep.controller.js';
import { SdkPayloadController } from './doors/sdk-payload.controller.js';
import { Exposures } from './evaluation/exposures.js';
import { ExposureSpool } from './exposures/exposure-spool.js';
import { SpooledExposures } from './exposures/spooled.exposures.js';
import { DefinitionsFeed } from './ruleset/definitions.feed.js';
import { KeptDefinitions } from './ruleset/kept-definitions.js';
import type { AssignmentConfig } from './running/assignment-config.js';
import { LogLink, PARTITIONS } from './running/log-link.js';

/** What is under way to the log; what waits for it lies on the disk. */
const MOST_QUEUED_BYTES = 8 * 1024 * 1024;

@Module({})
class AssignmentModule {}

export const assignmentModule = (config: AssignmentConfig): DynamicModule => ({
  module: AssignmentModule,
  controllers: [OfrepController, EvaluateController, SdkPayloadController],
  providers: [
    { provide: PARTITIONS, useValue: config.RAMPART_LOG_PARTITIONS },
    {
      provide: EventLog,
      inject: [Diagnostics],
      useFactory: async (diagnostics: Diagnostics) => {
        const log = await openEventLog({
          databaseUrl: config.RAMPART_DATABASE_URL,
          kafkaBrokers: config.KAFKA_BROKERS,
          kafkaSecurity: kafkaSecurityOf(config),
          clientId: 'assignment',
          maxQueuedBytes: MOST_QUEUED_BYTES,
        });
        diagnostics.addKafka(config.KAFKA_BROKERS, () => log.offsets(DEFINITIONS));
        return log;
      },
    },
    {
      provide: ExposureSpool,
      inject: [Diagnostics],
      useFactory: (diagnostics: Diagnostics) => {
        diagnostics.addFolder('the spool of exposures', config.RAMPART_ASSIGNMENT_FOLDER);
        return new ExposureSpool({ folder: config.RAMPART_ASSIGNMENT_FOLDER, mostRows: config.RAMPART_SPOOL_ROWS });
      },
    },
    {
      provide: DefinitionsFeed,
      inject: [ExposureSpool, LOG],
      useFactory: (spool: ExposureSpool, lines: Log) =>
        new DefinitionsFeed(new KeptDefinitions(spool.environment, config.RAMPART_SECRET, spool.room), {
          staleAfterMs: config.RAMPART_STALE_AFTER_SECONDS * 1_000,
          onTrouble: (error, what) => lines.error({ err: error }, what),
        }),
    },
    { provide: Pseudonyms, useFactory: () => new Pseudonyms(config.RAMPART_SECRET) },
    {
      provide: Browsers,
      inject: [HttpAdapterHost],
      useFactory: (host: HttpAdapterHost) => new Browsers(host, config.RAMPART_CORS_ORIGINS),
    },
    { provide: EvaluationQuotas, useFactory: () => new EvaluationQuotas(config.RAMPART_QUOTA_EVENTS_PER_SECOND) },
    { provide: ApiKeys, useClass: FedKeys },
    SpooledExposures,
    { provide: Exposures, useExisting: SpooledExposures },
    EvaluationScopes,
    LogLink,
  ],
});
