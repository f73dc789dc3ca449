/** Decision records as analysis proposes them, and the way to propose them. */
import { type DecisionRecord, experimentDefinition, LOOKS, type LookMessage, metricDefinition, RECORD_PROPOSALS } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { recordIdOf } from '../command/record-id.js';
import { aMetric, anExperiment, type ControlPlane } from '../control-plane.examples.js';

/** Of the start, in microseconds. */
export const T0 = 1_767_225_600_000_000;

/** The first record of the experiment `button` in production, unless something else is said; under the id that its parts make. */
export const aRecord = (change: Partial<DecisionRecord> = {}): DecisionRecord => {
  const { project = 'default', environment = 'production', experiment = 'button' } = change;
  const state = { experiment, version: 1, status: 'running', startedAtUs: T0, closedAtUs: null } as const;
  const segment = { segment: 1, comparison: 1, startedAtUs: T0, coverage: 1, seed: 's', hashVersion: 2 } as const;
  const sums = { metric: 'converted', version: 1, segment: 1, stratum: '', scale: '1000000', units: 100 };
  const verdict = { verdict: 'continue', rule: 'minimum-run', sentence: '2 of 7 days have passed' } as const;
  const excluded = { 'own-choice': 0, override: 1, 'unknown-variant': 0, 'reason-unknown': 0, 'two-arms': 2, 'not-randomised': 0 };
  const record: DecisionRecord = {
    id: '',
    previous: null,
    project,
    environment,
    experiment,
    comparison: 1,
    stage: null,
    cause: 'first',
    policy: 'ship',
    knownUntilUs: T0 + 1,
    definition: {
      environment: { project, key: environment, kind: 'live' },
      experiment: experimentDefinition.parse(anExperiment({ key: experiment })),
      version: 1,
      state: { ...state, segments: [segment], metricVersions: { converted: 1 } },
      metrics: [{ use: { metric: 'converted', role: 'success' }, version: 1, definition: metricDefinition.parse(aMetric()) }],
    },
    seenEvents: ['purchase'],
    sums: [
      { ...sums, variant: 'blue', arm: 'blue', sum: '10000000', sumSquares: '10000000000000' },
      { ...sums, variant: 'green', arm: 'green', sum: '12000000', sumSquares: '12000000000000' },
    ],
    population: ['blue', 'green'].map((arm) => ({ variant: arm, arm, exposed: 103, counted: 100, excluded })),
    verdict: {
      ...verdict,
      arms: [{ arm: 'green', ...verdict }],
      findings: [{ kind: 'waiting', metric: null, arm: null, holds: true, sentence: '2 of 7 days have passed' }],
    },
    actions: { ramp: 'stay', experiment: 'stay', gate: 'wait' },
    latched: [],
    numbers: { 'converted/green/estimate': '0.0200000000000' },
    evidenceDigest: 'e'.repeat(64),
    conclusionDigest: 'c'.repeat(64),
    engine: 'rampart/1',
    ...change,
  };
  return { ...record, id: change.id ?? recordIdOf(record) };
};

/** A later one of the same comparison. */
export const after = (previous: DecisionRecord, change: Partial<DecisionRecord> = {}): DecisionRecord => {
  const { project, environment, experiment, comparison, stage, knownUntilUs, latched, definition } = previous;
  const place = { project, environment, experiment, comparison, stage, definition };
  return aRecord({ ...place, previous: previous.id, knownUntilUs: knownUntilUs + 1_000_000, latched, cause: 'daily', ...change });
};

export const propose = async (log: EventLog, ...records: readonly DecisionRecord[]): Promise<void> => {
  await log.append(
    RECORD_PROPOSALS,
    records.map((record) => ({ partition: 0, value: JSON.stringify({ record }) })),
  );
};

export const aLook = (change: Partial<LookMessage> = {}): LookMessage => ({
  project: 'default',
  environment: 'production',
  experiment: 'button',
  comparison: 1,
  stage: null,
  policy: 'ship',
  definitionVersion: 1,
  knownUntilUs: T0 + 5,
  verdict: 'continue',
  sentence: '2 of 7 days have passed',
  actions: { ramp: 'stay', experiment: 'stay', gate: 'wait' },
  units: 200,
  record: null,
  lookedAtUs: T0 + 6,
  ...change,
});

export const logOf = ({ app }: ControlPlane): EventLog => app.get(EventLog, { strict: false });

export const tellLook = async (log: EventLog, key: string, value: LookMessage | string): Promise<void> => {
  await log.append(LOOKS, [{ partition: 0, key, value: typeof value === 'string' ? value : JSON.stringify(value) }]);
};
