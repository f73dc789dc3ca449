import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DEFINITIONS,
  EVERYWHERE,
  type ExperimentState,
  FIRST_KNOWN_HEADER,
  headKey,
  type KeyDefinition,
  type MetricDefinition,
  type PublishedValue,
  revisionKey,
  TICK_HEADER,
  topicSpecs,
  versionKey,
} from '@rampart/contracts';
import { DefinitionsReplica } from './definitions-replica.js';
import { MemoryEventLog } from './memory-event-log.js';

let log: MemoryEventLog;
let replica: DefinitionsReplica;

const publish = async (key: string, value: PublishedValue | { revision: number } | string | null, headers = {}) => {
  const text = value === null || typeof value === 'string' ? value : JSON.stringify(value);
  const [appended] = await log.append(DEFINITIONS, [{ partition: 0, key, value: text, headers }]);
  return appended?.knownAtUs ?? 0;
};
const writeKey = (more: Partial<KeyDefinition>): PublishedValue => ({
  kind: 'key',
  value: { id: 'abc', hash: 'h1', role: 'emit', project: 'shop', environment: 'production', name: 'web', revoked: false, ...more },
});
const state = (status: ExperimentState['status']): PublishedValue => ({
  kind: 'experiment-state',
  revision: 0,
  value: { experiment: 'button', version: 1, status, segments: [], startedAtUs: null, closedAtUs: null },
});
const restart = async () => {
  replica = DefinitionsReplica.start(log);
  await replica.caughtUp;
};

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
});
afterEach(() => log.close());

describe('a replica of the definitions', () => {
  it('has everything published before it started, once it has caught up', async () => {
    await publish(revisionKey(EVERYWHERE, 'project', 'shop', EVERYWHERE, 1), { kind: 'project', value: { key: 'shop', name: 'Shop' } });
    await publish(revisionKey('shop', 'environment', 'past', EVERYWHERE, 1), {
      kind: 'environment',
      value: { project: 'shop', key: 'past', kind: 'historical' },
    });
    await publish(revisionKey('shop', 'key', 'abc', EVERYWHERE, 1), writeKey({}));
    const starting = DefinitionsReplica.start(log);
    expect(starting.trouble()).toMatch('still being read');
    await restart();
    expect(replica.trouble()).toBeUndefined();
    expect(replica.project('shop')?.name).toBe('Shop');
    expect(replica.environment('shop', 'past')?.kind).toBe('historical');
    expect(replica.environmentsOf('shop')).toHaveLength(1);
    expect(replica.environment('other', 'past')).toBeUndefined();
    expect(replica.keyByHash('h1')?.id).toBe('abc');
  });

  it('lets the hash of a rotated key go and keeps a revoked one as revoked', async () => {
    await publish(revisionKey('shop', 'key', 'abc', EVERYWHERE, 1), writeKey({}));
    await publish(revisionKey('shop', 'key', 'abc', EVERYWHERE, 2), writeKey({ hash: 'h2' }));
    await publish(revisionKey('shop', 'key', 'abc', EVERYWHERE, 3), writeKey({ hash: 'h2', revoked: true }));
    await restart();
    expect(replica.keyByHash('h1')).toBeUndefined();
    expect(replica.keyByHash('h2')?.revoked).toBe(true);
  });

  it('says what was in force at any moment, also after a revert', async () => {
    const atUs = [];
    for (const [index, status] of (['running', 'paused', 'running'] as const).entries()) {
      const revision = index + 1;
      atUs.push(await publish(revisionKey('shop', 'experiment', 'button', 'production', revision), state(status)));
      await publish(headKey('shop', 'experiment', 'button', 'production'), { revision });
    }
    await restart();
    const [first = 0, second = 0] = atUs;
    expect(replica.stateAt('shop', 'button', 'production', first - 1)).toBeUndefined();
    expect(replica.stateAt('shop', 'button', 'production', first)?.value.status).toBe('running');
    expect(replica.stateAt('shop', 'button', 'production', second)?.value.status).toBe('paused');
    expect(replica.state('shop', 'button', 'production')?.status).toBe('running');
    expect(replica.state('shop', 'button', 'staging')).toBeUndefined();
  });

  it('has every version of a definition and the newest without asking', async () => {
    const feature = (version: number, name: string): PublishedValue => ({
      kind: 'feature',
      version,
      value: { key: 'color', name, valueType: 'string', variants: [], defaultVariant: 'red' },
    });
    await publish(versionKey('shop', 'feature', 'color', 1), feature(1, 'Color'));
    await publish(versionKey('shop', 'feature', 'color', 2), feature(2, 'Colour'));
    await restart();
    expect(replica.feature('shop', 'color')?.name).toBe('Colour');
    expect(replica.feature('shop', 'color', 1)?.name).toBe('Color');
    expect(replica.feature('shop', 'color', 3)).toBeUndefined();
  });

  it('keeps the order and the moments of what is said again without a unit that was erased, and forgets the unit', async () => {
    const named = (version: number, name: string): PublishedValue => ({
      kind: 'metric',
      version,
      value: { key: 'spend', name, type: 'mean', unitType: 'user', numerator: { event: 'bought' } } as MetricDefinition,
    });
    const key = (version: number) => versionKey('shop', 'metric', 'spend', version);
    const firstUs = await publish(key(1), named(1, 'for ann'));
    const secondUs = await publish(key(2), named(2, 'for all'));
    await restart();
    const running = replica;
    await publish(key(1), named(1, 'for (erased)'), { [FIRST_KNOWN_HEADER]: String(firstUs) });
    await publish(TICK_HEADER, null, { [TICK_HEADER]: '1' });
    await restart();
    while (running.metric('shop', 'spend', 1)?.name === 'for ann') await new Promise((resolve) => setTimeout(resolve, 5));
    for (const one of [running, replica]) {
      expect(one.metricHistory('shop', 'spend').map(({ revision, knownAtUs, value }) => [revision, knownAtUs, value.name])).toEqual([
        [1, firstUs, 'for (erased)'],
        [2, secondUs, 'for all'],
      ]);
      expect(one.metric('shop', 'spend')?.name).toBe('for all');
      expect(one.lastKnownAtUs).toBeGreaterThan(secondUs);
    }
    await running.close();
  });

  it('moves on with ticks and past what it cannot read', async () => {
    await publish('v/shop/metric/broken/1', 'no JSON');
    const tickedAtUs = await publish(TICK_HEADER, null, { [TICK_HEADER]: '1' });
    await publish(revisionKey('shop', 'key', 'abc', EVERYWHERE, 1), writeKey({}));
    await restart();
    expect(replica.unreadable).toBe(1);
    expect(replica.lastKnownAtUs).toBeGreaterThan(tickedAtUs);
    expect(replica.keyByHash('h1')).toMatchObject({ id: 'abc', revoked: false });
  });
});
