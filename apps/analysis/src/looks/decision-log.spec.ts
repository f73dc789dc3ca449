import { describe, expect, it } from '@jest/globals';
import { DECISIONS, type DecisionRecord, type RecordedDecision } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { DecisionLog } from './decision-log.js';

const place = { project: 'shop', environment: 'production', experiment: 'button', comparison: 1, stage: null };
const silent = { ramp: 'stay', experiment: 'stay', gate: 'wait' } as const;

const record = (id: string, previous: string | null, knownUntilUs: number, change: Partial<DecisionRecord> = {}): DecisionRecord => ({
  ...place,
  id,
  previous,
  knownUntilUs,
  cause: 'verdict',
  policy: 'ship',
  // Of the definition, only its hash is kept; an empty one has one too.
  definition: { environment: {}, experiment: {}, state: {}, metrics: [] } as unknown as DecisionRecord['definition'],
  seenEvents: [],
  sums: [],
  population: [],
  verdict: { verdict: 'continue', rule: 'r', sentence: id, arms: [], findings: [] },
  actions: silent,
  latched: [],
  numbers: {},
  evidenceDigest: '',
  conclusionDigest: '',
  engine: 'e',
  ...change,
});

const recorded = (revision: number, one: DecisionRecord): RecordedDecision => ({ record: one, recordedAtUs: revision * 10, revision });

const logOf = async (...messages: readonly unknown[]) => {
  const log = new MemoryEventLog();
  await log.createTopic({ topic: DECISIONS, partitions: 1, compacted: false });
  await log.append(
    DECISIONS,
    messages.map((message) => ({ partition: 0, value: typeof message === 'string' ? message : JSON.stringify(message) })),
  );
  const decisions = new DecisionLog(log);
  decisions.start();
  for (let tries = 0; decisions.trouble() !== undefined && tries < 500; tries += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  return { log, decisions };
};

describe('the log of decisions', () => {
  it('knows the newest record of each comparison, and what it was at a moment', async () => {
    const other = record('z', null, 50, { experiment: 'other' });
    const { decisions } = await logOf(recorded(1, record('a', null, 100)), recorded(1, other), recorded(2, record('b', 'a', 200)));
    expect(decisions.newest(place)?.id).toBe('b');
    expect(decisions.newestAsOf(place, 199)?.id).toBe('a');
    expect(decisions.newestAsOf(place, 200)?.id).toBe('b');
    expect(decisions.newestAsOf(place, 99)).toBeUndefined();
    expect(decisions.newest({ ...place, experiment: 'other' })?.id).toBe('z');
    expect(decisions.newest({ ...place, comparison: 2 })).toBeUndefined();
    await decisions.close();
  });

  it('reads a whole record back by its id', async () => {
    const { decisions } = await logOf(
      recorded(1, record('a', null, 100)),
      recorded(2, record('b', 'a', 200, { seenEvents: ['purchase'] })),
    );
    expect((await decisions.read('b'))?.record.seenEvents).toEqual(['purchase']);
    expect(await decisions.read('c')).toBeUndefined();
    await decisions.close();
  });

  it('takes a repeated record once and steps over what is none', async () => {
    const { decisions } = await logOf(
      recorded(1, record('a', null, 100)),
      'no json',
      {},
      { record: { id: 'forged' }, recordedAtUs: 5, revision: 1 },
      'null',
      recorded(1, record('a', null, 100)),
      recorded(2, record('b', 'a', 200)),
    );
    expect(decisions.newest(place)?.id).toBe('b');
    expect(decisions.newestAsOf(place, 150)?.id).toBe('a');
    expect(decisions.skipped).toBe(4);
    expect(decisions.trouble()).toBeUndefined();
    await decisions.close();
  });
});
