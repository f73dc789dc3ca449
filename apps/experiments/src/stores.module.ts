/** The event store, the event log and the database behind them: opened first, closed last. */
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DEFINITIONS } from '@rampart/contracts';
import { EventLog, type LogCopy } from '@rampart/event-log';
import { openEventLog, openLogCopy } from '@rampart/event-log/configured';
import { connectControlDatabase, EventStore, PostgresEventStore } from '@rampart/event-store';
import { Diagnostics, kafkaSecurityOf, Metrics, meterLog, Readiness } from '@rampart/service-kit';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { auditMigrations } from './audit/postgres-audit-tables.js';
import { catalogueEntity } from './catalogue/catalogue.entities.js';
import { catalogueMigrations } from './catalogue/postgres-catalogue-tables.js';
import { AnswerSeal } from './command/answer-seal.js';
import { KEPT_ROWS_DAYS } from './command/surroundings.js';
import { decisionEntity } from './decisions/decision-records.entities.js';
import { decisionMigrations } from './decisions/postgres-decision-tables.js';
import type { ExperimentsConfig, storesConfig } from './experiments-config.js';
import { KEEP_MESSAGES_DAYS } from './stored-messages.js';
import { webhookMigrations } from './webhooks/postgres-webhook-tables.js';

/** The log is on Kafka where brokers are named, in the same database without them. */
export const openStores = async (config: z.infer<typeof storesConfig>) => {
  const { RAMPART_DATABASE_URL: url, KAFKA_BROKERS: kafkaBrokers } = config;
  const kafkaSecurity = kafkaSecurityOf(config);
  const dataSource = await connectControlDatabase({
    url,
    entities: [catalogueEntity, decisionEntity],
    migrations: [...catalogueMigrations, ...decisionMigrations, ...webhookMigrations, ...auditMigrations],
  });
  const log = await openEventLog({ databaseUrl: url, kafkaBrokers, kafkaSecurity, clientId: 'experiments' });
  return { dataSource, store: new PostgresEventStore(dataSource, url), log };
};

/** Whether the log is on Kafka, and not in the same database. */
export const isLogElsewhere = ({ KAFKA_BROKERS }: Pick<z.infer<typeof storesConfig>, 'KAFKA_BROKERS'>): boolean =>
  KAFKA_BROKERS !== undefined && KAFKA_BROKERS.length > 0;

/** Of a log on Kafka, to be kept elsewhere or brought back. */
export const openCopy = (config: z.infer<typeof storesConfig>): Promise<LogCopy | undefined> =>
  openLogCopy({ kafkaBrokers: config.KAFKA_BROKERS, kafkaSecurity: kafkaSecurityOf(config) });

type Stores = Awaited<ReturnType<typeof openStores>>;

export const closeStores = async ({ dataSource, store, log }: Stores): Promise<void> => {
  await store.close();
  await log.close();
  await dataSource.destroy();
};

const STORES = 'experiments:stores';

@Module({})
export class StoresModule implements OnApplicationShutdown {
  constructor(
    @Inject(STORES) private readonly stores: Stores,
    @Inject(Readiness) readiness: Readiness,
    @Inject(Metrics) metrics: Metrics,
    @Inject(Diagnostics) diagnostics: Diagnostics,
  ) {
    meterLog(metrics, stores.log);
    diagnostics.addEngine('postgresql', async () => {
      const [row] = await stores.dataSource.query(
        `select current_setting('server_version') as version, (extract(epoch from clock_timestamp()) * 1e6)::bigint::text as now_us`,
      );
      return [{ version: row.version, nowUs: Number(row.now_us) }];
    });
    readiness.add('event store', async () => void (await stores.store.readStream('project/default')));
  }

  static of(config: ExperimentsConfig): DynamicModule {
    return {
      module: StoresModule,
      global: true,
      providers: [
        {
          provide: STORES,
          inject: [Diagnostics],
          useFactory: async (diagnostics: Diagnostics) => {
            const stores = await openStores(config);
            diagnostics.addKafka(config.KAFKA_BROKERS, () => stores.log.offsets(DEFINITIONS));
            return stores;
          },
        },
        { provide: DataSource, inject: [STORES], useFactory: ({ dataSource }: Stores) => dataSource },
        { provide: EventStore, inject: [STORES], useFactory: ({ store }: Stores) => store },
        { provide: EventLog, inject: [STORES], useFactory: ({ log }: Stores) => log },
        { provide: KEEP_MESSAGES_DAYS, useValue: config.RAMPART_KEEP_MESSAGES_DAYS },
        { provide: KEPT_ROWS_DAYS, useValue: config.RAMPART_KEEP_ROWS_DAYS ?? null },
        { provide: AnswerSeal, useFactory: () => new AnswerSeal(config.RAMPART_SECRET) },
      ],
      exports: [DataSource, EventStore, EventLog, AnswerSeal, KEEP_MESSAGES_DAYS, KEPT_ROWS_DAYS],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await closeStores(this.stores);
  }
}
