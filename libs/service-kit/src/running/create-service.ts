/** A service of the platform, built but not listening: what runService starts and what specs drive. */
import { type DynamicModule, Module, type ModuleMetadata, type OnApplicationShutdown, type Type } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessGuard } from '../access/access.guard.js';
import { AccessJournal } from '../access/access-journal.js';
import { AdminKey } from '../access/admin-key.js';
import { noteRequests } from '../access/audited-requests.js';
import { requireScopes } from '../access/declared-scopes.js';
import { type ApiDescription, serveDocs } from '../http/api-docs.js';
import { parseBodies } from '../http/body-parsing.js';
import { answerUnroutable, ProblemFilter } from '../http/problem.filter.js';
import { secureAnswers } from '../http/security-headers.js';
import { schemaValidation } from '../http/validation.js';
import { Diagnostics, DiagnosticsController } from '../observability/diagnostics.js';
import { createLog, type Log, logRequests, nestLogger } from '../observability/log.js';
import { Metrics } from '../observability/metrics.js';
import { openTracing } from '../observability/open-tracing.js';
import { ProbesController } from '../observability/probes.controller.js';
import { Readiness } from '../observability/readiness.js';
import { followRequests, requestIdOf } from '../observability/request-context.js';
import { Tracing } from '../observability/tracing.js';
import type { ServiceConfig } from './service-config.js';

const DEFAULT_BODY_LIMIT = 1024 * 1024;
/** Until a request has arrived whole; answers may take longer, and streams do. */
const LONGEST_REQUEST_MS = 120_000;
/** A unit's id has 500 characters at most, and percent-encoded up to nine for each. */
const LONGEST_PARAMETER = 4_500;

export interface ServiceDescription<Config extends ServiceConfig> {
  /** As it appears in logs and metrics: `ingestion`. */
  readonly name: string;
  readonly api: ApiDescription;
  /** The service's module, made from its configuration. */
  readonly module: (config: Config) => Type | DynamicModule;
  /** Largest body in bytes, after unpacking; default 1 MiB. */
  readonly bodyLimit?: number;
  /** Code of a DomainError → HTTP status, where it is not 409 (nor 404 for `…-not-found`). */
  readonly statuses?: Readonly<Record<string, number>>;
}

/** The token of the log in Nest: `@Inject(LOG) log: Log`. */
export const LOG = 'rampart:log';

/** Sends the last spans when everything else has ended. */
@Module({})
class Kit implements OnApplicationShutdown {
  constructor(private readonly tracing: Tracing) {}

  async onApplicationShutdown(): Promise<void> {
    await this.tracing.close();
  }
}

const kitOf = (providers: NonNullable<ModuleMetadata['providers']>): DynamicModule => ({
  module: Kit,
  global: true,
  controllers: [ProbesController, DiagnosticsController],
  providers,
  exports: [LOG, Metrics, Readiness, AdminKey, AccessJournal, Diagnostics, Tracing],
});

/** Routes have no schemas of Fastify's: pipes check what comes in. Its compilers would cost each start a fifth of its time, a restart's above all. */
const noCompiler = () => () => {
  throw new Error('A route has a schema of Fastify’s; bodies, queries and params are checked by pipes: @Body({ schema }).');
};
const withoutCompilers = { buildValidator: noCompiler, buildSerializer: noCompiler };

@Module({})
class Service {}

export const createService = async <Config extends ServiceConfig>(
  description: ServiceDescription<Config>,
  config: Config,
  { log = createLog(description.name, config.RAMPART_LOG_LEVEL), withDocsPage = false }: { log?: Log; withDocsPage?: boolean } = {},
): Promise<NestFastifyApplication> => {
  const metrics = new Metrics(description.name);
  const tracing = await openTracing(description.name, config, log);
  const readiness = new Readiness();
  metrics.meterReadiness(readiness);
  const journal = new AccessJournal();
  const kit = kitOf([
    { provide: LOG, useValue: log },
    { provide: Metrics, useValue: metrics },
    { provide: Readiness, useValue: readiness },
    { provide: Tracing, useValue: tracing },
    { provide: Diagnostics, useValue: new Diagnostics(description.name) },
    { provide: AccessJournal, useValue: journal },
    { provide: AdminKey, useValue: new AdminKey({ key: config.RAMPART_ADMIN_KEY, file: config.RAMPART_ADMIN_KEY_FILE }) },
    { provide: APP_GUARD, useClass: AccessGuard },
  ]);
  const adapter = new FastifyAdapter({
    bodyLimit: description.bodyLimit ?? DEFAULT_BODY_LIMIT,
    genReqId: requestIdOf,
    frameworkErrors: answerUnroutable,
    requestTimeout: LONGEST_REQUEST_MS,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    schemaController: { compilersFactory: withoutCompilers },
  });
  const fastify = adapter.getInstance();
  tracing.followRequests(fastify);
  followRequests(fastify);
  secureAnswers(fastify);
  logRequests(fastify, log);
  noteRequests(fastify, description.name, journal);
  metrics.observe(fastify);
  parseBodies(fastify);
  const root: DynamicModule = { module: Service, imports: [kit, description.module(config)] };
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    bodyParser: false,
    logger: nestLogger(log),
    abortOnError: false,
  });
  requireScopes(app);
  app.useGlobalFilters(new ProblemFilter(log, description.statuses ?? {}));
  app.useGlobalPipes(schemaValidation());
  serveDocs(app, description.api, withDocsPage);
  return app;
};
