/** Rows and queries for tests: only what a test is about is said in it. */
import { type FeedbackRow, type MetricInput, metricDefinition } from '@rampart/contracts';
import { type ComparisonQuery, END_OF_TIME, type PlacedRow } from '../feedback-store.js';

const pseudonym = (unit: number): string => unit.toString(16).padStart(32, '0');

const placed = (kind: FeedbackRow['kind'], number: number, about: Partial<FeedbackRow> & { readonly known?: number }): PlacedRow => {
  const { known, ...row } = about;
  return {
    position: BigInt(number) << 12n,
    knownAtUs: known ?? row.at ?? 0,
    partition: 0,
    row: {
      kind,
      project: 'shop',
      environment: 'live',
      name: 'buy',
      unitType: 'user',
      unit: pseudonym(1),
      source: 'test',
      id: `${kind}-${number}`,
      at: 0,
      digest: number.toString(16).padStart(16, '0'),
      key: 'key',
      ...row,
    },
  };
};

interface About extends Omit<Partial<FeedbackRow>, 'unit'> {
  readonly unit?: number;
  /** Default: at the time it happened. */
  readonly known?: number;
}

const withUnit = ({ unit, ...about }: About): Partial<FeedbackRow> & { readonly known?: number } => ({
  ...about,
  ...(unit === undefined ? {} : { unit: pseudonym(unit) }),
});

/** A randomised exposure to variant a. @param number  its place in the log */
export const exposure = (number: number, about: About = {}): PlacedRow =>
  placed('exposure', number, { name: 'button', variant: 'a', reason: 'SPLIT', segment: 1, ...withUnit(about) });

/** An event worth 1. */
export const event = (number: number, about: About = {}): PlacedRow => placed('metric', number, { value: '1000000', ...withUnit(about) });

export const importCompleted = (number: number, about: About = {}): PlacedRow =>
  placed('import', number, { name: '', unitType: '', ...withUnit(about), unit: '' });

/** The unit's rows at smaller numbers are no more. */
export const erasure = (number: number, about: About = {}): PlacedRow =>
  placed('erasure', number, { name: '', unitType: 'user', ...withUnit(about) });

export const comparison = (metrics: readonly Partial<MetricInput>[], about: Partial<ComparisonQuery> = {}): ComparisonQuery => ({
  project: 'shop',
  environment: 'live',
  historical: false,
  experiment: 'button',
  unitType: 'user',
  cells: [
    { variant: 'a', arm: 'control' },
    { variant: 'b', arm: 'treatment' },
  ],
  segments: [1],
  timeline: [{ segment: 1, fromUs: 0 }],
  reasonWhenMissing: 'SPLIT',
  multipleExposure: 'exclude',
  allowedLatenessUs: 10,
  knownUntilUs: END_OF_TIME,
  metrics: metrics.map((metric) => ({
    version: 1,
    definition: metricDefinition.parse({
      key: 'metric',
      name: 'Metric',
      type: 'mean',
      unitType: 'user',
      numerator: { event: 'buy' },
      windowUs: 100,
      ...metric,
    }),
  })),
  ...about,
});
