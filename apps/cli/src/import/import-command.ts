/** `rampart import`: a file and a plan in, a verdict out. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Results } from '@rampart/contracts';
import type { Survey } from '../derivation/survey.js';
import { loadJoins } from '../derivation/table.js';
import { definitionsOf } from '../plan/definitions.js';
import type { ImportPlan } from '../plan/plan.js';
import { readPlan } from '../plan/plan-file.js';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import { type Environment, typedPath } from '../platform/places.js';
import { findOrStartPlatform } from '../platform/running-platform.js';
import { Refusal } from '../refusal.js';
import { compareWithReference, parseReference, referenceSentence } from '../report/reference.js';
import { resultsReport } from '../report/results-report.js';
import { EventSender } from './batches.js';
import { complete, finalResults } from './completion.js';
import { checkRows, type Source, sendRows, survey } from './passes.js';
import { count, duration, type Progress, pace } from './progress.js';
import { type SetUp, setUp } from './set-up.js';

export interface ImportRequest {
  readonly plan: string;
  readonly data: string;
  readonly out: string | undefined;
  readonly expect: string | undefined;
  readonly project: string;
  readonly address: string | undefined;
  readonly keepRunning: boolean;
  readonly skipBadRows: boolean;
  readonly checkOnly: boolean;
  readonly mostRejected: number;
}
export interface Surroundings {
  readonly environment: Environment;
  readonly progress: Progress;
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/** @returns the exit code */
export const importFile = async (request: ImportRequest, around: Surroundings): Promise<number> => {
  const { environment, progress, signal } = around;
  const planFile = typedPath(request.plan, environment);
  const plan = readPlan(planFile);
  const dataFile = typedPath(request.data, environment);
  const expected = request.expect === undefined ? undefined : readReference(typedPath(request.expect, environment));
  const source: Source = { plan, dataFile, joins: await loadJoins(plan, dataFile, planFile), signal };
  const found = await survey(source, (rows) => progress.show(() => `looking: ${count(rows)} rows`));
  const skipped = checkRows(found, dataFile, request.skipBadRows);
  if (skipped !== undefined) progress.say(skipped);
  const prepared = prepare(plan, found, progress);
  if (request.checkOnly) {
    progress.say('Checked; nothing was sent.');
    return 0;
  }
  const platform = await findOrStartPlatform(environment, { ...request, say: (sentence) => progress.say(sentence) });
  try {
    const client = new ApiClient(platform.address, adminKey(environment).key, undefined, (why) => progress.show(() => `waiting: ${why}`));
    try {
      const { results, rejected } = await send({ request, around, source, found, prepared, client });
      progress.clear();
      around.print(resultsReport(results));
      if (request.out !== undefined) writeFileSync(typedPath(request.out, environment), `${JSON.stringify(results, undefined, 2)}\n`);
      const outcome = expected === undefined ? undefined : compareWithReference(results, expected);
      if (outcome !== undefined) around.print(`\n${referenceSentence(outcome)}`);
      return rejected > 0 || (outcome?.differences.length ?? 0) > 0 ? 1 : 0;
    } finally {
      await client.close();
    }
  } finally {
    progress.clear();
    await platform.release();
  }
};

const readReference = (file: string) => {
  try {
    return parseReference(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`The reference answers ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, 2);
  }
};

type Prepared = ReturnType<typeof prepare>;

const prepare = (plan: ImportPlan, found: Survey, progress: Progress) => {
  const cells = found.cells();
  const scales = found.scales();
  const definitions = definitionsOf(plan, cells, scales);
  progress.say(`${count(found.rows)} rows, ${count(found.counted)} count.`);
  const scaled = [...scales].filter(([, scale]) => scale > 1n).map(([event, scale]) => `"${event}" × ${count(Number(scale))}`);
  if (scaled.length > 0)
    progress.say(
      `More than six decimals: ${scaled.join(', ')} on the way, so that every sum stays exact; results are in the original unit.`,
    );
  for (const { column, text, rows } of found.unknownArms(cells))
    progress.say(
      `! ${count(rows)} rows have "${text}" in column "${column}", which is no cell of the plan: they are counted as unknown variant.`,
    );
  return { cells, scales, definitions };
};

interface Work {
  readonly request: ImportRequest;
  readonly around: Surroundings;
  readonly source: Source;
  readonly found: Survey;
  readonly prepared: Prepared;
  readonly client: ApiClient;
}

const send = async ({ request, around, source, found, prepared, client }: Work): Promise<{ results: Results; rejected: number }> => {
  const { progress, nowMs, signal } = around;
  const target = await setUp(client, request.project, prepared.definitions);
  try {
    const sender = new EventSender(client, { ...target, signal, mostRejected: request.mostRejected });
    const startedMs = nowMs();
    let rows = 0;
    const repeated = await sendRows(source, { sender, ...prepared }, (done) => {
      rows = done;
      progress.show(() => pace(done, found.rows, nowMs() - startedMs));
    }).catch((error: unknown) => {
      progress.clear();
      sayRejections(sender, source.dataFile, progress);
      throw signal.aborted ? interrupted(rows) : error;
    });
    const elapsedMs = nowMs() - startedMs;
    progress.say(
      `Sent ${count(rows)} rows as ${count(sender.accepted)} events in ${duration(elapsedMs)}: ${count(Math.round((rows * 1000) / Math.max(elapsedMs, 1)))} rows/s.`,
    );
    if (repeated > 0) progress.say(`${count(repeated)} rows repeat another row exactly; each counts.`);
    sayRejections(sender, source.dataFile, progress);
    // A row of the future was rejected: the history ends now.
    await complete(client, target, { untilUs: Math.min(found.lastUs ?? 0, nowMs() * 1000), fingerprint: sender.fingerprint });
    const results = await finalResults(client, target, (line) => progress.show(line), signal);
    const wholeMs = nowMs() - startedMs;
    progress.say(
      `Results after ${duration(wholeMs)}: ${count(Math.round((rows * 1000) / Math.max(wholeMs, 1)))} rows/s from file to verdict.`,
    );
    return { results, rejected: sender.rejected };
  } finally {
    await revoke(client, target);
  }
};

const interrupted = (rows: number): Refusal =>
  new Refusal(
    `Interrupted after ${count(rows)} rows. Run the same command again to go on: what was sent already is recognised and counts once.`,
  );

const sayRejections = ({ rejected, rejections }: EventSender, file: string, progress: Progress): void => {
  if (rejected === 0) return;
  const shown = rejections.map(({ line, column, code, message }) => `  ${file}:${line}: column "${column}": ${code}: ${message}`);
  progress.say(
    `! ${count(rejected)} events were rejected by the platform and do not count:\n${shown.join('\n')}${rejected > shown.length ? '\n  …' : ''}`,
  );
};

/** A key for one import is of no use afterwards; that it could not be revoked is no reason to fail. */
const revoke = async (client: ApiClient, { project, keyId }: SetUp): Promise<void> => {
  await Promise.race([
    client.call('POST', `/v1/keys/${keyId}/revoke`, {}, { query: { project } }).catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 3_000).unref()),
  ]);
};
