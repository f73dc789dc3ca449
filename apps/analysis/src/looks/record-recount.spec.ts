import { describe, expect, it } from '@jest/globals';
import type { DecisionRecord, ExperimentState } from '@rampart/contracts';
import type { ComparisonSums } from '@rampart/feedback-store';
import { concluded, converted, crashed, definitionOf, onDay, ones, rampAt } from '../figures/conclusion.examples.js';
import { exampleComparison } from '../figures/figures.examples.js';
import { ENGINE } from './engine.js';
import { isCrossedAgain, recountedConclusion, rememberedCrossings, replayOf, standingOf } from './record-recount.js';
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
    engine: ENGINE,
  });
};

const replayed = (record: DecisionRecord, sums: ComparisonSums = exampleComparison(cells)) =>
  replayOf(record, recountedConclusion(record, sums, []), null);

type Tree = Record<string, unknown>;

/** Every leaf of a document. */
const placesIn = (value: unknown, place: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value !== 'object' || value === null
    ? [place]
    : Object.entries(value).flatMap(([name, member]) => placesIn(member, [...place, name]));

const withState = (record: DecisionRecord, change: Partial<ExperimentState>): DecisionRecord => ({
  ...record,
  definition: { ...record.definition, state: { ...record.definition.state, ...change } },
});

describe('a replay', () => {
  it('of a record whose any part was changed knows it', () => {
    const record = aRecord();
    const other = (value: unknown): unknown => (typeof value === 'string' ? `${value}x` : typeof value === 'number' ? value + 1 : 'x');
    const notNoticed = placesIn(record).filter((place) => {
      const changed = structuredClone(record);
      const parent = place.slice(0, -1).reduce<Tree>((node, name) => node[name] as Tree, changed as unknown as Tree);
      parent[String(place.at(-1))] = other(parent[String(place.at(-1))]);
      try {
        return replayed(changed).intact;
      } catch {
        // What can't be judged any more is not taken for the record either.
        return false;
      }
    });
    expect(notNoticed).toEqual([]);
    expect(placesIn(record).length).toBeGreaterThan(100);
  });

  it('of a record from before there were seals does without', () => {
    const { seal: _, ...record } = aRecord();
    expect(replayed({ ...record, engine: 'rampart/1' })).toMatchObject({ intact: true, engine: { recorded: 'rampart/1', now: ENGINE } });
  });

  it('of an unaltered record over the same rows says the same', () => {
    expect(replayed(aRecord())).toMatchObject({ evidence: { same: true }, conclusion: { same: true }, intact: true });
  });

  it('of a record whose units were erased since says so, and that nobody altered it', () => {
    const record = aRecord();
    const fewer = recountedConclusion(record, exampleComparison([[ones(5000, 500)], [ones(4999, 619)]]), []);
    const { evidence, erasedUnits, intact, sentence } = replayOf(record, fewer, null, 1);
    expect({ same: evidence.same, erasedUnits, intact }).toEqual({ same: false, erasedUnits: 1, intact: true });
    expect(sentence).toMatch(/^1 unit was erased since: the record keeps the sums/);
    expect(standingOf(replayOf(record, fewer, null, 1))).toMatchObject({
      status: 'not-recountable',
      code: 'units-erased',
      differences: [],
    });
    expect(standingOf(replayOf({ ...record, seal: 'x' }, fewer, null, 1)).status).toBe('altered');
    expect(replayOf(record, recountedConclusion(record, exampleComparison(cells), []), null, 2).sentence).toMatch(/^the same rows/);
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
    ['place in its chain', (record) => ({ ...record, previous: 'f'.repeat(64) }), 'continue'],
    ['cause', (record) => ({ ...record, cause: 'daily' }), 'seal'],
    ['seen events', (record) => ({ ...record, seenEvents: ['button'] }), 'seal'],
    ['start', (record) => withState(record, { startedAtUs: onDay(1) }), 'seal'],
    ['status', (record) => withState(record, { status: 'paused' }), 'seal'],
    ['seal, taken off,', ({ seal: _, ...record }) => record, 'seal'],
  ])('of a record whose %s was altered says so', (_what, alter, why) => {
    const { intact, sentence } = replayed(alter(aRecord()));
    expect(intact).toBe(false);
    expect(sentence).toMatch(/^the record itself was altered/);
    expect(sentence).toContain(why);
  });
});

describe('a crossing that a look saw before its record could be appended', () => {
  const harmless = [[ones(5000, 3)], [ones(5000, 4)]];
  const harmful = [[ones(5000, 3)], [ones(5000, 60)]];
  const look = { metrics: [crashed], experiment: { policy: 'stage' as const } };
  const seen = concluded({ ...look, cells: harmful, knownUntilUs: onDay(8) - 5 }).latched.filter(({ test }) => test === 'harm');

  const laterRecord = (latched = seen): DecisionRecord => {
    const { environment, experiment, version, state, metrics } = definitionOf(look);
    if (state === null) throw new Error('the example runs');
    return recordOf({
      place: { project: 'shop', environment: environment.key, experiment: experiment.key, comparison: 1, stage: null },
      policy: experiment.policy,
      cause: 'crossing',
      previous: null,
      knownUntilUs: onDay(8),
      definition: { environment, experiment, version, state, metrics },
      seenEvents: new Set(['button', 'crashed']),
      conclusion: concluded({ ...look, cells: harmless, latchedBefore: latched }),
      engine: ENGINE,
    });
  };

  it('is counted again as of its own moment', () => {
    const record = laterRecord();
    expect(seen).toHaveLength(1);
    expect(rememberedCrossings(record, [])).toEqual(seen);
    expect(rememberedCrossings(record, seen)).toEqual([]);
    const [crossing] = seen;
    if (crossing === undefined) throw new Error('nothing was crossed');
    expect(isCrossedAgain(record, crossing, exampleComparison(harmful), [])).toBe(true);
    expect(isCrossedAgain(record, crossing, exampleComparison(harmless), [])).toBe(false);
    const replay = replayOf(record, recountedConclusion(record, exampleComparison(harmless), seen), null);
    expect(replay).toMatchObject({ intact: true, conclusion: { same: true } });
    expect(replayOf(record, recountedConclusion(record, exampleComparison(harmless), []), null).conclusion.same).toBe(false);
  });
});

describe('a record of a plan of several looks', () => {
  const look = {
    metrics: [converted],
    experiment: { plan: { method: 'group-sequential' as const, looks: { atUs: [onDay(7), onDay(8), onDay(9)] } } },
  };
  const first = concluded({ ...look, cells, knownUntilUs: onDay(7) });
  const taken = first.looks ?? [];
  const second = (): DecisionRecord => {
    const { environment, experiment, version, state, metrics } = definitionOf(look);
    if (state === null) throw new Error('the example runs');
    return recordOf({
      place: { project: 'shop', environment: environment.key, experiment: experiment.key, comparison: 1, stage: null },
      policy: experiment.policy,
      cause: 'planned-look',
      previous: null,
      knownUntilUs: onDay(8),
      definition: { environment, experiment, version, state, metrics },
      seenEvents: new Set(['button', 'converted']),
      conclusion: concluded({ ...look, cells, looksBefore: taken }),
      engine: ENGINE,
    });
  };

  it('holds every look that was taken, and is recounted by those before it', () => {
    const record = second();
    expect(record.looks?.map((one) => one.look)).toEqual([1, 2]);
    expect(record.looks?.[0]).toEqual(taken[0]);
    const replay = replayOf(record, recountedConclusion(record, exampleComparison(cells), [], taken), null);
    expect(replay).toMatchObject({ intact: true, evidence: { same: true }, conclusion: { same: true } });
  });

  it('does not fit other looks than those it was made by', () => {
    const record = second();
    const other = taken.map((one) => ({ ...one, tests: one.tests.map((test) => ({ ...test, bound: 1 })) }));
    const replay = replayOf(record, recountedConclusion(record, exampleComparison(cells), [], other), null);
    expect(replay.conclusion.same).toBe(false);
    expect(replay.conclusion.differences.map(({ what }) => what)).toContain('looks');
    const altered = { ...record, looks: [...other, ...(record.looks ?? []).slice(1)] };
    expect(replayOf(altered, recountedConclusion(altered, exampleComparison(cells), [], taken), null).sentence).toContain(
      'its digests do not fit',
    );
  });
});

describe('a record of a step of a ramp', () => {
  const ramped = (ramp = rampAt('half', { run: 2 })): DecisionRecord => {
    const { environment, experiment, version, state, metrics } = definitionOf({ metrics: [converted], ramp });
    if (state === null) throw new Error('the example runs');
    return recordOf({
      place: { project: 'shop', environment: environment.key, experiment: experiment.key, comparison: 1, stage: ramp.stage },
      policy: ramp.policy,
      cause: 'stage-action',
      previous: null,
      knownUntilUs: onDay(2),
      definition: { environment, experiment, version, state, metrics },
      seenEvents: new Set(['button', 'converted']),
      conclusion: concluded({ metrics: [converted], cells, ramp, knownUntilUs: onDay(2) }),
      engine: ENGINE,
    });
  };

  it('is recounted by the policy and the run that it was made by', () => {
    const record = ramped();
    expect(record.verdict).toMatchObject({ verdict: 'go', rule: 'nothing-is-worse' });
    expect(replayed(record)).toMatchObject({ evidence: { same: true }, conclusion: { same: true }, intact: true });
    const otherRun = withState(record, { ramp: rampAt('half', { run: 3 }) });
    expect(replayed(otherRun).conclusion.differences.map(({ what }) => what)).toContain('level/harm');
    expect(replayed(otherRun).intact).toBe(false);
  });

  it('has another id in each step, run and policy, and none of it without a ramp', () => {
    const ids = [
      rampAt('half'),
      rampAt('all'),
      rampAt('half', { run: 2 }),
      rampAt('half', { policy: 'ship' }),
      rampAt('half', { rollout: 'other' }),
    ].map((ramp) => ramped(ramp).id);
    expect(new Set(ids).size).toBe(5);
    // Of records that are stored already.
    expect(aRecord().id).toBe('9cdc470c988fc6eeddc0f8e963e110dd6214882eadf66ea6bdd38ce78708feee');
  });
});
