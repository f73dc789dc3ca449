/** Rollouts, their experiment and what was seen of it, for specs; a spec names only what it is about. */

import { fold } from '../decider.js';
import { experimentDecider } from '../experiment/decide-experiment.js';
import type { Run } from '../experiment/experiment.js';
import type { ExperimentDefinition } from '../experiment/experiment-definition.js';
import { anExperiment, defined, metricOf, segment, surroundings, T0 } from '../experiment/experiments.examples.js';
import type { Actions } from '../verdict/actions.js';
import { rolloutDecider } from './decide-rollout.js';
import type { Rollout, RolloutEvent } from './rollout.js';
import type { RolloutDefinition, RolloutStage } from './rollout-definition.js';
import type { RolloutFacts, SeenLook, SeenRecord } from './rollout-facts.js';
import type { RolloutSurroundings } from './rollout-surroundings.js';

export { T0 };
export const SECOND = 1_000_000;

export const aStage = (change: Partial<RolloutStage> = {}): RolloutStage => ({
  name: 'canary',
  coverage: 0.05,
  bakeSeconds: 60,
  minUnits: 100,
  requiresApproval: false,
  deadlineSeconds: null,
  monitored: true,
  ...change,
});

export const aRollout = (change: Partial<RolloutDefinition> = {}): RolloutDefinition => ({
  key: 'greener',
  name: 'Greener',
  experiment: 'button',
  environment: 'production',
  stages: [aStage(), aStage({ name: 'half', coverage: 0.5 }), aStage({ name: 'all', coverage: 1 })],
  freshnessSeconds: 30,
  mode: 'act',
  ...change,
});

/** One that a rollout can move. */
export const aRampable = (change: Parameters<typeof anExperiment>[0] = {}): ExperimentDefinition =>
  anExperiment({
    feature: 'colour',
    assignment: 'rampart',
    metrics: [
      { metric: 'converted', role: 'success' },
      { metric: 'crashes', role: 'guardrail' },
    ],
    ...change,
    plan: { method: 'sequential', allowedLatenessUs: 5 * SECOND, ...change.plan },
  });

const variants = ['blue', 'green'].map((key) => ({ key, value: key }));
const feature = {
  versions: [
    { version: 1, definition: { key: 'colour', name: 'Colour', valueType: 'string', variants, defaultVariant: 'blue' }, definedAtUs: T0 },
  ],
  switches: {},
} as const;

export const theSurroundings = (
  definition: ExperimentDefinition = aRampable(),
  change: Partial<RolloutSurroundings> = {},
): RolloutSurroundings => ({
  experiment: fold(experimentDecider, [defined(definition)]),
  kind: 'live',
  around: surroundings(
    {
      converted: metricOf({}),
      crashes: metricOf({ key: 'crashes', type: 'first-error', windowUs: null, direction: 'decrease' }),
      latency: metricOf({ key: 'latency', type: 'mean', windowUs: 20 * SECOND, direction: 'decrease' }),
    },
    feature,
  ),
  ...change,
});

export const definedRollout = (definition = aRollout()): RolloutEvent => ({ type: 'RolloutDefined', definition, atUs: T0 });
export const startedRollout = (atUs = T0): RolloutEvent => ({ type: 'RolloutStarted', run: 1, sentence: 's', atUs });
export const advancedTo = (to: number, atUs = T0): RolloutEvent => ({
  type: 'RolloutAdvanced',
  from: to - 1,
  to,
  forcedOver: [],
  record: 'r',
  sentence: 's',
  atUs,
});
export const heldRollout = (cause: Extract<RolloutEvent, { type: 'RolloutHeld' }>['cause'], atUs = T0): RolloutEvent => ({
  type: 'RolloutHeld',
  cause,
  record: null,
  sentence: 'why',
  atUs,
});
export const pausedRollout = (atUs: number): RolloutEvent => ({ type: 'RolloutPaused', sentence: 's', atUs });
export const resumedRollout = (atUs: number): RolloutEvent => ({ type: 'RolloutResumed', sentence: 's', atUs });

export const rolloutAfter = (...events: readonly RolloutEvent[]): Rollout => fold(rolloutDecider, events);

/** The experiment where the rollout has it: at its stage, in its first comparison. */
export const aRun = (stage = 'canary', change: Partial<Run> = {}): Run =>
  ({
    status: 'running',
    kind: 'live',
    revision: 1,
    version: 1,
    metricVersions: {},
    segments: [segment({ coverage: 0.05 })],
    ramp: { rollout: 'greener', run: 1, stage, stageStartedAtUs: T0, policy: stage === 'all' ? 'ship' : 'stage' },
    ...change,
  }) as Run;

const actions = (ramp: Actions['ramp']): Actions => ({
  ramp,
  experiment: 'stay',
  gate: ramp === 'advance' ? 'go' : ramp === 'roll-back' ? 'no-go' : 'wait',
});

/** A minute after the start: the first stage has baked. */
export const BAKED = T0 + 60 * SECOND;

export const aLook = (change: Partial<SeenLook> & { ramp?: Actions['ramp'] } = {}): SeenLook => {
  const { ramp = 'advance', ...rest } = change;
  return {
    environment: 'production',
    experiment: 'button',
    comparison: 1,
    stage: 'canary',
    policy: 'stage',
    verdict: 'go',
    sentence: 'nothing is worse',
    knownUntilUs: BAKED,
    units: 100,
    actions: actions(ramp),
    ...rest,
  };
};

export const aRecord = (change: Partial<SeenRecord> & { ramp?: Actions['ramp'] } = {}): SeenRecord => ({
  id: 'record',
  ...aLook(change),
  ...(change.id === undefined ? {} : { id: change.id }),
});

/** All gates of the first stage are open. */
export const someFacts = (change: Partial<RolloutFacts> = {}): RolloutFacts => ({
  nowUs: BAKED + SECOND,
  experiment: aRun(),
  policy: 'ship',
  isFeatureKilled: false,
  look: aLook(),
  record: aRecord(),
  ...change,
});
