/** `rampart replay decisions`: recounts every decision record, and holds the log's records against the control plane's history. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseInstant, type RecordedDigest, type ReplayedPage, type ReplayedRecord } from '@rampart/contracts';
import type { Typed } from '../command-line.js';
import { count, duration, type Progress } from '../import/progress.js';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { type CheckedComparison, checkRows, leftOutReport, rowsReport, toCheck } from './differing-rows.js';
import { counts, type FoundRecord, foundRecords, isFault, reportOf } from './replayed-records.js';

export interface ReplayRequest {
  readonly filter: Readonly<Partial<Record<'project' | 'environment' | 'experiment' | 'since', string>>>;
  readonly address: string | undefined;
  readonly isJson: boolean;
  /** Rows behind sums that differ are not looked for. */
  readonly isWithoutRows: boolean;
}

/** @throws Refusal (exit code 2) */
export const replayRequest = ({ texts, flags }: Pick<Typed, 'texts' | 'flags'>): ReplayRequest => {
  const { since, project, environment, experiment, address } = texts;
  if (since !== undefined && parseInstant(since) === undefined)
    throw usage(`--since is an instant with a zone, as 2026-01-31T12:00:00Z, not "${since}".`);
  const named = Object.entries({ project, environment, experiment, since }).filter(([, text]) => text !== undefined);
  return { filter: Object.fromEntries(named), address, isJson: flags.json === true, isWithoutRows: flags['without-rows'] === true };
};

export interface Replaying {
  readonly environment: Environment;
  readonly progress: Progress;
  readonly print: (text: string) => void;
  readonly nowMs: () => number;
}

const PAGE = 50;

/** @returns the exit code: 1 where a record differs, was altered, or can't be recounted though its rows were not expired */
export const replayDecisions = async (
  { filter, address, isJson, isWithoutRows }: ReplayRequest,
  { environment, ...out }: Replaying,
): Promise<number> => {
  const platform = await requirePlatform(environment, address);
  const { key } = adminKey(environment);
  const client = new ApiClient(platform.address, key, 60_000, (why) => out.progress.say(why));
  const startedMs = out.nowMs();
  try {
    // Before the log: what the history has by now, the log has by then, or a moment later.
    const before = await historyAfter(client, 0);
    const meant = before.items.filter((one) => isMeant(one, filter));
    const { items, unreadable, engine } = await withLate(meant, await allReplayed(client, filter, startedMs, out), (after) =>
      allReplayed(client, filter, startedMs, out, after),
    );
    const later = await historyAfter(client, before.next);
    const replayed = new Set(items.map(({ id }) => id));
    // Recorded meanwhile: nobody was asked about them.
    const history = [...before.items, ...later.items.filter(({ id }) => replayed.has(id))].filter((one) => isMeant(one, filter));
    const found = foundRecords(items, history);
    const elapsedMs = out.nowMs() - startedMs;
    const rows: CheckedComparison[] = [];
    const { checked, leftOut } = isWithoutRows ? { checked: [], leftOut: [] } : toCheck(found);
    for (const record of checked) rows.push(await checkRows(platform.address, key, record, out.progress));
    const report = { engine, unreadable, elapsedMs };
    if (isJson)
      out.print(
        JSON.stringify({ ...report, counts: counts(found), records: found, rows, rowsLeftOut: leftOut.map(placeOf) }, undefined, 2),
      );
    else {
      const told = [reportOf({ ...report, found }), ...rows.map(rowsReport), leftOutReport(leftOut)];
      out.print(told.filter((text) => text !== undefined).join('\n'));
    }
    return found.some(isFault) || rows.some(({ result }) => result.rows.length > 0) || unreadable > 0 ? 1 : 0;
  } finally {
    out.progress.clear();
    await client.close();
  }
};

const placeOf = ({ project, environment, experiment, comparison, id }: FoundRecord) => ({
  project,
  environment,
  experiment,
  comparison,
  record: id,
});

const historyAfter = async (
  client: ApiClient,
  after: number,
): Promise<{ readonly items: readonly RecordedDigest[]; readonly next: number }> => {
  const items: RecordedDigest[] = [];
  let from = after;
  for (;;) {
    const { body } = await client.expect('GET', '/v1/admin/decisions', [200], undefined, { query: { after: String(from) } });
    items.push(...(body.items as readonly RecordedDigest[]));
    if (body.next === null) return { items, next: from };
    from = body.next as number;
  }
};

type Replays = Pick<ReplayedPage, 'items' | 'unreadable' | 'engine'>;

/** So long may `decisions.v1` be behind the history. */
const LOG_BEHIND_MS = 2_000;
const PAUSE_MS = 250;

/** A record that was appended just before is told to the log a moment later: it is missing there only when that is over. */
const withLate = async (
  history: readonly RecordedDigest[],
  first: Replays,
  replayedAfter: (id: string | undefined) => Promise<Replays>,
): Promise<Replays> => {
  let found = first;
  const isMissing = () => {
    const ids = new Set(found.items.map(({ id }) => id));
    return history.some(({ id }) => !ids.has(id));
  };
  for (let waitedMs = 0; isMissing() && waitedMs < LOG_BEHIND_MS; waitedMs += PAUSE_MS) {
    await sleep(PAUSE_MS);
    const late = await replayedAfter(found.items.at(-1)?.id);
    found = { ...late, items: [...found.items, ...late.items] };
  }
  return found;
};

/** @param first  the id behind which it begins; undefined: with the first */
const allReplayed = async (
  client: ApiClient,
  filter: ReplayRequest['filter'],
  startedMs: number,
  { progress, nowMs }: Pick<Replaying, 'progress' | 'nowMs'>,
  first?: string,
): Promise<Replays> => {
  const items: ReplayedRecord[] = [];
  let after = first;
  for (;;) {
    const { body } = await client.expect('POST', '/v1/decisions/replay', [200], { ...filter, limit: PAGE, after });
    const page = body as ReplayedPage;
    items.push(...page.items);
    progress.show(() => paceOf(items.length, page.total, nowMs() - startedMs));
    if (page.next === null) return { items, unreadable: page.unreadable, engine: page.engine };
    after = page.next;
  }
};

const paceOf = (done: number, total: number, elapsedMs: number): string => {
  const left = done === 0 ? '' : `, ${duration(((total - done) * elapsedMs) / done)} left`;
  return `${count(done)} of ${count(total)} records${left}`;
};

const isMeant = (one: RecordedDigest, { project, environment, experiment, since }: ReplayRequest['filter']): boolean =>
  (project === undefined || one.project === project) &&
  (environment === undefined || one.environment === environment) &&
  (experiment === undefined || one.experiment === experiment) &&
  (since === undefined || (parseInstant(one.recordedAt) ?? 0) >= (parseInstant(since) ?? 0));
