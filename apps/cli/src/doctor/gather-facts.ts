/** Asks a platform for what a diagnosis is made of. Whatever does not answer is a fact, too. */
import { constants, readFileSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Freshness } from '@rampart/contracts';
import { z } from 'zod';
import { type AskedService, diagnosis, type Facts, type FolderFact, type LocalFacts } from './facts.js';

export interface Asking {
  readonly address: string;
  readonly adminKey: string;
  /** Undefined: the platform is elsewhere. */
  readonly dataFolder: string | undefined;
  readonly nowUs: () => number;
}

const SERVICES = ['experiments', 'assignment', 'ingestion', 'analysis'] as const;
const ANSWER_WITHIN_MS = 8_000;
const ASKED_AGAIN = 8;

export const gatherFacts = async (asking: Asking): Promise<Facts> => {
  const [services, freshness, local] = await Promise.all([
    askServices(asking),
    askFreshness(asking),
    asking.dataFolder === undefined ? undefined : localFacts(asking.dataFolder),
  ]);
  return { address: asking.address, nowUs: asking.nowUs(), local, services, freshness };
};

const get = async ({ address, adminKey }: Asking, path: string): Promise<unknown> => {
  const answer = await fetch(`${address}${path}`, {
    headers: { authorization: `Bearer ${adminKey}` },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${detailIn(text)}`);
  return JSON.parse(text);
};

const detailIn = (text: string): string => {
  try {
    const { detail, title } = JSON.parse(text) as { readonly detail?: string; readonly title?: string };
    return detail ?? title ?? text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
};

/** Of fetch, the cause says more than the message. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
};

/** Each process of each service. Where the door does not say how many there are, as a proxy of one's own, whichever answers. */
const askServices = async (asking: Asking): Promise<readonly AskedService[]> => {
  const processes: Readonly<Record<string, number>> = await get(asking, '/diagnostics').then(
    (answer) => door.safeParse(answer).data?.processes ?? {},
    () => ({}),
  );
  const names = SERVICES.flatMap((service) => numbered(service, processes[service] ?? 1));
  return Promise.all(names.map((name) => askService(name, asking)));
};

const door = z.object({ processes: z.record(z.string(), z.number().int().min(0).max(999)) });

const numbered = (service: string, processes: number): readonly string[] =>
  processes < 2 ? [service] : Array.from({ length: processes }, (_, index) => `${service}-${index + 1}`);

const askService = async (name: string, asking: Asking): Promise<AskedService> => {
  const askedAtUs = asking.nowUs();
  try {
    const found = diagnosis.parse(await get(asking, `/diagnostics/${name}`));
    return { name, error: null, askedAtUs, answeredAtUs: asking.nowUs(), diagnosis: found };
  } catch (error) {
    return { name, error: reasonOf(error) };
  }
};

/** One process takes the looks, and only it knows how old they are; whoever shares out requests leads to another one each time. */
const askFreshness = async (asking: Asking): Promise<Facts['freshness']> => {
  try {
    const ask = async () => (await get(asking, '/v1/analysis/freshness')) as Freshness;
    let answer = await ask();
    for (let again = 0; again < ASKED_AGAIN && answer.hops.some(({ isElsewhere }) => isElsewhere); again++) answer = await ask();
    return answer;
  } catch (error) {
    return { error: reasonOf(error) };
  }
};

const localFacts = async (path: string): Promise<LocalFacts> => {
  const [folder, processes] = await Promise.all([folderFact(path), processesIn(path)]);
  return { folder, processes };
};

const folderFact = async (path: string): Promise<FolderFact> => {
  const what = 'the data folder';
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    const isWritable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    );
    return { what, path, error: null, isWritable, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    return { what, path, error: reasonOf(error) };
  }
};

const processesIn = (folder: string): Promise<LocalFacts['processes']> =>
  Promise.all(
    // Engines that are somebody else's have neither.
    Object.entries(noted(folder))
      .filter(([, { pid, port }]) => pid !== undefined || port !== undefined)
      .map(async ([name, { pid = null, port = null }]) => {
        const isAlive = pid !== null && lives(pid);
        return { name, pid, isAlive, port, isListening: port !== null && (await takesConnections(port)) };
      }),
  );

const noted = (folder: string): Readonly<Record<string, { readonly pid?: number; readonly port?: number }>> => {
  try {
    return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')).processes ?? {};
  } catch {
    return {};
  }
};

const CONNECT_WITHIN_MS = 2_000;

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (isListening: boolean) => {
      socket.destroy();
      resolve(isListening);
    };
    socket.setTimeout(CONNECT_WITHIN_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
