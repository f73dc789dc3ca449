/** Assignment as it runs, for specs: the real service on a fresh database, with a project, two environments, keys and whatever is published. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DEFINITIONS,
  EVERYWHERE,
  FEEDBACK,
  type FeedbackRow,
  type KeyDefinition,
  type PublishedValue,
  type Role,
  revisionKey,
  topicSpecs,
  versionKey,
} from '@rampart/contracts';
import { projectSecret, pseudonymOf } from '@rampart/contracts/pseudonyms';
import { EventLog, type OutgoingMessage, startTicks } from '@rampart/event-log';
import { createService, hashOfKey } from '@rampart/service-kit';
import { freshDatabase } from '@rampart/test-engines';
import { DefinitionsFeed } from '../ruleset/definitions.feed.js';
import { assignmentConfig } from './assignment-config.js';
import { assignmentService } from './assignment-service.js';

export const PARTITIONS = 2;
export const PROJECT = 'shop';
export const SECRET = 'the secret of this spec';
/** The keys of the specs are their own ids. */
export const key = (id: string): string => `rk_${id}_secret`;

export const pseudonym = (id: string, unitType = 'user'): string => pseudonymOf(projectSecret(SECRET, PROJECT), unitType, id);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a spec reads answers as a client without types would.
  readonly body: any;
  readonly text: string;
}

let revisions = 0;

/** What is published of one thing; each call is a newer revision. */
export const published = (value: PublishedValue, id: string, environment: string = EVERYWHERE, project = PROJECT): OutgoingMessage => {
  revisions += 1;
  const kind = value.kind === 'feature-state' ? 'feature' : value.kind === 'experiment-state' ? 'experiment' : value.kind;
  const isVersioned = value.kind === 'feature' || value.kind === 'experiment';
  const messageKey = isVersioned
    ? versionKey(project, kind, id, value.version)
    : revisionKey(value.kind === 'project' ? EVERYWHERE : project, kind, id, environment, revisions);
  return { partition: 0, key: messageKey, value: JSON.stringify(value) };
};

const environment = (name: string, kind: 'live' | 'historical') =>
  published({ kind: 'environment', value: { project: PROJECT, key: name, kind } }, name);

export const keyOf = (id: string, role: Role, more: Partial<KeyDefinition> = {}) =>
  published(
    {
      kind: 'key',
      value: { id, hash: hashOfKey(key(id)), role, project: PROJECT, environment: null, name: id, revoked: false, ...more },
    },
    id,
  );

/** A project with a live, a staging and a historical environment, and keys named by what they may. */
export const basics = (): readonly OutgoingMessage[] => [
  published({ kind: 'project', value: { key: PROJECT, name: 'Shop' } }, PROJECT),
  environment('production', 'live'),
  environment('staging', 'live'),
  environment('past', 'historical'),
  keyOf('client', 'client', { environment: 'production' }),
  keyOf('clientstaging', 'client', { environment: 'staging' }),
  keyOf('emits', 'emit', { environment: 'production' }),
  keyOf('manages', 'manager'),
  keyOf('reads', 'analyst'),
  // Fills so slowly that no spec outlives what it owes.
  keyOf('limited', 'client', { environment: 'production', quota: { eventsPerSecond: 0.01, burst: 3 } }),
  keyOf('gone', 'client', { environment: 'production', revoked: true }),
];

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'rampart-assignment-'));

/** @param definitions  published beside the basics before it starts */
export const startAssignment = async (definitions: readonly OutgoingMessage[], environment: Readonly<Record<string, string>> = {}) => {
  const database = await freshDatabase();
  const folder = temporaryFolder();
  const config = assignmentConfig.parse({
    RAMPART_DATABASE_URL: database.url,
    RAMPART_SECRET: SECRET,
    RAMPART_LOG_PARTITIONS: String(PARTITIONS),
    RAMPART_ASSIGNMENT_FOLDER: folder,
    RAMPART_LOG_LEVEL: 'error',
    ...environment,
  });
  const app = await createService(assignmentService, config);
  await app.listen(0, '127.0.0.1');
  const address = await app.getUrl();
  const log = app.get(EventLog, { strict: false });
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  await log.append(DEFINITIONS, [...basics(), ...definitions]);
  const ticking = startTicks(log, DEFINITIONS);
  const call = async (
    method: string,
    path: string,
    options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const { body } = options;
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
        ...options.headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text, text };
  };
  return {
    address,
    call,
    log,
    feed: app.get(DefinitionsFeed, { strict: false }),
    publish: (...messages: readonly OutgoingMessage[]) => log.append(DEFINITIONS, messages),
    flag: (flag: string, context: unknown, by = key('client'), headers: Record<string, string> = {}) =>
      call('POST', `/ofrep/v1/evaluate/flags/${flag}`, { key: by, body: { context }, headers }),
    flags: (context: unknown, by = key('client'), headers: Record<string, string> = {}) =>
      call('POST', '/ofrep/v1/evaluate/flags', { key: by, body: { context }, headers }),
    /** Every row that the log has. */
    rows: async (): Promise<readonly FeedbackRow[]> => {
      const all: FeedbackRow[] = [];
      for await (const { value } of log.readAll(FEEDBACK))
        if (value !== null) all.push(...(JSON.parse(Buffer.from(value).toString('utf8')) as FeedbackRow[]));
      return all;
    },
    stop: async () => {
      await ticking.stop();
      await app.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
export type StartedAssignment = Awaited<ReturnType<typeof startAssignment>>;

export const eventually = async <T>(what: string, ask: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> => {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: not within ${withinMs} ms`);
};

/** Until it knows the newest of its keys. */
export const isReady = (started: StartedAssignment): Promise<true> =>
  eventually('assignment is ready', async () => {
    const isKnown = (await started.flags({ targetingKey: 'probe' }, key('gone'))).body.code === 'key-revoked';
    return isKnown && (await started.call('GET', '/readyz')).status === 200 ? true : undefined;
  });
