import { describe, expect, it } from '@jest/globals';
import type { DecisionRecord } from '@rampart/contracts';
import type { ComparisonSums } from '@rampart/feedback-store';
import { concluded, converted, definitionOf, onDay, ones } from '../figures/conclusion.examples.js';
import { exampleComparison } from '../figures/figures.examples.js';
import { recountedConclusion, replayOf } from './record-recount.js';
import { recordOf } from './records.js';

const cells = [[ones(5000, 500)], [ones(5000, 620)]];

const aRecord = (): DecisionRecord => {
  const definition = definitionOf({ metrics: [converted] });
  const { environment, experiment, version, state, metrics } = definition;
  if (state === null) throw new Error('the example runs');
  return recordOf({
    place: { project: 'shop', environment: environment.key, experiment: experiment.key, comparison: 1, stage: null },
    policy: experiment.policy,
    cause: 'first',
    previous: null,
    knownUntilUs: onDay(8),
    definition: { environment, experiment, version, state, metrics },
    seenEvents: new Set(['button', 'converted']),
    conclusion: concluded({ metrics: [converted], cells }),
    engine: 'rampart/1',
  });
};

const replayed = (record: DecisionRecord, sums: ComparisonSums = exampleComparison(cells)) =>
  replayOf(record, recountedConclusion(record, sums, []));

describe('a replay', () => {
  it('of an unaltered record over the same rows says the same', () => {
    expect(replayed(aRecord())).toMatchObject({ evidence: { same: true }, conclusion: { same: true }, intact: true });
  });

  it('over other rows names the metric, and both numbers', () => {
    const { evidence, intact, sentence } = replayed(aRecord(), exampleComparison([[ones(5000, 500)], [ones(5000, 621)]]));
    expect(evidence.same).toBe(false);
    expect(intact).toBe(true);
    expect(sentence).toContain('converted of B: sum was 620000000, is 621000000');
  });

  it.each<readonly [string, (record: DecisionRecord) => DecisionRecord, string]>([
    ['sums', (record) => ({ ...record, sums: record.sums.map((row) => ({ ...row, sum: '1' })) }), 'digests'],
    ['known time', (record) => ({ ...record, knownUntilUs: record.knownUntilUs + 1 }), 'id'],
    ['place', (record) => ({ ...record, experiment: 'other' }), 'id'],
    ['actions', (record) => ({ ...record, actions: { ...record.actions, gate: 'no-go' } }), 'actions'],
    ['sentence', (record) => ({ ...record, verdict: { ...record.verdict, sentence: 'all is well' } }), 'sentences'],
    ['verdict of an arm', (record) => ({ ...record, verdict: { ...record.verdict, arms: [] } }), 'sentences'],
  ])('of a record whose %s was altered says so', (_what, alter, why) => {
    const { intact, sentence } = replayed(alter(aRecord()));
    expect(intact).toBe(false);
    expect(sentence).toMatch(/^the record itself was altered/);
    expect(sentence).toContain(why);
  });
});
