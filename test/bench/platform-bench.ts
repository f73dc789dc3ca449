/** The launcher with everything it starts: how soon it is ready, what it needs, how fast a file comes in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@rampart/test-engines';
import { remove, repository, scratchFolder } from './engines.js';
import { peakMemory, treeMemoryBytes } from './processes.js';
import { ADMIN_KEY, until } from './services.js';
import { count, type Measurement, seconds } from './table.js';

const ROWS = 200_000;
const MIB = 2 ** 20;

interface Started {
  readonly pid: number;
  readonly readyAfterMs: number;
  stop(): Promise<void>;
}

const startPlatform = async (data: string, port: number): Promise<Started> => {
  const begun = performance.now();
  // As `npm start` does it: look whether everything is built, then launch.
  const setup = spawn(process.execPath, [join(repository, 'infra/setup/ensure-built.mjs')], { stdio: 'ignore' });
  await once(setup, 'exit');
  const child = spawn(process.execPath, [join(repository, 'apps/launcher/dist/main.js')], {
    env: { ...process.env, NODE_OPTIONS: '', RAMPART_DATA: data, RAMPART_PORT: String(port), RAMPART_ADMIN_KEY: ADMIN_KEY },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await until('the platform is ready', async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, 120_000, 25);
  const readyAfterMs = performance.now() - begun;
  const stop = async () => {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { pid: child.pid ?? -1, readyAfterMs, stop };
};

const writeFile = async (path: string): Promise<void> => {
  const file = createWriteStream(path);
  file.write('user,seen_at,variant,converted\n');
  for (let row = 0; row < ROWS; row++) {
    const seenAt = new Date(1_735_689_600_000 + row * 1000).toISOString();
    const line = `u${row},${seenAt},${row % 2 === 0 ? 'control' : 'treatment'},${row % 9 === 0 ? 1 : 0}\n`;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
};

const importFile = async (folder: string, port: number): Promise<number> => {
  const plan = join(folder, 'plan.json');
  writeFileSync(
    plan,
    JSON.stringify({
      key: 'bench',
      unit: { column: 'user' },
      time: { column: 'seen_at', zone: 'UTC' },
      arms: { column: 'variant' },
      values: ['converted'],
    }),
  );
  const data = join(folder, 'data.csv');
  await writeFile(data);
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [join(repository, 'apps/cli/dist/main.js'), 'import', '--plan', plan, '--data', data, '--address', `http://127.0.0.1:${port}`],
    {
      env: { ...process.env, NODE_OPTIONS: '', RAMPART_ADMIN_KEY: ADMIN_KEY },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the import ended with ${code}`);
  return performance.now() - begun;
};

export const platformBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const folder = scratchFolder('platform');
  const data = join(folder, 'data');
  const port = await freePort();
  let platform = await startPlatform(data, port);
  try {
    const first = platform.readyAfterMs;
    say(`platform: first start ${seconds(first)}`);
    await platform.stop();
    platform = await startPlatform(data, port);
    const warm = platform.readyAfterMs;
    await sleep(10_000);
    const idle = treeMemoryBytes(platform.pid);
    const peak = peakMemory(platform.pid);
    const importMs = await importFile(folder, port);
    const peakBytes = peak.stop();
    const perSecond = ROWS / (importMs / 1000);
    const plain = { yardstick: '–', ratio: '–' };
    return [
      {
        what: `import of ${count(ROWS)} rows, two events a row, until the verdict`,
        figure: `${count(perSecond)} rows/s`,
        target: '≥ 20,000 rows/s',
        meets: perSecond >= 20_000,
        ...plain,
      },
      {
        what: 'first start on an empty data folder (installed and built)',
        figure: seconds(first),
        target: '< 60 s',
        meets: first < 60_000,
        ...plain,
      },
      { what: 'warm start to ready', figure: seconds(warm), target: '< 6 s', meets: warm < 6_000, ...plain },
      {
        what: 'memory of the idle platform, all processes',
        figure: `${count(idle / MIB)} MiB`,
        target: '< 1 GB',
        meets: idle < 1e9,
        ...plain,
      },
      { what: 'its peak while importing', figure: `${count(peakBytes / MIB)} MiB`, target: '< 3 GB', meets: peakBytes < 3e9, ...plain },
    ];
  } finally {
    await platform.stop();
    remove(folder);
  }
};
