/** A second process of a service, with the settings of the first: as a deployment on two machines would have it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, type Platform, repository } from './platform.js';

export interface Twin {
  readonly address: string;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
}

/** What a service of the platform was told, read from the living process (Linux). */
export const settingsOf = (pid: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .flatMap((entry) => {
        const at = entry.indexOf('=');
        return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : [];
      }),
  );

export const twinOf = async (
  platform: Platform,
  service: 'analysis' | 'ingestion' | 'experiments',
  env: Readonly<Record<string, string>> = {},
): Promise<Twin> => {
  const pid = platform.processes()[service];
  if (pid === undefined) throw new Error(`run.json names no ${service}`);
  const child: ChildProcess = spawn(process.execPath, [join(repository, 'apps', service, 'dist', 'main.js')], {
    env: { ...settingsOf(pid), RAMPART_LISTEN_PORT: '0', RAMPART_PARENT_PIPE: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (part: Buffer) => {
    output += part.toString();
  });
  const port = await eventually(`the second ${service} listens`, async () => portIn(output));
  const address = `http://127.0.0.1:${port}`;
  await eventually(`the second ${service} is ready`, async () => ((await fetch(`${address}/readyz`)).status === 200 ? true : undefined));
  return { address, pid: child.pid ?? -1, kill: (signal) => void child.kill(signal) };
};

const portIn = (output: string): number | undefined => {
  for (const line of output.split('\n')) {
    if (!line.includes('"listening"')) continue;
    const { port } = JSON.parse(line) as { port?: number };
    if (port !== undefined) return port;
  }
  return undefined;
};
