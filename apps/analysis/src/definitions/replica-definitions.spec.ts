import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DEFINITIONS,
  EVERYWHERE,
  type ExperimentState,
  type PublishedValue,
  revisionKey,
  topicSpecs,
  versionKey,
} from '@rampart/contracts';
import { DefinitionsReplica, MemoryEventLog } from '@rampart/event-log';
import { exampleDefinition } from '../figures/figures.examples.js';
import { ReplicaDefinitions } from './replica-definitions.js';

let log: MemoryEventLog;
let replica: DefinitionsReplica;
let definitions: ReplicaDefinitions;

const { experiment, metrics } = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [
  { input: { key: 'orders', type: 'mean' } },
]);
const orders = metrics[0]?.definition;
if (orders === undefined) throw new Error('no metric');

const publish = async (key: string, value: PublishedValue): Promise<number> => {
  const [appended] = await log.append(DEFINITIONS, [{ partition: 0, key, value: JSON.stringify(value) }]);
  if (appended?.knownAtUs === undefined) throw new Error('not appended');
  return appended.knownAtUs;
};
const environment = (key: string, kind: 'live' | 'historical') =>
  publish(revisionKey('shop', 'environment', key, EVERYWHERE, 1), { kind: 'environment', value: { project: 'shop', key, kind } });
const metric = (version: number) =>
  publish(versionKey('shop', 'metric', 'orders', version), { kind: 'metric', version, value: { ...orders, name: `Orders ${version}` } });
const defined = (version: number) =>
  publish(versionKey('shop', 'experiment', 'button', version), {
    kind: 'experiment',
    version,
    value: { ...experiment, name: `Button ${version}` },
  });
const state = (revision: number, more: Partial<ExperimentState>, of = 'production') =>
  publish(revisionKey('shop', 'experiment', 'button', of, revision), {
    kind: 'experiment-state',
    revision,
    value: { experiment: 'button', version: 1, status: 'running', segments: [], startedAtUs: 1, closedAtUs: null, ...more },
  });

/** The replica as it is after everything published so far. */
const read = async () => {
  replica = DefinitionsReplica.start(log);
  await replica.caughtUp;
  definitions = new ReplicaDefinitions(replica);
};

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
});
afterEach(async () => {
  await replica.close();
  await log.close();
});

describe('definitions in force', () => {
  it('are those that the state of the environment names, with the versions pinned at the start', async () => {
    await environment('production', 'live');
    await metric(1);
    await defined(1);
    await state(1, { metricVersions: { orders: 1 } });
    await metric(2);
    await defined(2);
    await read();
    const found = definitions.inForce('shop', 'production', 'button', null);
    expect([found.version, found.experiment.name, found.metrics[0]?.definition.name]).toEqual([1, 'Button 1', 'Orders 1']);
    expect(found.state?.status).toBe('running');
  });

  it('are those of the moment that asOf names', async () => {
    await environment('production', 'live');
    await metric(1);
    await defined(1);
    const before = await state(1, {});
    await defined(2);
    const after = await state(2, { version: 2, status: 'paused' });
    await read();
    expect(definitions.inForce('shop', 'production', 'button', before)).toMatchObject({ version: 1, state: { status: 'running' } });
    expect(definitions.inForce('shop', 'production', 'button', after)).toMatchObject({ version: 2, state: { status: 'paused' } });
  });

  it('of a history are always the newest: asOf is about its rows', async () => {
    await environment('past', 'historical');
    await metric(1);
    await defined(1);
    await state(1, { startedAtUs: 0 }, 'past');
    await read();
    expect(definitions.inForce('shop', 'past', 'button', 5)).toMatchObject({ version: 1, state: { startedAtUs: 0 } });
  });

  it('without a start are the newest, and have no state', async () => {
    await environment('production', 'live');
    await defined(1);
    await read();
    // Its metric does not exist yet.
    expect(definitions.inForce('shop', 'production', 'button', null)).toMatchObject({ version: 1, state: null, metrics: [] });
  });

  it('name what there is where something is not found', async () => {
    await environment('production', 'live');
    await read();
    const refusal = (key: string, name: string) => {
      try {
        return definitions.inForce('shop', key, name, null);
      } catch (error) {
        return error;
      }
    };
    expect(refusal('staging', 'button')).toMatchObject({ code: 'environment-not-found', details: { environments: ['production'] } });
    expect(refusal('production', 'button')).toMatchObject({ code: 'experiment-not-found' });
  });

  it('say since when an experiment has been there where asOf lies before', async () => {
    await environment('production', 'live');
    const definedAtUs = await defined(1);
    await read();
    const asOf = (atUs: number) => () => definitions.inForce('shop', 'production', 'button', atUs);
    expect(asOf(definedAtUs)).not.toThrow();
    expect(asOf(definedAtUs - 1)).toThrow(expect.objectContaining({ code: 'experiment-not-yet-defined' }));
    expect(asOf(definedAtUs - 1)).toThrow('it was defined at');
  });

  it('are unavailable, not absent, while the replica is still reading', async () => {
    replica = DefinitionsReplica.start(log);
    definitions = new ReplicaDefinitions(replica);
    expect(() => definitions.environment('shop', 'production')).toThrow(expect.objectContaining({ retriable: true }));
    await replica.caughtUp;
  });
});
