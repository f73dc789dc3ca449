/** Behind sums that differ are rows: which of them the store has otherwise than the log. Asked of the platform, and told in words. */
import type { DifferingRow, RowCheckLine, RowCheckResult } from '@rampart/contracts';
import { request } from 'undici';
import { count, type Progress } from '../import/progress.js';
import { Refusal } from '../refusal.js';
import type { FoundRecord } from './replayed-records.js';

/** Nothing comes for so long only where something hangs. */
const patienceMs = 300_000;
/** Each costs a reading of the log. */
const MOST_COMPARISONS = 5;

export interface CheckedComparison {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  /** Whose rows were asked about. */
  readonly record: string;
  readonly result: RowCheckResult;
}

export interface RowsToCheck {
  /** A record each: the newest of its comparison. */
  readonly checked: readonly FoundRecord[];
  /** For which there was no room: nobody knows how their rows are. */
  readonly leftOut: readonly FoundRecord[];
}

/**
 * Of each comparison the newest record whose sums are others: what earlier ones knew, it knows too. Comparisons with sums that nothing explains come
 * first, then those where units were erased since: something else may be behind that.
 */
export const toCheck = (found: readonly FoundRecord[]): RowsToCheck => {
  const newest = new Map<string, FoundRecord>();
  const unexplained = new Set<string>();
  for (const one of found) {
    if (one.status !== 'differs' && one.code !== 'units-erased') continue;
    const comparison = [one.project, one.environment, one.experiment, one.comparison].join('\0');
    newest.set(comparison, one);
    if (one.status === 'differs') unexplained.add(comparison);
  }
  const [first, last] = [true, false].map((isFirst) => [...newest].filter(([comparison]) => unexplained.has(comparison) === isFirst));
  const records = [...(first ?? []), ...(last ?? [])].map(([, record]) => record);
  return { checked: records.slice(0, MOST_COMPARISONS), leftOut: records.slice(MOST_COMPARISONS) };
};

/** @throws Refusal where the platform does not come to its end */
export const checkRows = async (
  address: string,
  key: string,
  { project, environment, experiment, id }: FoundRecord,
  progress: Progress,
): Promise<CheckedComparison> => {
  const path = `/v1/decisions/${id}/rows?project=${encodeURIComponent(project)}`;
  const { statusCode, body } = await request(`${address}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    headersTimeout: patienceMs,
    bodyTimeout: patienceMs,
  });
  if (statusCode !== 200) throw new Refusal(`POST ${path} was refused (${statusCode}): ${(await body.text()).slice(0, 500)}`);
  const place = `${project}/${environment}/${experiment}`;
  const brokeOff = (why: string) => new Refusal(`The rows of ${place} were not compared to the end: ask again.${why}`);
  try {
    for await (const line of linesOf(body)) {
      if ('rows' in line) return { project, environment, experiment, record: id, result: line };
      progress.show(() => `rows of ${place}: ${count(line.read)} of ${count(line.toRead)} messages`);
    }
  } catch (error) {
    throw brokeOff(` (${error instanceof Error ? error.message : String(error)})`);
  }
  throw brokeOff('');
};

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<RowCheckLine> {
  let held = '';
  for await (const chunk of body) {
    held += Buffer.from(chunk).toString('utf8');
    const lines = held.split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as RowCheckLine;
  }
}

export const rowsReport = ({ project, environment, experiment, result }: CheckedComparison): string => {
  const { rows, hasMore, judgedSince } = result;
  const place = `${project}/${environment}/${experiment}`;
  const since = judgedSince === null ? '' : ` (of those known since ${judgedSince}: log or store have been cut before)`;
  if (rows.length === 0) return `Every row of ${place} is as the log has it${since}.`;
  return [
    `Rows of ${place} that are not as the log has them${since}:`,
    ...rows.map((row) => `  ${sentenceOf(row)}`),
    ...(hasMore ? ['  … and more.'] : []),
  ].join('\n');
};

/** Of more of them only the number is told. */
const mostTold = 20;

/** @returns undefined where nothing was left out */
export const leftOutReport = (leftOut: readonly FoundRecord[]): string | undefined => {
  if (leftOut.length === 0) return undefined;
  const what = leftOut.length === 1 ? '1 comparison' : `${leftOut.length} comparisons`;
  return [
    `The rows of ${what} were not held against the log, at most ${MOST_COMPARISONS} are at once; ask for them alone:`,
    ...leftOut
      .slice(0, mostTold)
      .map(({ project, environment, experiment }) => `  --project ${project} --environment ${environment} --experiment ${experiment}`),
    ...(leftOut.length > mostTold ? [`  … and ${leftOut.length - mostTold} more: --json tells all.`] : []),
  ].join('\n');
};

const sentenceOf = ({ kind, event, unit, idHash, columns }: DifferingRow): string => {
  const named =
    event === null ? `a row with the id hash ${idHash}` : `${event.name}: event ${event.id} of ${event.source} (${event.place})`;
  if (kind === 'too-many') return `too many: ${named} of unit ${unit}; the log has none`;
  if (kind === 'missing') return `missing: ${named} of unit ${unit}`;
  return `altered: ${named} of unit ${unit}: ${columns.map(({ column, store, log }) => `${column} is ${store}, was ${log}`).join('; ')}`;
};
