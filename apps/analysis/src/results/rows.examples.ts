/** A small dirty history as rows of the log: every kind of unit that a population table tells apart, two metrics, a covariate. */
import type { FeedbackRow } from '@rampart/contracts';
import type { PlacedRow } from '@rampart/feedback-store';
import { exampleDefinition } from '../figures/figures.examples.js';

const AT = 1_700_000_000_000_000;
const SECOND = 1_000_000;

export const dirtyHistory = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A', assignment: 'rampart' }, [
  { input: { key: 'bought', type: 'proportion', numerator: { event: 'purchase' } } },
  {
    input: {
      key: 'spend',
      type: 'mean',
      numerator: { event: 'purchase' },
      capUpper: '40',
      covariate: { selector: { event: 'history' }, lookbackUs: 2 * SECOND, whenMissing: 'zero' },
    },
    use: { role: 'secondary' },
  },
  {
    input: {
      key: 'per_visit',
      type: 'ratio',
      numerator: { event: 'purchase' },
      denominator: { event: 'visit' },
      denominatorAggregate: 'count',
    },
    use: { role: 'secondary' },
  },
]);

/** @param units  of these every 50th chose its arm itself, every 50th was seen in both, every 50th saw variant Z, every 3rd bought */
export const dirtyRows = (units: number, environment = 'past'): readonly PlacedRow[] => {
  const rows = Array.from({ length: units }, (_, index) => rowsOfUnit(index, environment)).flat();
  return rows.map((row, index): PlacedRow => ({ row, position: BigInt(index), knownAtUs: AT + 3600 * SECOND + index }));
};

/** The same while it is lived: a unit each minute, known a second later; `moments` reach from the first until all are closed. */
export const arriving = (units: number, environment: string) => {
  const rows = Array.from({ length: units }, (_, unit) =>
    rowsOfUnit(unit, environment).map((row): FeedbackRow => {
      const at = row.at + unit * 60 * SECOND;
      return { ...row, at, knownAt: at };
    }),
  ).flat();
  const placed = rows.map((row, index): PlacedRow => ({ row, position: BigInt(index), knownAtUs: row.at + SECOND + index }));
  const [firstUs, lastUs] = [AT, AT + (units * 60 + 2 * 3600) * SECOND];
  return { rows: placed, at: (share: number) => firstUs + Math.floor(share * (lastUs - firstUs)) };
};

const rowsOfUnit = (index: number, environment: string): readonly FeedbackRow[] => {
  const unit = index.toString(16).padStart(32, '0');
  const about = { project: 'shop', environment, unitType: 'user', unit, source: 'spec', digest: '0'.repeat(16), key: 'k' };
  const row = (id: string, at: number, more: Pick<FeedbackRow, 'kind' | 'name'> & Partial<FeedbackRow>): FeedbackRow => ({
    ...about,
    id: `${id}-${index}`,
    knownAt: at,
    at,
    ...more,
  });
  const variant = index % 50 === 3 ? 'Z' : index % 2 === 0 ? 'A' : 'B';
  const exposed = (id: string, at: number, of: string, reason: FeedbackRow['reason']) =>
    row(id, at, { kind: 'exposure', name: 'button', variant: of, segment: 1, ...(reason === undefined ? {} : { reason }) });
  const event = (id: string, name: string, at: number, value: number) =>
    row(id, at, { kind: 'metric', name, value: String(value * 1_000_000) });
  return [
    exposed('exposure', AT, variant, index % 50 === 1 ? 'USER_CHANNEL' : 'SPLIT'),
    ...(index % 50 === 2 ? [exposed('second', AT + SECOND, variant === 'A' ? 'B' : 'A', 'SPLIT')] : []),
    event('visit', 'visit', AT + SECOND, 1),
    ...(index % 4 === 0 ? [event('again', 'visit', AT + 2 * SECOND, 1)] : []),
    ...(index % 3 === 0 ? [event('purchase', 'purchase', AT + 3 * SECOND, (index % 50) + 0.25)] : []),
    ...(index % 5 === 0 ? [event('history', 'history', AT - SECOND, index % 7)] : []),
  ];
};
