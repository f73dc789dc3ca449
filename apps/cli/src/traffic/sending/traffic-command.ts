/** `rampart traffic`: a scenario in, live traffic out, and what became of it. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { formatInstant, parseInstant } from '@rampart/contracts';
import type { Typed } from '../../command-line.js';
import { count, duration, type Progress } from '../../import/progress.js';
import { adminKey } from '../../platform/admin-key.js';
import { ApiClient } from '../../platform/api-client.js';
import { type Environment, typedPath } from '../../platform/places.js';
import { requirePlatform } from '../../platform/running-platform.js';
import { usage } from '../../refusal.js';
import { lengthSeconds, trafficOf } from '../generation/traffic.js';
import type { Scenario } from '../scenario/scenario.js';
import { limited, readScenario } from '../scenario/scenario-file.js';
import { type SendingOutcome, type SendingProgress, sendTraffic } from './sender.js';
import { revoke, type SendingKey, setUpScenario } from './set-up.js';

export interface TrafficRequest {
  readonly scenario: string;
  readonly address: string | undefined;
  /** Where events go, if elsewhere: ingestion itself. */
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly speed: number;
  readonly isAsFastAsPossible: boolean;
  readonly inFlight: number | undefined;
  readonly batchEvents: number | undefined;
  readonly units: number | undefined;
  readonly seconds: number | undefined;
  readonly seed: number | undefined;
  readonly startUs: number | undefined;
  readonly report: string | undefined;
  readonly acknowledged: string | undefined;
  readonly checkOnly: boolean;
}

/** @throws Refusal (exit code 2) */
export const trafficRequest = ({ texts, flags, words }: Typed): TrafficRequest => {
  if (words[0] !== undefined) throw usage(`What is "${words[0]}"? rampart traffic takes options only; see rampart traffic --help.`);
  if (texts.scenario === undefined) throw usage('Traffic needs --scenario FILE; see rampart traffic --help.');
  if (texts.key !== undefined && texts['key-file'] !== undefined) throw usage('Either --key or --key-file.');
  const isAsFastAsPossible = flags['as-fast-as-possible'] === true;
  if (isAsFastAsPossible && texts.speed !== undefined) throw usage('Either --speed or --as-fast-as-possible.');
  const { start } = texts;
  const startUs = start === undefined ? undefined : parseInstant(start);
  if (start !== undefined && startUs === undefined) throw usage(`--start is an instant such as 2026-05-01T12:00:00Z, not "${start}".`);
  return {
    ...{ scenario: texts.scenario, address: texts.address, url: texts.url, key: keyOf(texts), isAsFastAsPossible, startUs },
    speed: positive(texts, 'speed') ?? 1,
    inFlight: whole(texts, 'in-flight', 1, 64),
    batchEvents: whole(texts, 'batch', 1, 10_000),
    units: whole(texts, 'units', 1),
    seconds: positive(texts, 'duration'),
    seed: whole(texts, 'seed', 0),
    ...{ report: texts.report, acknowledged: texts.acknowledged, checkOnly: flags.check === true },
  };
};

type Texts = Typed['texts'];

const keyOf = (texts: Texts): string | undefined => {
  const file = texts['key-file'];
  if (file === undefined) return texts.key;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usage(`--key-file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
};

const positive = (texts: Texts, name: string): number | undefined => {
  const text = texts[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number)) throw usage(`--${name} is a number above 0, not "${text}".`);
  return number;
};

const whole = (texts: Texts, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined => {
  const text = texts[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most)
    throw usage(`--${name} is a whole number from ${least}${most < 1e9 ? ` to ${most}` : ''}, not "${text}".`);
  return number;
};

export interface TrafficSurroundings {
  readonly environment: Environment;
  readonly progress: Progress;
  readonly print: (text: string) => void;
  /** No event is begun after this. */
  readonly stop: AbortSignal;
  readonly nowMs: () => number;
}

/** @returns the exit code: 0 when every event that was sent is acknowledged */
export const simulateTraffic = async (request: TrafficRequest, around: TrafficSurroundings): Promise<number> => {
  const { environment, progress, nowMs } = around;
  const scenario = limited(readScenario(typedPath(request.scenario, environment)), request);
  const length = lengthSeconds(scenario);
  if (request.isAsFastAsPossible && length === Number.POSITIVE_INFINITY)
    throw usage('As fast as possible needs an end: give the scenario "units" or "seconds", or say --units or --duration.');
  progress.say(scenario.description);
  if (request.checkOnly) {
    const about = length === Number.POSITIVE_INFINITY ? 'runs until it is stopped' : `takes about ${duration(length * 1000)} at speed 1`;
    progress.say(`Checked; nothing was sent. It ${about}.`);
    return 0;
  }
  if (request.isAsFastAsPossible) for (const sentence of tooOld(scenario, length)) progress.say(sentence);
  const door = await openDoor(request, scenario, around);
  try {
    // As fast as possible the story ends now: it would else lie in the future.
    const early = request.isAsFastAsPossible ? length * 1_000_000 : 0;
    const startUs = request.startUs ?? Math.floor(nowMs() - early / 1000) * 1000;
    const outcome = await send(request, { scenario, startUs, door, around });
    return outcome.unacknowledged > 0 || outcome.rejected.length > 0 ? 1 : 0;
  } finally {
    await door.close();
  }
};

/** As fast as possible all is sent at the end of its story. */
const tooOld = ({ define }: Scenario, length: number): readonly string[] =>
  (define?.experiments ?? []).flatMap(({ key, plan }) =>
    plan.allowedLatenessUs >= length * 1_000_000
      ? []
      : [
          `! The story takes ${duration(length * 1000)}, and "${key}" allows ${duration(plan.allowedLatenessUs / 1000)} of lateness: older exposures will not count. To see results soon, use --speed.`,
        ],
  );

interface Door {
  readonly address: string;
  readonly key: string;
  readonly keyIsNewUntilMs: number;
  close(): Promise<void>;
}

/** With a key events are sent and nothing else; without one the admin key defines what is missing and makes a key for this run. */
const openDoor = async (
  request: TrafficRequest,
  scenario: Scenario,
  { environment, progress, nowMs }: TrafficSurroundings,
): Promise<Door> => {
  if (request.url !== undefined && (!URL.canParse(request.url) || !/^https?:/.test(request.url)))
    throw usage(`--url "${request.url}" is no address: it looks like http://127.0.0.1:8080.`);
  const url = request.url?.replace(/\/+$/, '');
  if (request.key !== undefined) {
    const address = url ?? (await requirePlatform(environment, request.address)).address;
    return { address, key: request.key, keyIsNewUntilMs: 0, close: async () => undefined };
  }
  const { address } = await requirePlatform(environment, request.address);
  const client = new ApiClient(address, adminKey(environment).key, 60_000, (why) => progress.show(() => `waiting: ${why}`));
  let key: SendingKey;
  try {
    key = await setUpScenario(client, scenario, nowMs);
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    ...{ address: url ?? address, key: key.key, keyIsNewUntilMs: key.isNewUntilMs },
    close: async () => {
      await revoke(client, scenario.project, key);
      await client.close();
    },
  };
};

interface Work {
  readonly scenario: Scenario;
  readonly startUs: number;
  readonly door: Door;
  readonly around: TrafficSurroundings;
}

const send = async (request: TrafficRequest, { scenario, startUs, door, around }: Work): Promise<SendingOutcome> => {
  const { environment, progress, print, stop } = around;
  const { speed, inFlight, batchEvents } = request;
  const traffic = trafficOf(scenario, scenario.seed, startUs, { speed });
  const file = request.acknowledged === undefined ? undefined : openSync(typedPath(request.acknowledged, environment), 'w');
  const cpuBefore = process.cpuUsage();
  progress.say(
    `To ${door.address}, project "${scenario.project}", environment "${scenario.environment}"; seed ${scenario.seed}, start ${formatInstant(startUs)}.`,
  );
  try {
    const outcome = await sendTraffic(traffic, {
      ...{ address: door.address, key: door.key, keyIsNewUntilMs: door.keyIsNewUntilMs, inFlight, batchEvents, stop },
      experiments: scenario.experiments.map(({ key }) => key),
      pace: request.isAsFastAsPossible ? 'fast' : 'due',
      onAcknowledged: (events) => {
        if (file !== undefined) writeSync(file, `${events.map(({ event }) => event.id).join('\n')}\n`);
      },
      onProgress: (soFar) => progress.show(() => progressLine(soFar, traffic.units)),
    });
    const { user, system } = process.cpuUsage(cpuBefore);
    const summary = {
      ...{ scenario: scenario.key, project: scenario.project, environment: scenario.environment, address: door.address },
      ...{ seed: scenario.seed, start: formatInstant(startUs), speed, interrupted: stop.aborted },
      ...{ units: traffic.units, lostOnPurpose: traffic.lost, notSent: traffic.ahead },
      cpuMicrosecondsPerEvent: outcome.sent === 0 ? 0 : Math.round(((user + system) / outcome.sent) * 10) / 10,
      ...outcome,
    };
    progress.clear();
    if (request.report !== undefined) writeFileSync(typedPath(request.report, environment), `${JSON.stringify(summary, undefined, 2)}\n`);
    print(outcomeText(outcome, summary.units));
    return outcome;
  } finally {
    if (file !== undefined) closeSync(file);
  }
};

const progressLine = ({ elapsedMs, sent, acknowledged, rejected, retries, behindMs }: SendingProgress, units: number): string => {
  const rate = count(Math.round((acknowledged * 1000) / Math.max(elapsedMs, 1)));
  const behind = behindMs < 500 ? '' : `, ${(behindMs / 1000).toFixed(1)} s behind schedule`;
  const more = `${rejected > 0 ? `, ${count(rejected)} rejected` : ''}${retries > 0 ? `, ${count(retries)} retries` : ''}`;
  return `${duration(elapsedMs)}: ${count(units)} units, ${count(sent)} events sent, ${count(acknowledged)} acknowledged, ${rate}/s${more}${behind}`;
};

const outcomeText = (outcome: SendingOutcome, units: number): string => {
  const { sent, acknowledged, seconds, eventsPerSecond, retries, rejected, unacknowledged, failure, counts } = outcome;
  const lines = [
    `${count(units)} units, ${count(sent)} events sent, ${count(acknowledged)} acknowledged in ${duration(seconds * 1000)} (${count(eventsPerSecond)}/s), ${count(retries)} retries.`,
  ];
  for (const [experiment, arms] of Object.entries(counts.exposures))
    lines.push(
      `  ${experiment}: exposures ${Object.entries(arms)
        .map(([arm, number]) => `${arm} ${count(number)}`)
        .join(', ')}`,
    );
  for (const [name, { all }] of Object.entries(counts.events)) lines.push(`  ${name}: ${count(all)} events`);
  for (const { code, count: number, first } of rejected)
    lines.push(`! ${count(number)} rejected as ${code}, the first ${first.id} at ${first.path}: ${first.message}`);
  if (unacknowledged > 0)
    lines.push(`! ${count(unacknowledged)} events were not acknowledged${failure === undefined ? '' : `: ${failure}`}`);
  return lines.join('\n');
};
