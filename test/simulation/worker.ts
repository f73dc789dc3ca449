/** A worker thread: simulates runs by their numbers and answers with the units at each line's first alarm. */
import { parentPort } from 'node:worker_threads';
import { Random } from './random.js';
import type { Stops } from './scenario.js';
import { scenarioNamed } from './scenarios.js';

export interface Task {
  readonly scenario: string;
  readonly seed: number;
  readonly from: number;
  readonly runs: number;
}

export const simulate = ({ scenario, seed, from, runs }: Task): readonly Stops[] => {
  const { run, name } = scenarioNamed(scenario);
  return Array.from({ length: runs }, (_, index) => run(new Random(seed, name, from + index)));
};

parentPort?.on('message', (task: Task) => parentPort?.postMessage(simulate(task)));
