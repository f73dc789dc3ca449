/** A project with an experiment that a rollout can move, and what analysis would say about it. */
import type { DecisionRecord, ExperimentState, LookMessage, RolloutDocument, RolloutRequest } from '@rampart/contracts';
import { comparisonKey } from '@rampart/contracts';
import { aMetric, anExperiment, type ControlPlane, eventually } from '../control-plane.examples.js';
import { after, aLook, aRecord, logOf, propose, tellLook } from '../evidence/records.examples.js';

export const aRollout = (change: Partial<RolloutRequest> = {}): RolloutRequest => ({
  key: 'greener',
  name: 'Greener',
  experiment: 'button',
  environment: 'production',
  stages: [
    { name: 'canary', coverage: 0.05, bakeSeconds: 0 },
    { name: 'half', coverage: 0.5, bakeSeconds: 0 },
    { name: 'all', coverage: 1, bakeSeconds: 0 },
  ],
  ...change,
});

/** Asks until it is so; patient, since the machine may be busy. */
export const inTime = <Value>(what: string, ask: () => Promise<Value | undefined>): Promise<Value> => eventually(what, ask, 60_000);

/** In the project `default`. */
export const ask = (plane: ControlPlane, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) =>
  plane.call(method, `${path}${path.includes('?') ? '&' : '?'}project=default`, body === undefined ? {} : { body });

const must = async (asked: ReturnType<ControlPlane['call']>, ...allowed: readonly number[]) => {
  const answer = await asked;
  if (!allowed.includes(answer.status)) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};

/** Metric, feature, experiment and rollout of the project `default`. */
export const defineRollout = async (plane: ControlPlane, change: Partial<RolloutRequest> = {}, experiment: object = {}): Promise<void> => {
  const rollout = aRollout(change);
  await must(ask(plane, 'PUT', '/v1/metrics/converted', aMetric()), 200, 201);
  const variants = ['blue', 'green'].map((key) => ({ key, value: key }));
  const feature = { key: 'colour', name: 'Colour', valueType: 'string', variants, defaultVariant: 'blue' };
  await must(ask(plane, 'PUT', '/v1/features/colour', feature), 200, 201);
  const definition = anExperiment({ key: rollout.experiment, feature: 'colour', assignment: 'rampart', ...experiment });
  await must(ask(plane, 'POST', '/v1/experiments', definition), 201, 409);
  await must(ask(plane, 'POST', '/v1/rollouts', rollout), 201);
};

export const rolloutIn = async (plane: ControlPlane, key = 'greener'): Promise<RolloutDocument> =>
  must(ask(plane, 'GET', `/v1/rollouts/${key}`), 200);

export const stateOf = async (plane: ControlPlane, experiment = 'button'): Promise<ExperimentState | undefined> =>
  (await must(ask(plane, 'GET', `/v1/experiments/${experiment}`), 200)).environments.production;

/** Waits until the rollout is there, and its experiment with it. */
export const reaches = (
  plane: ControlPlane,
  what: string,
  isThere: (rollout: RolloutDocument, state: ExperimentState) => boolean,
  key = 'greener',
) =>
  inTime(what, async () => {
    const rollout = await rolloutIn(plane, key);
    const state = await stateOf(plane, rollout.experiment);
    return state !== undefined && isThere(rollout, state) ? { rollout, state } : undefined;
  });

export const startRollout = async (plane: ControlPlane, key = 'greener'): Promise<void> => {
  await must(ask(plane, 'POST', `/v1/rollouts/${key}/start`), 200);
  await reaches(plane, 'the experiment has started', (_, { status }) => status === 'running', key);
};

export interface Said {
  readonly verdict: LookMessage['verdict'];
  readonly ramp: LookMessage['actions']['ramp'];
  readonly units?: number;
  readonly sentence?: string;
}

export const GO: Said = { verdict: 'go', ramp: 'advance', sentence: 'nothing is worse' };
export const HARM: Said = { verdict: 'no-go', ramp: 'roll-back', sentence: 'no-go – 14 crashes against 0' };

/** Analysis as the rollout sees it: each thing said is a look and a record that continues the chain. */
export const analysisOf = (plane: ControlPlane) => {
  let newest: DecisionRecord | undefined;
  const placeOf = async () => {
    const state = await stateOf(plane);
    if (state === undefined) throw new Error('nothing to look at');
    const { ramp } = state;
    return { state, stage: ramp?.stage ?? null, policy: ramp?.policy ?? 'ship' } as const;
  };
  const actionsOf = ({ verdict, ramp }: Said): LookMessage['actions'] => ({
    ramp,
    experiment: 'stay',
    gate: verdict === 'go' ? 'go' : verdict === 'no-go' ? 'no-go' : 'wait',
  });

  const looks = async (said: Said, change: Partial<LookMessage> = {}): Promise<void> => {
    const { stage, policy } = await placeOf();
    const { verdict, sentence = said.verdict, units = 100 } = said;
    const now = Date.now() * 1000;
    const look = { stage, policy, verdict, sentence, units, actions: actionsOf(said), knownUntilUs: now, lookedAtUs: now };
    const message = aLook({ ...look, ...change });
    await tellLook(logOf(plane), comparisonKey(message), message);
  };

  const records = async (said: Said, change: Partial<DecisionRecord> = {}): Promise<DecisionRecord> => {
    const { state, stage, policy } = await placeOf();
    const { verdict, sentence = verdict } = said;
    const parts = {
      stage,
      policy,
      verdict: { verdict, rule: 'a-rule', sentence, arms: [], findings: [] },
      actions: actionsOf(said),
    } as const;
    const knownUntilUs = Math.max(Date.now() * 1000, (newest?.knownUntilUs ?? 0) + 1);
    const first =
      newest === undefined ? aRecord({ ...parts, knownUntilUs, ...change }) : after(newest, { ...parts, knownUntilUs, ...change });
    const definition = { ...first.definition, state };
    newest =
      newest === undefined
        ? aRecord({ ...parts, knownUntilUs, ...change, definition })
        : after(newest, { ...parts, knownUntilUs, ...change, definition });
    await propose(logOf(plane), newest);
    return newest;
  };

  return {
    looks,
    records,
    /** Both, the record first. */
    says: async (said: Said): Promise<DecisionRecord> => {
      const record = await records(said);
      await looks(said, { record: record.id });
      return record;
    },
  };
};
