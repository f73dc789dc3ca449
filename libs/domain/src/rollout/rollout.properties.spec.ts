import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '../decider.js';
import { DomainError } from '../errors.js';
import { type RolloutCommand, rolloutDecider } from './decide-rollout.js';
import { clockStartUs, isBegun, type Rollout, type RolloutEvent } from './rollout.js';
import { type RolloutFacts, standingEvidence } from './rollout-facts.js';
import {
  aLook,
  aRecord,
  aRollout,
  aRun,
  aStage,
  definedRollout,
  SECOND,
  startedRollout,
  T0,
  theSurroundings,
} from './rollouts.examples.js';

/** A world in which looks and records come late, twice, out of order, of other stages and places; and people interfere. */
type Happening =
  | {
      readonly kind: 'look' | 'record';
      readonly stage: string;
      readonly verdict: number;
      readonly comparison: number;
      readonly units: number;
      readonly lag: number;
    }
  | { readonly kind: 'tick'; readonly seconds: number }
  | { readonly kind: 'process'; readonly times: number; readonly isStale: boolean }
  | { readonly kind: 'person'; readonly asks: RolloutCommand['type'] }
  | { readonly kind: 'kill'; readonly isKilled: boolean }
  /** A minute in which all goes well. */
  | { readonly kind: 'good' };

const VERDICTS = [
  ['go', 'advance'],
  ['continue', 'stay'],
  ['no-go', 'roll-back'],
  ['no-go', 'hold'],
  ['invalid', 'hold'],
  ['invalid', 'roll-back'],
  ['inconclusive', 'hold-and-ask'],
] as const;

const seen = (kind: 'look' | 'record') =>
  fc.record({
    kind: fc.constant(kind),
    stage: fc.constantFrom('here', 'here', 'here', 'canary', 'half', 'all', 'other'),
    verdict: fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, { arbitrary: fc.nat(VERDICTS.length - 1), weight: 1 }),
    comparison: fc.constantFrom(1, 1, 1, 1, 2),
    units: fc.constantFrom(0, 99, 100, 500),
    lag: fc.constantFrom(0, 0, 0, 1, 40),
  });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { arbitrary: seen('look'), weight: 5 },
  { arbitrary: seen('record'), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('tick' as const), seconds: fc.constantFrom(1, 20, 61) }), weight: 4 },
  {
    arbitrary: fc.record({ kind: fc.constant('process' as const), times: fc.integer({ min: 1, max: 3 }), isStale: fc.boolean() }),
    weight: 8,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('person' as const),
      asks: fc.constantFrom('HoldRollout', 'ResumeRollout', 'PauseRollout', 'ApproveStage'),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ kind: fc.constant('kill' as const), isKilled: fc.boolean() }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('good' as const) }), weight: 3 },
) as fc.Arbitrary<Happening>;

const definition = aRollout({
  stages: [
    aStage({ deadlineSeconds: 3_000 }),
    aStage({ name: 'half', coverage: 0.5, requiresApproval: true }),
    aStage({ name: 'all', coverage: 1 }),
  ],
});

interface Acted {
  readonly event: RolloutEvent;
  readonly before: Rollout;
  readonly facts: RolloutFacts;
}

const stageName = (rollout: Rollout): string => (isBegun(rollout) ? (definition.stages[rollout.stage.index]?.name ?? '') : '');

const GOOD = { stage: 'here', verdict: 0, comparison: 1, units: 500, lag: 0 } as const;
const GOOD_MINUTE: readonly Happening[] = [
  { kind: 'tick', seconds: 61 },
  { kind: 'look', ...GOOD },
  { kind: 'record', ...GOOD },
];

/** Plays it; the process decides upon what it read, which may be old, and what it decides is appended to what is there by then. */
const played = (
  happenings: readonly Happening[],
): { readonly acted: readonly Acted[]; readonly end: Rollout; readonly facts: RolloutFacts } => {
  let state = fold(rolloutDecider, [definedRollout(definition), startedRollout()]);
  const acted: Acted[] = [];
  let facts: RolloutFacts = { nowUs: T0, experiment: aRun(), policy: 'ship', isFeatureKilled: false, look: null, record: null };
  let older = facts;
  let records = 0;
  const give = (command: RolloutCommand) => {
    const before = state;
    try {
      const news = rolloutDecider.decide(command, before);
      state = fold(rolloutDecider, news, state);
      if (command.type === 'FollowEvidence') acted.push(...news.map((event) => ({ event, before, facts: command.facts })));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  };
  for (const one of happenings.flatMap((each) => (each.kind === 'good' ? GOOD_MINUTE : [each]))) {
    const atUs = facts.nowUs;
    switch (one.kind) {
      case 'tick':
        older = facts;
        facts = { ...facts, nowUs: atUs + one.seconds * SECOND };
        break;
      case 'look':
      case 'record': {
        const [verdict, ramp] = VERDICTS[one.verdict] ?? VERDICTS[1];
        const stage = one.stage === 'here' ? stageName(state) : one.stage;
        const policy = stage === 'all' ? ('ship' as const) : ('stage' as const);
        const change = {
          verdict,
          ramp,
          stage,
          policy,
          comparison: one.comparison,
          units: one.units,
          knownUntilUs: atUs - one.lag * SECOND,
        };
        older = facts;
        records += 1;
        facts = one.kind === 'look' ? { ...facts, look: aLook(change) } : { ...facts, record: aRecord({ ...change, id: `r${records}` }) };
        break;
      }
      case 'kill':
        facts = { ...facts, isFeatureKilled: one.isKilled };
        break;
      case 'person':
        give({ type: one.asks, actor: 'ann', reason: null, atUs, meantStage: null } as RolloutCommand);
        break;
      case 'process':
        // Two at once: the second decides upon what the first had read.
        for (let time = 0; time < one.times; time++)
          give({ type: 'FollowEvidence', facts: one.isStale ? { ...older, experiment: facts.experiment } : facts, atUs });
        facts = { ...facts, experiment: aRun(stageName(state)) };
        break;
    }
  }
  return { acted, end: state, facts };
};

const worlds = fc.array(happening, { minLength: 10, maxLength: 60, size: 'max' });
const runs = { numRuns: Number(process.env.RAMPART_TEST_RUNS ?? 500) };

describe('a rollout in a world where everything comes late, twice or from elsewhere', () => {
  it('leaves each stage at most once, upwards by one', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const left = played(world).acted.flatMap(({ event }) => (event.type === 'RolloutAdvanced' ? [event] : []));
        expect(left.map(({ from, to }) => [from, to])).toEqual(left.map((_, index) => [index, index + 1]));
      }),
      runs,
    );
  });

  it('never leaves a stage without a fresh go of that stage that knows all of its bake time, its units, its approval and a record', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        for (const { event, before, facts } of played(world).acted) {
          if (event.type !== 'RolloutAdvanced' && event.type !== 'RolloutReleased') continue;
          if (before.status !== 'running') throw new Error(`it was ${before.status}`);
          const stage = definition.stages[before.stage.index] ?? aStage();
          const { look, record } = standingEvidence(before, facts);
          expect([look?.verdict, record?.verdict, look?.stage, record?.stage]).toEqual(['go', 'go', stage.name, stage.name]);
          expect(look?.knownUntilUs).toBeGreaterThanOrEqual(clockStartUs(before.stage) + stage.bakeSeconds * SECOND);
          expect(facts.nowUs - (look?.knownUntilUs ?? 0)).toBeLessThanOrEqual(definition.freshnessSeconds * SECOND);
          expect(look?.units).toBeGreaterThanOrEqual(stage.minUnits);
          if (stage.requiresApproval) expect(before.stage.approvedBy).toBe('ann');
          expect(facts.isFeatureKilled).toBe(false);
          expect(event.record).toBe(record?.id);
          expect(event.type === 'RolloutReleased').toBe(before.stage.index === 2);
        }
      }),
      runs,
    );
  });

  it('is rolled back whenever harm stands recorded and the process looks, whatever people do', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { end, facts } = played([...world, { kind: 'process', times: 1, isStale: false }]);
        if (!isBegun(end) || end.status === 'released') return;
        const harmed = { ...facts, record: aRecord({ stage: stageName(end), verdict: 'no-go', ramp: 'roll-back', id: 'harm' }) };
        if (end.status === 'rolled-back') return;
        const [event] = rolloutDecider.decide({ type: 'FollowEvidence', facts: harmed, atUs: facts.nowUs }, end);
        expect(event).toMatchObject({ type: 'RolloutRolledBack', record: 'harm' });
      }),
      runs,
    );
  });

  it('is reached by these worlds in all its ends', () => {
    const ends = new Set<string>();
    fc.assert(
      fc.property(worlds, (world) => {
        ends.add(played(world).end.status);
      }),
      { ...runs, seed: 1 },
    );
    expect([...ends].sort()).toEqual(['held', 'paused', 'released', 'rolled-back', 'running']);
  });
});

describe('a definition', () => {
  it('that is taken has stages that only rise, each under its own name', () => {
    const stage = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      coverage: fc.constantFrom(0.1, 0.5, 1),
      bakeSeconds: fc.constantFrom(0, 60),
      deadlineSeconds: fc.constantFrom(null, 30, 90),
      monitored: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(stage, { minLength: 1, maxLength: 4 }), (stages) => {
        const asked = aRollout({ stages: stages.map(aStage) });
        let isTaken = true;
        try {
          rolloutDecider.decide(
            { type: 'DefineRollout', definition: asked, surroundings: theSurroundings(), atUs: T0 },
            rolloutDecider.initialState,
          );
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          isTaken = false;
        }
        const coverages = stages.map(({ coverage }) => coverage);
        const isSound =
          coverages.every((coverage, index) => index === 0 || coverage >= (coverages[index - 1] ?? 0)) &&
          new Set(stages.map(({ name }) => name)).size === stages.length &&
          stages.every(({ deadlineSeconds, bakeSeconds }) => deadlineSeconds === null || deadlineSeconds > bakeSeconds) &&
          stages.at(-1)?.monitored === true;
        expect(isTaken).toBe(isSound);
      }),
      runs,
    );
  });
});
