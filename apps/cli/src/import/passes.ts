/** The two passes over a file: the first looks, the second sends. */

import { eventDeriver } from '../derivation/derived-events.js';
import { rowReader } from '../derivation/row-reading.js';
import { type BadCell, Survey } from '../derivation/survey.js';
import { type Joins, openTable } from '../derivation/table.js';
import type { Cell, ImportPlan } from '../plan/plan.js';
import { Refusal } from '../refusal.js';
import { canonicalOrder, hashText, Occurrences, rowHash } from '../table/row-identity.js';
import type { EventSender } from './batches.js';

export interface Source {
  readonly plan: ImportPlan;
  readonly dataFile: string;
  readonly joins: Joins;
  readonly signal: AbortSignal;
}

export const survey = async ({ plan, dataFile, joins, signal }: Source, onRow: (rows: number) => void): Promise<Survey> => {
  const table = await openTable(dataFile, joins);
  const reader = rowReader(plan, table.header, dataFile);
  const found = new Survey(plan);
  for await (const { line, cells, problem } of table.rows) {
    signal.throwIfAborted();
    found.rows++;
    if (problem !== undefined) found.addBad([{ line, column: '', sentence: problem }]);
    else if (reader.counts(cells)) found.add(line, reader.read(cells));
    onRow(found.rows);
  }
  return found;
};

export interface Sending {
  readonly sender: EventSender;
  readonly cells: readonly Cell[];
  readonly scales: ReadonlyMap<string, bigint>;
}

/** Bad rows are left out: whether that is wanted was decided after the survey. @returns how many rows repeat another one exactly */
export const sendRows = async (
  source: Source,
  { sender, cells: design, scales }: Sending,
  onRow: (rows: number) => void,
): Promise<number> => {
  const { plan, dataFile, joins, signal } = source;
  const table = await openTable(dataFile, joins);
  const reader = rowReader(plan, table.header, dataFile);
  const derive = eventDeriver(plan, design, scales);
  const order = canonicalOrder(table.ownColumns);
  const occurrences = new Occurrences();
  let rows = 0;
  let repeated = 0;
  for await (const { line, cells, problem } of table.rows) {
    signal.throwIfAborted();
    onRow(++rows);
    if (problem !== undefined || !reader.counts(cells)) continue;
    const reading = reader.read(cells);
    if (reading.problems.length > 0) continue;
    const digest = rowHash(plan.key, cells, order);
    const occurrence = occurrences.next(digest);
    if (occurrence > 1) repeated++;
    for (const { column, text } of derive(reading, { hash: hashText(digest), occurrence }))
      if (sender.add(text, { line, column })) await sender.flush();
  }
  await sender.drained();
  return repeated;
};

const SHOWN = 10;

/** @throws Refusal listing the first bad cells, unless they are to be skipped */
export const checkRows = (found: Survey, dataFile: string, skipBadRows: boolean): string | undefined => {
  if (found.counted === 0 && found.bad === 0)
    throw new Refusal(`No row of ${dataFile} counts: it has ${found.rows} rows${found.rows > 0 ? ', and the filters let none pass' : ''}.`);
  if (found.bad === 0) return undefined;
  const places = found.badCells.slice(0, SHOWN).map((bad) => `  ${placeOf(dataFile, bad)} ${bad.sentence}`);
  const list = `${places.join('\n')}${found.badCells.length > SHOWN ? '\n  …' : ''}`;
  const summary = `${found.bad} of ${found.rows} rows of ${dataFile} cannot be read:\n${list}`;
  if (skipBadRows) return `${summary}\nThey are left out.`;
  throw new Refusal(`${summary}\nNothing was sent. Correct them, filter them out in the plan, or leave them out with --skip-bad-rows.`);
};

const placeOf = (file: string, { line, column }: BadCell): string => `${file}:${line}:${column === '' ? '' : ` column "${column}":`}`;
