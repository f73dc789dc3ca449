import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '../decider.js';
import { DomainError } from '../errors.js';
import { type ExperimentCommand, experimentDecider } from './decide-experiment.js';
import type { Experiment, ExperimentEvent, Run } from './experiment.js';
import { armsOf, assignsTheSame, type ExperimentDefinition, requireSoundDefinition } from './experiment-definition.js';
import { anExperiment, metricOf, surroundings, T0 } from './experiments.examples.js';

/** The first nine times out of ten. */
function often<Usual, Odd>(usual: fc.Arbitrary<Usual>, odd: fc.Arbitrary<Odd>): fc.Arbitrary<Usual | Odd> {
  return fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: odd, weight: 1 });
}

const environment = fc.constantFrom('production', 'production', 'production', 'staging', 'past');
const kindOf = (name: string) => (name === 'past' ? 'historical' : 'live');

/** Most are sound: what is always refused explores nothing. */
const definition: fc.Arbitrary<ExperimentDefinition> = fc
  .record({
    weights: fc.array(often(fc.integer({ min: 1, max: 2 }), fc.constantFrom(null, 0, -1)), { minLength: 2, maxLength: 3 }),
    control: often(fc.constantFrom('v0', 'v1'), fc.constant('v9')),
    role: often(fc.constant('success' as const), fc.constant('guardrail' as const)),
    hypothesis: fc.constantFrom('a', 'b'),
    plan: fc.oneof(
      fc.constant({}),
      fc.constantFrom(0.05, 0.01).map((alpha) => ({ method: 'sequential', alpha, plannedUnits: 1_000, plannedEndUs: undefined }) as const),
    ),
  })
  .map(({ weights, control, role, hypothesis, plan }) =>
    anExperiment({
      plan,
      hypothesis,
      control,
      variants: weights.map((weight, index) => ({ key: `v${index}`, weight })),
      metrics: [{ metric: 'converted', role }],
    }),
  );

/** Metrics with a window or without: some starts are refused. */
const facts = often(
  fc.constantFrom(surroundings(), surroundings({ converted: metricOf({}, {}) })),
  fc.constant(surroundings({ converted: metricOf({ windowUs: null }) })),
);

type Unstamped = ExperimentCommand extends infer Command ? (Command extends unknown ? Omit<Command, 'atUs'> : never) : never;
const command: fc.Arbitrary<Unstamped> = fc.oneof(
  definition.map((defined) => ({ type: 'DefineExperiment' as const, definition: defined })),
  fc.tuple(definition, facts, often(fc.constant(undefined), fc.uuid())).map(([defined, around, newComparisonSeed]) => ({
    ...({ type: 'RedefineExperiment', definition: defined, surroundings: around } as const),
    ...{ newComparisonSeed },
  })),
  fc
    .tuple(environment, facts, fc.uuid())
    .map(
      ([name, around, seed]) =>
        ({ type: 'StartExperiment' as const, environment: name, kind: kindOf(name), surroundings: around, seed }) as const,
    ),
  environment.map((name) => ({ type: 'PauseExperiment' as const, environment: name })),
  fc
    .tuple(environment, facts, fc.uuid())
    .map(([name, around, seed]) => ({ type: 'ResumeExperiment' as const, environment: name, surroundings: around, seed })),
  environment.map((name) => ({ type: 'FreezeEnrolment' as const, environment: name })),
  fc
    .tuple(environment, fc.constantFrom('ship' as const, 'stop' as const), fc.option(fc.constantFrom('v0', 'v1', 'v9')))
    .map(([name, outcome, arm]) => ({
      type: 'DecideExperiment' as const,
      environment: name,
      outcome,
      arm,
      reason: 'r',
      evidence: { record: null, looks: [] },
    })),
  environment.map((name) => ({ type: 'ArchiveExperiment' as const, environment: name })),
);

const start = (name: string) =>
  ({ type: 'StartExperiment', environment: name, kind: kindOf(name), surroundings: surroundings(), seed: 'first' }) as const;

/** A life that begins with a start, or with anything. */
const commands: fc.Arbitrary<readonly Unstamped[]> = fc
  .tuple(fc.array(command, { minLength: 10, maxLength: 40, size: 'max' }), fc.boolean())
  .map(([rest, isUsual]) =>
    isUsual ? [{ type: 'DefineExperiment', definition: anExperiment(twoArms) }, start('production'), ...rest] : rest,
  );
const twoArms = {
  control: 'v0',
  variants: [
    { key: 'v0', weight: 1 },
    { key: 'v1', weight: 1 },
  ],
};

/** Gives the commands one after the other; what is refused changes nothing. */
const lived = (commands: readonly Unstamped[]): readonly ExperimentEvent[] => {
  const events: ExperimentEvent[] = [];
  commands.forEach((unstamped, index) => {
    try {
      events.push(...experimentDecider.decide({ ...unstamped, atUs: T0 + index } as ExperimentCommand, fold(experimentDecider, events)));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  });
  return events;
};

const definitionOf = ({ versions }: Experiment, version: number) => versions[version - 1]?.definition ?? anExperiment();

const violations = (experiment: Experiment): readonly string[] => {
  const { versions, runs } = experiment;
  const wrong: string[] = [];
  versions.forEach(({ version, definition: each }, index) => {
    if (version !== index + 1) wrong.push(`version ${version} stands at ${index + 1}`);
    requireSoundDefinition(each);
  });
  for (const [name, run] of Object.entries(runs)) wrong.push(...runViolations(experiment, name, run));
  return wrong;
};

const runViolations = (experiment: Experiment, name: string, run: Run): readonly string[] => {
  const wrong: string[] = [];
  const inForce = definitionOf(experiment, run.version);
  if (run.version > experiment.versions.length) wrong.push(`${name} runs version ${run.version}, which was never defined`);
  if (Object.keys(run.metricVersions).join() !== 'converted') wrong.push(`${name} has pinned ${Object.keys(run.metricVersions)}`);
  run.segments.forEach((segment, index) => {
    const before = run.segments[index - 1];
    if (segment.segment !== index + 1) wrong.push(`segment ${segment.segment} stands at ${index + 1}`);
    if (before === undefined) return;
    if (segment.startedAtUs <= before.startedAtUs) wrong.push('a segment starts before its predecessor');
    if ((segment.comparison === before.comparison) !== (segment.seed === before.seed)) wrong.push('seed and comparison part');
    if (segment.comparison - before.comparison > 1 || segment.comparison < before.comparison) wrong.push('comparisons are skipped');
  });
  const newest = run.segments.at(-1);
  if (run.status === 'running' && newest?.coverage !== 1) wrong.push('running, and enrols nobody');
  if ((run.status === 'paused' || run.status === 'enrolment-frozen') && newest?.coverage !== 0) wrong.push(`${run.status}, and enrols`);
  if (run.kind === 'historical' && run.segments.length > 1) wrong.push('history has a second segment');
  if ('decision' in run && run.decision.outcome === 'ship') {
    const { arm } = run.decision;
    if (arm === null || arm === inForce.control || !armsOf(inForce).includes(arm)) wrong.push(`ships ${arm}`);
  }
  const newestDefinition = definitionOf(experiment, experiment.versions.length);
  if (run.status === 'running' && !assignsTheSame(inForce, newestDefinition))
    wrong.push(`${name} is running with other variants than defined`);
  return wrong;
};

/** A comparison that is watched has one level from its beginning to its end. */
const movedPlans = (before: Experiment, after: Experiment): readonly string[] =>
  Object.entries(after.runs).flatMap(([name, run]) => {
    const was = before.runs[name];
    if (was === undefined || run.kind !== 'live') return [];
    const [one, other] = [definitionOf(before, was.version).plan, definitionOf(after, run.version).plan];
    const isSame = was.segments.at(-1)?.comparison === run.segments.at(-1)?.comparison;
    return isSame && one.method === 'sequential' && (other.method !== one.method || other.alpha !== one.alpha)
      ? [`${name} goes on at another level`]
      : [];
  });

describe('any sequence of commands', () => {
  it('leaves an experiment whose invariants hold', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(commands, (given) => {
        const life = lived(given);
        life.forEach((_, index) => {
          const experiment = fold(experimentDecider, life.slice(0, index + 1));
          expect([...violations(experiment), ...movedPlans(fold(experimentDecider, life.slice(0, index)), experiment)]).toEqual([]);
          for (const { status, segments } of Object.values(experiment.runs))
            seen.add(`${status} in comparison ${segments.at(-1)?.comparison}`);
        });
      }),
      { numRuns: 500 },
    );
    // A property that nothing reaches would hold as well.
    for (const status of ['running', 'paused', 'enrolment-frozen', 'decided', 'archived'])
      expect([...seen]).toContain(`${status} in comparison 1`);
    expect([...seen]).toContain('running in comparison 2');
  });

  it('folds to the same state in one go, in two parts, or again', () => {
    fc.assert(
      fc.property(commands, fc.nat(), (given, cut) => {
        const events = lived(given);
        const at = cut % (events.length + 1);
        const whole = fold(experimentDecider, events);
        expect(fold(experimentDecider, events.slice(at), fold(experimentDecider, events.slice(0, at)))).toEqual(whole);
        expect(fold(experimentDecider, JSON.parse(JSON.stringify(events)) as ExperimentEvent[])).toEqual(JSON.parse(JSON.stringify(whole)));
      }),
      { numRuns: 200 },
    );
  });

  it('changes neither the state nor the events that it was given', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const events = lived(given);
        const before = JSON.stringify(events);
        const state = fold(experimentDecider, events);
        const stateBefore = JSON.stringify(state);
        lived(given);
        fold(experimentDecider, events, state);
        expect([JSON.stringify(events), JSON.stringify(state)]).toEqual([before, stateBefore]);
      }),
      { numRuns: 100 },
    );
  });
});
