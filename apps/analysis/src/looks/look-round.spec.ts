import { describe, expect, it, jest } from '@jest/globals';
import {
  comparisonKey,
  DECISIONS,
  type DecisionRecord,
  LOOKS,
  type LookMessage,
  RECORD_PROPOSALS,
  type RecordProposal,
} from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import {
  type ComparisonQuery,
  type ComparisonSums,
  type FeedbackStore,
  MemoryFeedbackStore,
  StoreError,
  subtractSums,
} from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { type DefinitionInForce, Definitions } from '../definitions/definition-in-force.js';
import { StoreMending } from '../feedback/store-mending.js';
import { converted, crashed, definitionOf, onDay, ones, rampAt } from '../figures/conclusion.examples.js';
import { exampleComparison } from '../figures/figures.examples.js';
import { EvidenceOf } from '../results/evidence.examples.js';
import type { KnownQuery } from '../results/evidence.source.js';
import { DecisionLog } from './decision-log.js';
import { LookFigures } from './look-figures.js';
import { LookRound } from './look-round.js';
import { Proposals } from './proposals.js';
import { WatchedComparisons } from './watched-comparisons.js';

const named = (key: string, alphaMinus?: number): DefinitionInForce => {
  const definition = definitionOf({ metrics: [converted] });
  const { experiment } = definition;
  const plan = { ...experiment.plan, ...(alphaMinus === undefined ? {} : { alphaMinus }) };
  return { ...definition, experiment: { ...experiment, key, plan } };
};

const quiet = createLog('analysis', 'silent');

class ManyDefinitions extends Definitions {
  constructor(private readonly all: readonly DefinitionInForce[]) {
    super();
  }
  inForce(_project: string, _environment: string, experiment: string): DefinitionInForce {
    return this.all.find((one) => one.experiment.key === experiment) ?? named(experiment);
  }
  runs() {
    return this.all.map(({ project, environment, experiment }) => ({ project, environment: environment.key, experiment: experiment.key }));
  }
  environment(): DefinitionInForce['environment'] {
    return named('any').environment;
  }
}

class CountedEvidence extends EvidenceOf {
  questions = 0;
  override knownEvents(query: KnownQuery): Promise<readonly string[]> {
    this.questions += 1;
    return super.knownEvents(query);
  }
}

const roundOver = async (
  definitions: readonly DefinitionInForce[],
  store: FeedbackStore = new MemoryFeedbackStore(),
  watermark = () => onDay(1),
  sumsAt: (knownUntilUs: number) => ComparisonSums = () => exampleComparison([]),
) => {
  const log = new MemoryEventLog();
  for (const topic of [DECISIONS, LOOKS, RECORD_PROPOSALS]) await log.createTopic({ topic, partitions: 1, compacted: topic === LOOKS });
  const evidence = new CountedEvidence({
    get watermarkUs() {
      return watermark();
    },
    sumsAt,
  });
  const decisions = new DecisionLog(log);
  const metrics = new Metrics('analysis');
  const watched = new WatchedComparisons(new ManyDefinitions(definitions), evidence, decisions);
  const proposals = new Proposals(log, decisions, quiet);
  const round = new LookRound(
    log,
    store,
    evidence,
    watched,
    decisions,
    proposals,
    new StoreMending(store, quiet),
    new LookFigures(metrics),
    quiet,
  );
  return { decisions, evidence, log, metrics, round };
};

describe('a look at an experiment that can not be judged', () => {
  it('is counted as failed, and the others are looked at and recorded', async () => {
    const { log, metrics, round } = await roundOver([named('broken', 0), named('sound')]);
    expect(await round.look(onDay(2))).toMatchObject({ knownUntilUs: onDay(1) });
    const looks = await log.read({ topic: LOOKS, partition: 0, offset: 0, limit: 10 });
    const sound = { project: 'shop', environment: 'past', experiment: 'sound', comparison: 1, stage: null };
    expect(looks.map(({ key }) => key)).toEqual([comparisonKey(sound)]);
    expect(await log.read({ topic: RECORD_PROPOSALS, partition: 0, offset: 0, limit: 10 })).toHaveLength(1);
    expect(await metrics.registry.metrics()).toContain('rampart_look_failures_total{service="analysis"} 1');
  });
});

describe('a look at many experiments of an environment', () => {
  it('asks once which events arrive there', async () => {
    const { evidence, round } = await roundOver(['a', 'b', 'c'].map((key) => named(key)));
    await round.look(onDay(2));
    expect(evidence.questions).toBe(1);
  });
});

describe('a look that meets damaged rows', () => {
  it.each([
    ['has them mended for the next one, and fails', 246, 1],
    ['mends nothing when it was memory that was missing', 241, 0],
  ])('%s', async (_what, code, times) => {
    const store = new MemoryFeedbackStore();
    const mend = jest.spyOn(store, 'mend');
    jest.spyOn(store, 'identity').mockRejectedValueOnce(new StoreError('refused', { retriable: true, code }));
    const { round } = await roundOver([named('a')], store);
    await expect(round.look(onDay(2))).rejects.toMatchObject({ code });
    expect(mend).toHaveBeenCalledTimes(times);
    expect(await round.look(onDay(2))).toMatchObject({ comparisons: 1 });
  });
});

describe('a look that is given up', () => {
  it('publishes and records nothing more, and the next one takes all of it', async () => {
    const giving = new AbortController();
    const store = new MemoryFeedbackStore();
    const identity = jest.spyOn(store, 'identity').mockImplementationOnce(async () => {
      giving.abort();
      return 'a filling';
    });
    const { log, round } = await roundOver([named('a'), named('b')], store);
    await expect(round.look(onDay(2), giving.signal)).rejects.toMatchObject({ name: 'AbortError' });
    const looksIn = () => log.read({ topic: LOOKS, partition: 0, offset: 0, limit: 10 });
    expect(await looksIn()).toEqual([]);
    expect(identity).toHaveBeenCalledTimes(1);
    await round.look(onDay(2));
    expect(await looksIn()).toHaveLength(2);
  });
});

describe('a look that is given up while it is judged', () => {
  it('publishes and records nothing', async () => {
    const giving = new AbortController();
    const { log, evidence, round } = await roundOver([named('a')]);
    jest.spyOn(evidence, 'knownEvents').mockImplementationOnce(async () => {
      giving.abort();
      return [];
    });
    const append = jest.spyOn(log, 'append');
    await expect(round.look(onDay(2), giving.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(append).not.toHaveBeenCalled();
  });
});

describe('a look that waits for the log', () => {
  it('does so no longer than it is its turn', async () => {
    const giving = new AbortController();
    const { log, round } = await roundOver([named('a')]);
    jest.spyOn(log, 'append').mockImplementation(() => {
      giving.abort();
      return new Promise(() => undefined);
    });
    await expect(round.look(onDay(2), giving.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('nor with a record that the one before proposed', async () => {
    const giving = new AbortController();
    const { log, round } = await roundOver([named('a')]);
    await round.look(onDay(2));
    const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
    const append = jest.spyOn(log, 'append').mockImplementation(() => {
      giving.abort();
      return new Promise(() => undefined);
    });
    await expect(round.look(onDay(2), giving.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(append.mock.calls.map(([topic]) => topic)).toEqual([RECORD_PROPOSALS]);
    later.mockRestore();
  });
});

/** Says at each moment what it was told to say. */
class ToldStore extends MemoryFeedbackStore {
  readonly asked: (readonly string[])[] = [];
  constructor(private readonly sumsAt: (query: ComparisonQuery) => ComparisonSums) {
    super();
  }
  override async sums(query: ComparisonQuery): Promise<ComparisonSums> {
    this.asked.push([query.experiment]);
    return this.sumsAt(query);
  }
  override async delta(queries: readonly ComparisonQuery[], sinceUs: number): Promise<readonly ComparisonSums[]> {
    this.asked.push(queries.map(({ experiment }) => experiment));
    return queries.map((query) => subtractSums(this.sumsAt(query), this.sumsAt({ ...query, knownUntilUs: sinceUs })));
  }
}

const proposedIn = async (log: MemoryEventLog): Promise<readonly DecisionRecord[]> =>
  (await log.read({ topic: RECORD_PROPOSALS, partition: 0, offset: 0, limit: 100 })).map(
    ({ value }) => (JSON.parse(String(value)) as RecordProposal).record,
  );

describe('a crossing that is seen while another record is still to be appended', () => {
  it('is remembered, and recorded when its turn comes, though the evidence has receded', async () => {
    const definition = definitionOf({ metrics: [crashed], experiment: { policy: 'stage' } });
    // Crashes of the treatment: few, then many, then few again.
    const crashesOn = new Map([
      [onDay(1), 4],
      [onDay(2), 60],
      [onDay(3), 5],
      [onDay(4), 5],
    ]);
    let nowUs = onDay(1);
    const store = new ToldStore(({ knownUntilUs }) => exampleComparison([[ones(5000, 3)], [ones(5000, crashesOn.get(knownUntilUs) ?? 0)]]));
    const { decisions, log, round } = await roundOver([definition], store, () => nowUs);
    decisions.start();
    const lookOn = async (day: number): Promise<readonly DecisionRecord[]> => {
      nowUs = onDay(day);
      await round.look(nowUs);
      return proposedIn(log);
    };
    const [first] = await lookOn(1);
    expect(await lookOn(2)).toHaveLength(1);
    expect(await lookOn(3)).toHaveLength(1);
    await log.append(DECISIONS, [{ partition: 0, value: JSON.stringify({ record: first, recordedAtUs: 1, revision: 1 }) }]);
    await decisions.readToTheEnd();
    const [, second] = await lookOn(4);
    expect(second).toMatchObject({ cause: 'crossing', previous: first?.id, knownUntilUs: onDay(4), actions: { ramp: 'roll-back' } });
    expect(second?.latched).toEqual(
      expect.arrayContaining([expect.objectContaining({ test: 'harm', metric: 'crashed', knownUntilUs: onDay(2) })]),
    );
    await decisions.close();
  });
});

describe('planned looks', () => {
  it('are taken as of their planned moments by a process that was down, one after the other, before anything later is looked at', async () => {
    const plan = { method: 'group-sequential' as const, looks: { atUs: [onDay(7), onDay(14), onDay(21)] } };
    const definition = definitionOf({ metrics: [converted], experiment: { plan } });
    // More units, and no gain any more, as time goes on.
    const sumsAt = (knownUntilUs: number) => {
      const units = Math.round(knownUntilUs / onDay(1)) * 1000;
      return exampleComparison([[ones(units, units / 10)], [ones(units, knownUntilUs < onDay(10) ? (units * 12) / 100 : units / 10)]]);
    };
    let nowUs = onDay(17) + 5;
    const { decisions, log, round } = await roundOver(
      [definition],
      new ToldStore(({ knownUntilUs }) => sumsAt(knownUntilUs)),
      () => nowUs,
      sumsAt,
    );
    decisions.start();
    const records: DecisionRecord[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      nowUs += 1_000_000;
      await round.look(nowUs);
      const proposed = await proposedIn(log);
      const record = proposed[records.length];
      if (record === undefined) continue;
      records.push(record);
      await log.append(DECISIONS, [{ partition: 0, value: JSON.stringify({ record, recordedAtUs: nowUs, revision: turn + 1 }) }]);
      await decisions.readToTheEnd();
    }
    expect(records.map(({ cause, knownUntilUs, verdict }) => [cause, knownUntilUs, verdict.verdict])).toEqual([
      ['first', onDay(7), 'go'],
      ['planned-look', onDay(14), 'continue'],
      ['daily', onDay(17) + 3_000_005, 'continue'],
    ]);
    expect(records[2]?.looks).toEqual(records[1]?.looks);
    expect(records[1]?.looks?.[0]).toEqual(records[0]?.looks?.[0]);
    await decisions.close();
  });
});

describe('a look at ramps and other experiments', () => {
  it('counts, judges and tells the ramps first', async () => {
    const ramped = (key: string): DefinitionInForce => {
      const definition = definitionOf({ metrics: [converted], ramp: rampAt('tenth') });
      return { ...definition, experiment: { ...definition.experiment, key } };
    };
    const store = new ToldStore(() => exampleComparison([[ones(5000, 500)], [ones(5000, 510)]]));
    let nowUs = onDay(1);
    const { log, round } = await roundOver([named('a'), ramped('b'), named('c'), ramped('d')], store, () => nowUs);
    await round.look(nowUs);
    nowUs = onDay(2);
    store.asked.length = 0;
    await round.look(nowUs);
    expect(store.asked).toEqual([
      ['b', 'd'],
      ['a', 'c'],
    ]);
    const looks = (await log.read({ topic: LOOKS, partition: 0, offset: 0, limit: 10 })).map(
      ({ value }) => JSON.parse(String(value)) as LookMessage,
    );
    expect(looks.map(({ experiment, stage, policy }) => [experiment, stage, policy])).toEqual([
      ['b', 'tenth', 'stage'],
      ['d', 'tenth', 'stage'],
      ['a', null, 'ship'],
      ['c', null, 'ship'],
    ]);
    const [record] = await proposedIn(log);
    expect(record).toMatchObject({ experiment: 'b', stage: 'tenth', policy: 'stage', definition: { state: { ramp: { run: 1 } } } });
  });
});
