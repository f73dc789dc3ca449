/** The life of a service process: read the configuration, listen, say so, and end in good order. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import { createLog, type Log } from '../observability/log.js';
import { Readiness } from '../observability/readiness.js';
import { createService, type ServiceDescription } from './create-service.js';
import { ConfigError, readConfig, type ServiceConfig } from './service-config.js';

const STOP_WITHIN_MS = 10_000;
const CLOSE_IDLE_EVERY_MS = 50;

export interface RunnableService<Config extends ServiceConfig> extends ServiceDescription<Config> {
  readonly config: z.ZodType<Config>;
}

/** Runs until SIGTERM, SIGINT, or the end of standard input where RAMPART_PARENT_PIPE=1. Exit 1 says why it could not. */
export const runService = async <Config extends ServiceConfig>(service: RunnableService<Config>): Promise<void> => {
  const config = configOrExit(service);
  const log = createLog(service.name, config.RAMPART_LOG_LEVEL);
  endOnUncaught(log);
  const app = await createService(service, config, { log, withDocsPage: true }).catch((error: unknown) =>
    giveUp(log, 'could not start', error),
  );
  stopOnRequest(app, config, log);
  await app
    .listen(config.RAMPART_LISTEN_PORT, config.RAMPART_LISTEN_HOST)
    .catch((error: unknown) => giveUp(log, listenFailure(error, config), error));
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: portOf(app) })}\n`);
};

const configOrExit = <Config extends ServiceConfig>(service: RunnableService<Config>): Config => {
  try {
    return readConfig(service.config, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${service.name}: ${error.message}\n`);
    process.exit(1);
  }
};

const giveUp = (log: Log, what: string, error: unknown): never => {
  log.fatal({ err: error }, what);
  process.stderr.write(`${what}${error instanceof Error ? `: ${error.message}` : ''}\n`);
  process.exit(1);
};

const listenFailure = (error: unknown, config: ServiceConfig): string => {
  const place = `${config.RAMPART_LISTEN_HOST}:${config.RAMPART_LISTEN_PORT}`;
  const code = (error as { code?: unknown }).code;
  if (code === 'EADDRINUSE')
    return `${place} is in use by another process; stop it, or set RAMPART_LISTEN_PORT to another port (0 = any free one).`;
  if (code === 'EACCES') return `${place} needs more rights than this process has; set RAMPART_LISTEN_PORT to a port above 1023.`;
  return `could not listen on ${place}`;
};

const portOf = (app: NestFastifyApplication): number => {
  const address = app.getHttpServer().address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const endOnUncaught = (log: Log): void => {
  // A process in an unknown state must not go on answering; its supervisor starts a fresh one.
  process.on('uncaughtException', (error) => giveUp(log, 'uncaught error', error));
  process.on('unhandledRejection', (error) => giveUp(log, 'unhandled rejection', error));
};

const stopOnRequest = (app: NestFastifyApplication, config: ServiceConfig, log: Log): void => {
  let isStopping = false;
  app.get(Readiness, { strict: false }).add('stopping', () => (isStopping ? 'this process is stopping' : undefined));
  let drain: NodeJS.Timeout | undefined;
  const close = () => {
    clearTimeout(drain);
    drain = undefined;
    setTimeout(() => giveUp(log, `did not stop within ${STOP_WITHIN_MS} ms`, undefined), STOP_WITHIN_MS).unref();
    // Connections that were busy when closing began would be kept alive after their answer, and keep us.
    setInterval(() => app.getHttpServer().closeIdleConnections(), CLOSE_IDLE_EVERY_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => giveUp(log, 'did not stop in good order', error),
    );
  };
  const stop = (why: string, afterMs: number) => {
    // Asked twice is meant.
    if (isStopping) return drain === undefined ? undefined : close();
    isStopping = true;
    log.info({ why }, 'stopping');
    if (afterMs > 0) drain = setTimeout(close, afterMs);
    else close();
  };
  process.on('SIGTERM', () => stop('SIGTERM', config.RAMPART_DRAIN_MS));
  process.on('SIGINT', () => stop('SIGINT', 0));
  if (!config.RAMPART_PARENT_PIPE) return;
  process.stdin.resume();
  process.stdin.on('end', () => stop('the parent is gone', 0));
  process.stdin.on('error', () => stop('the parent is gone', 0));
};
