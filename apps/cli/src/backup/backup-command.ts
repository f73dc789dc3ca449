/** `rampart backup`: one consistent copy of a running platform, in a folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { secretFingerprint } from '@rampart/contracts/backups';
import { request } from 'undici';
import type { Progress } from '../import/progress.js';
import { adminKey } from '../platform/admin-key.js';
import { dataFolder, type Environment, given, livingRun, typedPath } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { Refusal } from '../refusal.js';
import { BackupFolder } from './backup-folder.js';

export interface BackingUp {
  readonly environment: Environment;
  readonly progress: Progress;
  readonly print: (text: string) => void;
  readonly nowMs: () => number;
}

/** Nothing comes for so long only where something hangs. */
const patienceMs = 300_000;

/** What the launcher's data folder has beside its engines. */
const KEPT = ['secret', 'admin-key'] as const;

export interface BackupRequest {
  readonly folder: string;
  readonly address: string | undefined;
  /** A log on Kafka is left to Kafka. */
  readonly isWithoutLog: boolean;
}

/** @throws Refusal; a folder without a manifest is left behind then, which nothing takes for a backup */
export const backUp = async (
  { folder: typedFolder, address, isWithoutLog }: BackupRequest,
  { environment, progress, print, nowMs }: BackingUp,
): Promise<void> => {
  const platform = await requirePlatform(environment, address);
  const { key } = adminKey(environment);
  const startedMs = nowMs();
  const folder = typedPath(typedFolder, environment);
  const backup = new BackupFolder(folder);
  let total = 0;
  const take = async (of: 'history' | 'store', path: string) => {
    const stream = await streamed(platform.address, path, key);
    await backup.take(of, stream, (bytes) => {
      total += bytes;
      progress.show(() => `${mega(total)} of ${of === 'store' ? 'the feedback store' : 'history and log'} …`);
    });
  };
  // The store first: what it has read by then, the log has a moment later.
  await take('store', '/v1/analysis/backup');
  await take('history', `/v1/admin/backup?log=${!isWithoutLog}`);
  const data = dataFolder(environment);
  const isLocal = livingRun(data)?.address === platform.address;
  const kept = KEPT.filter((file) => isLocal && existsSync(join(data, file)));
  for (const file of kept) await backup.keep(join(data, file), file);
  const manifest = await backup.finish(new Date(startedMs).toISOString());
  progress.clear();
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  print(
    `Backed up ${manifest.tables.length} tables to ${folder}: ${mega(bytes)} (${mega(total)} unpacked) in ${((nowMs() - startedMs) / 1000).toFixed(1)} s.`,
  );
  print(
    manifest.history.log === 'postgres' || manifest.history.copied.length > 0
      ? 'It holds history, log and feedback store as of one moment.'
      : 'It holds history and feedback store, and where each partition of your Kafka ended: the log itself is Kafka’s to keep, as asked.',
  );
  const secret = given(environment.RAMPART_SECRET);
  const isSecretElsewhere =
    !kept.includes('secret') || (secret !== undefined && secretFingerprint(secret) === manifest.history.secretFingerprint);
  print(
    isSecretElsewhere
      ? 'RAMPART_SECRET is not in it: keep it apart, without it nothing can be restored.'
      : 'The platform’s secret and admin key are in it: keep it as you would keep them.',
  );
};

const streamed = async (address: string, path: string, key: string): Promise<AsyncIterable<Uint8Array>> => {
  const { statusCode, body } = await request(`${address}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    headersTimeout: patienceMs,
    bodyTimeout: patienceMs,
  }).catch((error: unknown) => {
    throw new Refusal(`${address} does not answer POST ${path}: ${error instanceof Error ? error.message : String(error)}.`);
  });
  if (statusCode !== 200) throw new Refusal(`POST ${path} at ${address} was refused (${statusCode}): ${(await body.text()).slice(0, 500)}`);
  return body;
};

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
