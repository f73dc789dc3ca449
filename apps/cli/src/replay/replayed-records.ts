/** What a replay of all records says, from what log, store and history hold of each: pure. */
import type { RecordedDigest, ReplayedRecord, ReplayStatus } from '@rampart/contracts';
import { textTable } from '../report/text-table.js';

/** A record as it was found, the history of the control plane included. */
export type FoundRecord = Omit<ReplayedRecord, 'cause' | 'knownUntil' | 'digest' | 'engine'> & { readonly engine: string | null };

/**
 * Both are told of the same records: one that log and history do not agree about was altered, or is missing, in one of them.
 * @param replayed  in the order of the log; @param history  what was asked about only
 */
export const foundRecords = (replayed: readonly ReplayedRecord[], history: readonly RecordedDigest[]): readonly FoundRecord[] => {
  const digests = new Map(history.map((one) => [one.id, one.digest]));
  const inLog = new Set(replayed.map(({ id }) => id));
  const found = replayed.map((record) => ({ ...record, ...disagreement(record, digests.get(record.id)) }));
  const missing = history.filter(({ id }) => !inLog.has(id)).map(missingInLog);
  return [...found, ...missing];
};

const disagreement = ({ digest, status }: ReplayedRecord, inHistory: string | undefined): Partial<FoundRecord> => {
  // What was altered in the log already has its sentence.
  if (inHistory === digest || status === 'altered') return {};
  const altered = { status: 'altered', code: null } as const;
  if (inHistory === undefined) return { ...altered, sentence: 'the log has it, the control plane’s history does not' };
  return { ...altered, sentence: 'the control plane’s history holds another record under its id than the log' };
};

const missingInLog = ({ digest: _, ...place }: RecordedDigest): FoundRecord => ({
  ...place,
  status: 'altered',
  sentence: 'the control plane’s history has it, the log does not: POST /v1/admin/rebuild {"names":["decisions.v1"]} tells it again',
  code: null,
  differences: [],
  engine: null,
});

export const STATUSES: readonly ReplayStatus[] = ['same', 'differs', 'altered', 'not-recountable'];

const TITLES: Readonly<Record<ReplayStatus, string>> = {
  same: 'same',
  differs: 'differs',
  altered: 'altered',
  'not-recountable': 'can’t be recounted',
};

export const counts = (found: readonly FoundRecord[]): Readonly<Record<ReplayStatus, number>> => {
  const of = (status: ReplayStatus) => found.filter((one) => one.status === status).length;
  return { same: of('same'), differs: of('differs'), altered: of('altered'), 'not-recountable': of('not-recountable') };
};

/** Rows that went by configuration, or because a unit was to be erased. */
const LAWFULLY_GONE: ReadonlySet<string | null> = new Set(['rows-expired', 'units-erased']);

/** That its rows are gone as they should is no fault of a record; everything else that is not the same is one. */
export const isFault = ({ status, code }: Pick<FoundRecord, 'status' | 'code'>): boolean =>
  status === 'not-recountable' ? !LAWFULLY_GONE.has(code) : status !== 'same';

/** Of more of them only the number is told. */
const mostTold = 50;

export interface ReportedReplay {
  readonly found: readonly FoundRecord[];
  readonly unreadable: number;
  /** That judged now. */
  readonly engine: string;
  readonly elapsedMs: number;
}

export const reportOf = ({ found, unreadable, engine, elapsedMs }: ReportedReplay): string => {
  const number = counts(found);
  const lines = [
    textTable([['records', String(found.length)], ...STATUSES.map((status) => [TITLES[status], String(number[status])])]),
    ...elsewhere(found, engine),
    ...told(found.filter(({ status }) => status !== 'same')),
  ];
  if (unreadable > 0) lines.push(`decisions.v1 holds ${unreadable} messages that are no records.`);
  const seconds = elapsedMs / 1000;
  lines.push(
    `${found.length} ${found.length === 1 ? 'record' : 'records'} in ${seconds.toFixed(1)} s (${(found.length / Math.max(seconds, 0.001)).toFixed(0)} a second).`,
  );
  return lines.join('\n');
};

const elsewhere = (found: readonly FoundRecord[], engine: string): readonly string[] => {
  const others = new Map<string, FoundRecord[]>();
  for (const one of found)
    if (one.engine !== null && one.engine !== engine) others.set(one.engine, [...(others.get(one.engine) ?? []), one]);
  return [...others].map(([other, records]) => {
    const { same } = counts(records);
    return `Of ${records.length} records that engine ${other} judged, ${engine} says the same of ${same}.`;
  });
};

const told = (found: readonly FoundRecord[]): readonly string[] => {
  const lines = found
    .slice(0, mostTold)
    .map(
      ({ status, id, project, environment, experiment, recordedAt, sentence }) =>
        `${TITLES[status]}: ${project}/${environment}/${experiment} ${id} of ${recordedAt}\n  ${sentence}`,
    );
  return found.length > mostTold ? [...lines, `… and ${found.length - mostTold} more: --json tells all.`] : lines;
};
