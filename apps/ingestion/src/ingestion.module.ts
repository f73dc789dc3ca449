/** Ingestion on one screen: doors → intake → log. */
import { type DynamicModule, Module } from '@nestjs/common';
import { DEFINITIONS } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { openEventLog } from '@rampart/event-log/configured';
import { Pseudonyms } from '@rampart/feedback-rows';
import { ApiKeys, Diagnostics, kafkaSecurityOf } from '@rampart/service-kit';
import { DeadLettersController } from './doors/dead-letters.controller.js';
import { EventsController } from './doors/events.controller.js';
import { IntakeScopes } from './doors/intake-scopes.js';
import { ReplicaKeys } from './doors/replica-keys.js';
import { ErasureWork, PLATFORM_SECRET } from './erasure/erasure-work.js';
import { Erasures } from './erasure/erasures.js';
import { UnitsController } from './erasure/units.controller.js';
import { RawConsumer } from './raw/raw.consumer.js';
import { RawKeys } from './raw/raw-keys.js';
import { IngestCounters } from './running/ingest-counters.js';
import type { IngestionConfig } from './running/ingestion-config.js';
import { Intake } from './running/intake.service.js';
import { LogLink, PARTITIONS } from './running/log-link.js';
import { DEFAULT_RATE, Quotas } from './running/quotas.js';

@Module({})
class IngestionModule {}

export const ingestionModule = (config: IngestionConfig): DynamicModule => ({
  module: IngestionModule,
  controllers: [EventsController, DeadLettersController, UnitsController],
  providers: [
    { provide: PARTITIONS, useValue: config.RAMPART_LOG_PARTITIONS },
    { provide: DEFAULT_RATE, useValue: config.RAMPART_QUOTA_EVENTS_PER_SECOND },
    {
      provide: EventLog,
      inject: [Diagnostics],
      useFactory: async (diagnostics: Diagnostics) => {
        const log = await openEventLog({
          databaseUrl: config.RAMPART_DATABASE_URL,
          kafkaBrokers: config.KAFKA_BROKERS,
          kafkaSecurity: kafkaSecurityOf(config),
          clientId: 'ingestion',
          maxQueuedBytes: config.RAMPART_QUEUED_BYTES,
        });
        diagnostics.addKafka(config.KAFKA_BROKERS, () => log.offsets(DEFINITIONS));
        return log;
      },
    },
    { provide: Pseudonyms, useFactory: () => new Pseudonyms(config.RAMPART_SECRET) },
    { provide: ApiKeys, useClass: ReplicaKeys },
    { provide: PLATFORM_SECRET, useValue: config.RAMPART_SECRET },
    Erasures,
    ErasureWork,
    LogLink,
    IngestCounters,
    Intake,
    IntakeScopes,
    Quotas,
    RawKeys,
    RawConsumer,
  ],
});
