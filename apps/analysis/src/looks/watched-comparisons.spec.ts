import { describe, expect, it } from '@jest/globals';
import { DECISIONS } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { concluded, converted, definitionOf, onDay, ones } from '../figures/conclusion.examples.js';
import { exampleComparison } from '../figures/figures.examples.js';
import { EvidenceOf, OneDefinition } from '../results/evidence.examples.js';
import { DecisionLog } from './decision-log.js';
import { recordOf } from './records.js';
import { WatchedComparisons } from './watched-comparisons.js';

const history = definitionOf({ metrics: [converted], kind: 'historical' });

/** Read to its end, with one record of the history's look at that moment, or none. */
const decisionsWith = async (knownUntilUs: number | null): Promise<DecisionLog> => {
  const log = new MemoryEventLog();
  await log.createTopic({ topic: DECISIONS, partitions: 1, compacted: false });
  const { environment, experiment, version, state, metrics } = history;
  if (knownUntilUs !== null && state !== null) {
    const record = recordOf({
      place: { project: 'shop', environment: environment.key, experiment: experiment.key, comparison: 1, stage: null },
      policy: experiment.policy,
      cause: 'first',
      previous: null,
      knownUntilUs,
      definition: { environment, experiment, version, state, metrics },
      seenEvents: new Set(),
      conclusion: concluded({ metrics: [converted], cells: [[ones(10, 1)], [ones(10, 1)]], kind: 'historical' }),
      engine: 'e',
    });
    await log.append(DECISIONS, [{ partition: 0, value: JSON.stringify({ record, recordedAtUs: 1, revision: 1 }) }]);
  }
  const decisions = new DecisionLog(log);
  decisions.start();
  for (let tries = 0; decisions.trouble() !== undefined && tries < 500; tries += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  return decisions;
};

const watchedAt = async (watermarkUs: number, completedAtUs: number | null, recordedUs: number | null): Promise<number> => {
  const evidence = new EvidenceOf({ watermarkUs, completedAtUs, sumsAt: () => exampleComparison([]) });
  const watched = new WatchedComparisons(new OneDefinition(history), evidence, await decisionsWith(recordedUs));
  return (await watched.at(watermarkUs)).length;
};

describe('a history', () => {
  it('is looked at once its import is complete and known to be', async () => {
    expect(await watchedAt(onDay(5), null, null)).toBe(0);
    expect(await watchedAt(onDay(5), onDay(6), null)).toBe(0);
    expect(await watchedAt(onDay(6), onDay(6), null)).toBe(1);
  });

  it('is not looked at again, until more was imported and completed anew', async () => {
    expect(await watchedAt(onDay(9), onDay(6), onDay(7))).toBe(0);
    expect(await watchedAt(onDay(9), onDay(8), onDay(7))).toBe(1);
  });
});
