import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { scenario } from '../scenario.contract.js';
import type { ClosingEvidence } from './closing-moment.js';
import { type ExperimentCommand, experimentDecider } from './decide-experiment.js';
import { type ExperimentEvent, statusIn } from './experiment.js';
import { anExperiment, DAY, defined, metricOf, paused, segment, started, surroundings, T0 } from './experiments.examples.js';
import type { PlanInForce } from './plan-in-force.js';

const { given } = scenario(experimentDecider);
const environment = 'production';
const atUs = T0 + 2 * DAY;

const start = (change: Partial<Extract<ExperimentCommand, { type: 'StartExperiment' }>> = {}): ExperimentCommand => ({
  type: 'StartExperiment',
  environment,
  kind: 'live',
  surroundings: surroundings(),
  seed: 'seed-1',
  atUs: T0,
  ...change,
});
const redefine = (definition = anExperiment(), facts = surroundings()): ExperimentCommand => ({
  type: 'RedefineExperiment',
  definition,
  surroundings: facts,
  atUs,
});
const resume: ExperimentCommand = { type: 'ResumeExperiment', environment, surroundings: surroundings(), seed: 'seed-2', atUs };
const decide = (
  outcome: 'ship' | 'stop' | 'inconclusive',
  arm: string | null = null,
  evidence: Partial<ClosingEvidence> = {},
): Extract<ExperimentCommand, { type: 'DecideExperiment' }> => ({
  type: 'DecideExperiment',
  environment,
  outcome,
  arm,
  reason: 'seen enough',
  evidence: { record: null, looks: [], ...evidence },
  atUs,
});
const decidedAt = (closedAtUs: number, record: string | null = null): ExperimentEvent => ({
  type: 'ExperimentDecided',
  environment,
  decision: { outcome: 'ship', arm: 'green', reason: 'seen enough', record },
  closedAtUs,
  atUs,
});
const decided = decidedAt(atUs);
const frozen: ExperimentEvent = {
  type: 'EnrolmentFrozen',
  environment,
  segment: segment({ segment: 2, coverage: 0, startedAtUs: atUs }),
  atUs,
};
const threeArms = anExperiment({
  variants: [
    { key: 'blue', weight: 1 },
    { key: 'green', weight: 1 },
    { key: 'red', weight: 1 },
  ],
});

/** What the plan amounts to is told in full in plan-in-force.spec.ts. */
const ofComparison = (comparison: number): PlanInForce => expect.objectContaining({ comparison }) as unknown as PlanInForce;

describe('nothing', () => {
  it('becomes a draft', () => {
    given([]).when({ type: 'DefineExperiment', definition: anExperiment(), atUs: T0 }).then([defined()]);
  });
  it('can be neither changed, started nor decided', () => {
    given([]).when(redefine()).thenRefuses('experiment-not-found');
    given([]).when(start()).thenRefuses('experiment-not-found');
    given([]).when(decide('stop')).thenRefuses('experiment-not-found');
  });
});

describe('a draft', () => {
  it('is defined once', () => {
    given([defined()]).when({ type: 'DefineExperiment', definition: anExperiment(), atUs }).thenRefuses('experiment-exists', 'version 1');
  });
  it('takes any sound change, as a new version', () => {
    given([defined()])
      .when(redefine(threeArms))
      .then([{ type: 'ExperimentRedefined', version: 2, definition: threeArms, adoptedIn: [], atUs }]);
  });
  it('stays as it is when the new definition says the same', () => {
    given([defined()]).when(redefine()).then([]);
    given([defined()])
      .when(redefine({ ...anExperiment(), feature: undefined }))
      .then([]);
  });
  it('starts with the newest metric versions and its first segment', () => {
    const facts = surroundings({ converted: metricOf({}, { windowUs: 2 * DAY }) });
    given([defined()])
      .when(start({ surroundings: facts }))
      .then([started({ metricVersions: { converted: 2 }, planInForce: ofComparison(1) })]);
  });
  it('starts with the metric version that it names', () => {
    const named = anExperiment({ metrics: [{ metric: 'converted', version: 1, role: 'success' }] });
    const facts = surroundings({ converted: metricOf({}, {}) });
    given([defined(named)])
      .when(start({ surroundings: facts }))
      .then([started({ metricVersions: { converted: 1 }, planInForce: ofComparison(1) })]);
  });
  it('starts in history at the beginning of time', () => {
    given([defined()])
      .when(start({ environment: 'past', kind: 'historical', atUs }))
      .then([
        started({ environment: 'past', kind: 'historical', segment: segment({ startedAtUs: 0 }), planInForce: ofComparison(1), atUs }),
      ]);
  });
  it('does not start before it is ready', () => {
    given([defined()])
      .when(start({ surroundings: surroundings({}) }))
      .thenRefuses('experiment-not-ready', 'no metric "converted"');
  });
  it('can be neither paused, resumed, frozen, decided nor archived', () => {
    for (const command of [
      { type: 'PauseExperiment', environment, atUs },
      resume,
      { type: 'FreezeEnrolment', environment, atUs },
      decide('stop'),
      { type: 'ArchiveExperiment', environment, atUs },
    ] as const)
      given([defined()]).when(command).thenRefuses('experiment-status', 'draft in production');
  });
});

describe('a running experiment', () => {
  const running = [defined(), started()];

  it('does not start again, but elsewhere', () => {
    given(running).when(start()).thenRefuses('experiment-status', 'running in production: only a draft one can be started');
    given(running)
      .when(start({ environment: 'staging' }))
      .then([started({ environment: 'staging', planInForce: ofComparison(1) })]);
  });
  it('takes at once what assigns nothing', () => {
    const definition = anExperiment({ hypothesis: 'green sells much more', plan: { plannedEndUs: T0 + 30 * DAY } });
    given(running)
      .when(redefine(definition))
      .then([
        {
          type: 'ExperimentRedefined',
          version: 2,
          definition,
          adoptedIn: [{ environment, metricVersions: { converted: 1 }, planInForce: ofComparison(1) }],
          atUs,
        },
      ]);
  });
  it('keeps what its one look judged: behind the look only texts change', () => {
    const after = T0 + 14 * DAY;
    const late = (definition: ReturnType<typeof anExperiment>) => ({ ...redefine(definition), atUs: after }) as ExperimentCommand;
    for (const change of [
      { plan: { alpha: 0.1 } },
      { plan: { plannedEndUs: T0 + 30 * DAY } },
      { metrics: [{ metric: 'converted', role: 'guardrail' as const, margin: { relative: 0.5 } }] },
    ])
      given(running)
        .when(late(anExperiment(change)))
        .thenRefuses('look-is-over', 'was at 2026-01-15T00:00:00.000Z');
    const definition = anExperiment({ hypothesis: 'told afterwards' });
    given(running)
      .when(late(definition))
      .then([
        {
          type: 'ExperimentRedefined',
          version: 2,
          definition,
          adoptedIn: [{ environment, metricVersions: { converted: 1 }, planInForce: ofComparison(1) }],
          atUs: after,
        },
      ]);
  });
  it('keeps the metric versions that it began with, and pins what is added', () => {
    const definition = anExperiment({
      metrics: [
        { metric: 'converted', role: 'success' },
        { metric: 'revenue', role: 'secondary' },
      ],
    });
    const facts = surroundings({ converted: metricOf({}, {}), revenue: metricOf({}, {}, {}) });
    given(running)
      .when(redefine(definition, facts))
      .then([
        {
          type: 'ExperimentRedefined',
          version: 2,
          definition,
          adoptedIn: [{ environment, metricVersions: { converted: 1, revenue: 3 }, planInForce: ofComparison(1) }],
          atUs,
        },
      ]);
  });
  it('refuses a change of who gets what, and says what to do', () => {
    given(running).when(redefine(threeArms)).thenRefuses('experiment-assigns', 'pause it there, change it, resume');
    given(running)
      .when(redefine(anExperiment({ unitType: 'device' })))
      .thenRefuses('experiment-assigns', 'running in production');
  });
  it('refuses a metric that could not have been started with', () => {
    const definition = anExperiment({ metrics: [{ metric: 'unheard', role: 'success' }] });
    given(running).when(redefine(definition)).thenRefuses('experiment-not-ready', 'unheard');
  });
  it('enrols nobody in the segment of a pause', () => {
    given(running)
      .when({ type: 'PauseExperiment', environment, atUs: T0 + DAY })
      .then([paused()]);
  });
  it('enrols nobody any more once frozen', () => {
    given(running).when({ type: 'FreezeEnrolment', environment, atUs }).then([frozen]);
  });
  it('is decided with its only treatment', () => {
    given(running).when(decide('ship')).then([decided]);
    given(running).when(decide('ship', 'green')).then([decided]);
  });
  it('ships a treatment and nothing else', () => {
    given(running).when(decide('ship', 'blue')).thenRefuses('arm-is-control', 'decide stop');
    given(running).when(decide('ship', 'red')).thenRefuses('arm-unknown', 'green');
    given(running).when(decide('stop', 'green')).thenRefuses('arm-not-shipped');
    given([defined(threeArms), started()])
      .when(decide('ship'))
      .thenRefuses('arm-missing', '2 treatments');
  });
  it('is not archived before it is decided', () => {
    given(running).when({ type: 'ArchiveExperiment', environment, atUs }).thenRefuses('experiment-status', 'only a decided one');
  });
  it('in history can be decided, not paused', () => {
    const past = [defined(), started({ environment: 'past', kind: 'historical' })];
    given(past).when({ type: 'PauseExperiment', environment: 'past', atUs }).thenRefuses('historical-environment');
    given(past).when({ type: 'FreezeEnrolment', environment: 'past', atUs }).thenRefuses('historical-environment');
    given(past)
      .when({ ...decide('stop'), environment: 'past' })
      .then([
        {
          ...decided,
          environment: 'past',
          decision: { outcome: 'stop', arm: null, reason: 'seen enough', record: null },
          closedAtUs: atUs,
        } as ExperimentEvent,
      ]);
  });
});

describe('a paused experiment', () => {
  const facts = [defined(), started(), paused()];
  const changed: ExperimentEvent = { type: 'ExperimentRedefined', version: 2, definition: threeArms, adoptedIn: [], atUs };

  it('goes on in the same comparison when nothing that assigns changed', () => {
    given(facts)
      .when(resume)
      .then([
        {
          type: 'ExperimentResumed',
          environment,
          version: 1,
          metricVersions: { converted: 1 },
          segment: segment({ segment: 3, startedAtUs: atUs }),
          atUs,
        },
      ]);
  });
  it('takes a change of who gets what, without adopting it yet', () => {
    given(facts).when(redefine(threeArms)).then([changed]);
  });
  it('then goes on in a new comparison with a new seed', () => {
    given([...facts, changed])
      .when(resume)
      .then([
        {
          type: 'ExperimentResumed',
          environment,
          version: 2,
          metricVersions: { converted: 1 },
          planInForce: ofComparison(2),
          segment: segment({ segment: 3, comparison: 2, seed: 'seed-2', startedAtUs: atUs }),
          atUs,
        },
      ]);
  });
  it('refuses such a change while it runs anywhere else', () => {
    given([...facts, started({ environment: 'staging' })])
      .when(redefine(threeArms))
      .thenRefuses('experiment-assigns', 'running in staging');
  });
  it('is not paused again', () => {
    given(facts).when({ type: 'PauseExperiment', environment, atUs }).thenRefuses('experiment-status', 'paused in production');
  });
});

describe('an experiment whose enrolment is frozen', () => {
  const facts = [defined(), started(), frozen];
  it('is not resumed', () => {
    given(facts).when(resume).thenRefuses('experiment-status', 'enrolment-frozen');
  });
  it('keeps who got what, whatever is defined later, and takes the rest', () => {
    given(facts)
      .when(redefine(threeArms))
      .then([{ type: 'ExperimentRedefined', version: 2, definition: threeArms, adoptedIn: [], atUs }]);
    const definition = anExperiment({ hypothesis: 'other' });
    given(facts)
      .when(redefine(definition))
      .then([
        {
          type: 'ExperimentRedefined',
          version: 2,
          definition,
          adoptedIn: [{ environment, metricVersions: { converted: 1 }, planInForce: ofComparison(1) }],
          atUs,
        },
      ]);
  });
  it('is decided', () => {
    given(facts).when(decide('ship')).then([decided]);
  });
});

describe('an experiment that is decided', () => {
  const running = [defined(), started()];
  const look = { environment, comparison: 1, knownUntilUs: atUs - DAY };
  const named = { id: 'r1', experiment: 'button', environment, comparison: 1, knownUntilUs: atUs - 2 * DAY };

  it('closes at the newest look of what runs there now', () => {
    const others = [
      { ...look, environment: 'staging', knownUntilUs: atUs - 1 },
      { ...look, comparison: 2, knownUntilUs: atUs - 1 },
      { ...look, knownUntilUs: atUs - 3 * DAY },
    ];
    given(running)
      .when(decide('ship', null, { looks: [...others, look] }))
      .then([decidedAt(look.knownUntilUs)]);
  });
  it('closes at the record that is named, whatever was looked at later, and names it', () => {
    given(running)
      .when(decide('ship', null, { record: named, looks: [look] }))
      .then([decidedAt(named.knownUntilUs, 'r1')]);
  });
  it('closes now where nothing was looked at yet', () => {
    given(running)
      .when(decide('ship'))
      .then([decidedAt(atUs)]);
    given(running)
      .when(decide('ship', null, { looks: [{ ...look, comparison: 2 }] }))
      .then([decidedAt(atUs)]);
  });
  it('closes now where it is history, which is looked at as a whole', () => {
    given([defined(), started({ kind: 'historical' })])
      .when(decide('ship', null, { looks: [look] }))
      .then([decidedAt(atUs)]);
  });
  it.each([
    ['experiment', 'other'],
    ['environment', 'staging'],
    ['comparison', 2],
  ])('is not decided by a record of another %s', (part, value) => {
    given(running)
      .when(decide('ship', null, { record: { ...named, [part]: value } }))
      .thenRefuses('record-elsewhere', 'r1');
  });
  it('counts from then on what was known when it closed', () => {
    const { runs } = fold(experimentDecider, [...running, decidedAt(atUs - DAY, 'r1')]);
    expect(runs.production).toMatchObject({ status: 'decided', closedAtUs: atUs - DAY, decision: { record: 'r1' } });
  });
});

describe('a decided experiment', () => {
  const facts = [defined(), started(), decided];
  it('keeps its definition there, whatever is defined later', () => {
    given(facts)
      .when(redefine(threeArms))
      .then([{ type: 'ExperimentRedefined', version: 2, definition: threeArms, adoptedIn: [], atUs }]);
  });
  it('is archived once', () => {
    const archived: ExperimentEvent = { type: 'ExperimentArchived', environment, atUs };
    given(facts).when({ type: 'ArchiveExperiment', environment, atUs }).then([archived]);
    given([...facts, archived])
      .when({ type: 'ArchiveExperiment', environment, atUs })
      .thenRefuses('experiment-status');
  });
  it('is neither decided nor started again', () => {
    given(facts).when(decide('stop')).thenRefuses('experiment-status', 'decided in production');
    given(facts).when(start()).thenRefuses('experiment-status');
  });
});

describe('the state of a run', () => {
  it('counts its own changes, and not those of other environments', () => {
    const elsewhere = started({ environment: 'staging' });
    const { runs } = fold(experimentDecider, [defined(), started(), elsewhere, paused(), frozen, decided]);
    expect([runs.production?.revision, runs.staging?.revision]).toEqual([4, 1]);
    expect(runs.production).toMatchObject({
      status: 'decided',
      closedAtUs: atUs,
      segments: [{ segment: 1 }, { segment: 2 }, { segment: 2 }],
    });
  });
  it('says that everything else is a draft', () => {
    const experiment = fold(experimentDecider, [defined(), started()]);
    expect([statusIn(experiment, 'production'), statusIn(experiment, 'staging')]).toEqual(['running', 'draft']);
  });
});
