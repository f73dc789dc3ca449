/** OFREP over HTTP, one assignment process: one flag and all flags, counted and not, beside node:http that parses the same and answers as much. */
import { join } from 'node:path';
import { remove, repository, scratchFolder, startPostgres } from './engines.js';
import {
  ALL_FLAGS,
  CONNECTIONS,
  contexts,
  defineFlags,
  FLAGS,
  figureOf,
  knowsFlags,
  type Loaded,
  loaded,
  ONE_FLAG,
  p99Text,
  SECONDS,
} from './ofrep-load.js';
import { call, type Running, startProgram, startService, until } from './services.js';
import { count, type Measurement, ratioOf } from './table.js';

const cpuOf = ({ cpuUs }: Loaded): number => cpuUs ?? Number.NaN;

const row = (what: string, ours: Loaded, bare: Loaded, target: string, meets: boolean): Measurement => ({
  what,
  figure: figureOf(ours),
  target,
  meets: meets && ours.refused === 0,
  yardstick: `bare node:http, same bytes: ${count(bare.perSecond)} requests/s, p99 ${p99Text(bare)}, ${cpuOf(bare).toFixed(0)} µs`,
  ratio: `${ratioOf(ours.perSecond, bare.perSecond)}, CPU ${ratioOf(cpuOf(ours), cpuOf(bare))}`,
});

const measure = async (assignment: Running, key: string, say: (line: string) => void): Promise<readonly Measurement[]> => {
  const authorization = `Bearer ${key}`;
  const uncounted = { authorization, 'x-rampart-exposure': 'none' };
  const answerOf = async (path: string) => {
    const headers = { ...uncounted, 'content-type': 'application/json' };
    const answer = await fetch(`${assignment.url}${path}`, { method: 'POST', headers, body: contexts('size', 1).join('') });
    return answer.text();
  };
  const bareOf = async (path: string) =>
    startProgram(join(repository, 'test/dist/bench/bare-answer-server.js'), { ANSWER: await answerOf(path) });
  const [bareSingle, bareAll] = [await bareOf(ONE_FLAG), await bareOf(ALL_FLAGS)];
  try {
    const some = contexts('some', 20_000);
    await loaded(assignment, ONE_FLAG, some, uncounted, { seconds: 2 });
    await loaded(assignment, ALL_FLAGS, some, uncounted, { seconds: 2 });
    say('assignment-http: one flag');
    const yardstick = await loaded(bareSingle, '/', some, {}, { seconds: SECONDS / 2 });
    const one = await loaded(assignment, ONE_FLAG, some, uncounted, { seconds: SECONDS });
    const counted = await loaded(assignment, ONE_FLAG, contexts('new', SECONDS * 20_000), { authorization }, { seconds: SECONDS });
    const again = await loaded(assignment, ONE_FLAG, contexts('new', 20_000), { authorization }, { seconds: SECONDS });
    const half = { seconds: SECONDS, perSecond: Math.floor(again.perSecond / 2) };
    const atHalf = await loaded(assignment, ONE_FLAG, contexts('new', 20_000), { authorization }, half);
    const halfOfNew = { seconds: SECONDS, perSecond: Math.floor(counted.perSecond / 2) };
    const newAtHalf = await loaded(assignment, ONE_FLAG, contexts('light', SECONDS * 20_000), { authorization }, halfOfNew);
    const bareAtHalf = await loaded(bareSingle, '/', some, {}, half);
    say('assignment-http: all flags');
    const yardstickAll = await loaded(bareAll, '/', some, {}, { seconds: SECONDS / 2 });
    const many = await loaded(assignment, ALL_FLAGS, some, uncounted, { seconds: SECONDS });
    const places = `${CONNECTIONS} connections, load generator on the same cores`;
    return [
      row(`OFREP, one flag, not counted (${places})`, one, yardstick, 'stated', true),
      row('OFREP, one flag, each for a new unit: its exposure is on the disk before the answer', counted, yardstick, 'stated', true),
      row('the same at half of that load', newAtHalf, bareAtHalf, 'p99 < 5 ms', newAtHalf.p99 < 5),
      row('OFREP, one flag, units seen before', again, yardstick, 'stated', true),
      row('the same at half of that load', atHalf, bareAtHalf, 'p99 < 5 ms', atHalf.p99 < 5),
      row(`OFREP, all ${FLAGS} flags, not counted`, many, yardstickAll, 'stated', true),
    ];
  } finally {
    await Promise.all([bareSingle.stop(), bareAll.stop()]);
  }
};

export const assignmentHttpBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const folder = scratchFolder('assignment-http');
  const postgres = await startPostgres(join(folder, 'p'));
  const environment = { RAMPART_DATABASE_URL: postgres.url, RAMPART_ASSIGNMENT_FOLDER: join(folder, 'a') };
  const services: Running[] = [];
  try {
    const experiments = await startService('experiments', environment);
    services.push(experiments);
    const key = await defineFlags((method, path, body) => call(experiments.url, method, path, body));
    const assignment = await startService('assignment', environment);
    services.push(assignment);
    await until('the flags are known', () => knowsFlags(assignment.url, key), 20_000);
    return await measure(assignment, key, say);
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await postgres.stop();
    remove(folder);
  }
};
