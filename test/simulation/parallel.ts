/** Runs scenarios on a few threads; says how far it is and how long it will still take. */
import { Worker } from 'node:worker_threads';
import type { Scenario, Stops } from './scenario.js';
import type { Task } from './worker.js';

export interface Wanted {
  readonly scenario: Scenario;
  readonly runs: number;
}

export interface Simulated extends Wanted {
  readonly stops: readonly Stops[];
}

/** Pieces small enough that the threads end together. */
const PIECE_MS = 1_500;

const piecesOf = ({ scenario, runs }: Wanted, seed: number): readonly Task[] => {
  const size = Math.max(1, Math.round(PIECE_MS / scenario.msPerRun));
  return Array.from({ length: Math.ceil(runs / size) }, (_, piece) => ({
    scenario: scenario.name,
    seed,
    from: piece * size,
    runs: Math.min(size, runs - piece * size),
  }));
};

export const inParallel = async (wanted: readonly Wanted[], seed: number, threads: number): Promise<readonly Simulated[]> => {
  const tasks = wanted.flatMap((one) => piecesOf(one, seed));
  const found = new Map<Task, readonly Stops[]>();
  const told = progress(wanted);
  const queue = [...tasks];
  await Promise.all(
    Array.from({ length: Math.min(threads, tasks.length) }, async () => {
      const worker = new Worker(new URL('./worker.js', import.meta.url));
      for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
        found.set(task, await answerTo(worker, task));
        told(task);
      }
      await worker.terminate();
    }),
  );
  if (process.stderr.isTTY) process.stderr.write('\n');
  return wanted.map((one) => ({
    ...one,
    stops: tasks.filter((task) => task.scenario === one.scenario.name).flatMap((task) => found.get(task) ?? []),
  }));
};

const answerTo = (worker: Worker, task: Task): Promise<readonly Stops[]> =>
  new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(task);
  });

const progress = (wanted: readonly Wanted[]): ((task: Task) => void) => {
  const begunAt = Date.now();
  const cost = new Map(wanted.map(({ scenario }) => [scenario.name, scenario.msPerRun]));
  const total = wanted.reduce((sum, { scenario, runs }) => sum + runs * scenario.msPerRun, 0);
  let done = 0;
  let told = 0;
  return (task) => {
    done += task.runs * (cost.get(task.scenario) ?? 0);
    const share = done / total;
    const left = ((Date.now() - begunAt) * (1 - share)) / share / 1000;
    const line = `${(100 * share).toFixed(0).padStart(3)} %  ${task.scenario.padEnd(28)} about ${left.toFixed(0)} s left`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line.padEnd(70)}`);
    else if (total > QUIET_MS && share >= told + 0.1) {
      told = share;
      process.stderr.write(`${line}\n`);
    }
  };
};

/** Short runs say nothing on the way where nobody watches. */
const QUIET_MS = 60_000;
