import { describe, expect, it } from '@jest/globals';
import { comparisonKey, DECISIONS, LOOKS, RECORD_PROPOSALS } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { MemoryFeedbackStore } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { type DefinitionInForce, Definitions } from '../definitions/definition-in-force.js';
import { converted, definitionOf, onDay } from '../figures/conclusion.examples.js';
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

const roundOver = async (definitions: readonly DefinitionInForce[]) => {
  const log = new MemoryEventLog();
  for (const topic of [DECISIONS, LOOKS, RECORD_PROPOSALS]) await log.createTopic({ topic, partitions: 1, compacted: topic === LOOKS });
  const evidence = new CountedEvidence({ watermarkUs: onDay(1), sumsAt: () => exampleComparison([]) });
  const decisions = new DecisionLog(log);
  const metrics = new Metrics('analysis');
  const watched = new WatchedComparisons(new ManyDefinitions(definitions), evidence, decisions);
  const proposals = new Proposals(log, decisions, quiet);
  const round = new LookRound(log, new MemoryFeedbackStore(), evidence, watched, proposals, new LookFigures(metrics), quiet);
  return { evidence, log, metrics, round };
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
