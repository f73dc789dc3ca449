import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { experimentDefinition, metricDefinition } from '@rampart/contracts';
import type { RampartEvent, StoredEvent } from '@rampart/event-store';
import { type DefinitionMessage, messagesAfter } from './definition-messages.js';

const repository = join(import.meta.dirname, '..', '..', '..', '..');
const read = (...path: readonly string[]) => JSON.parse(readFileSync(join(repository, ...path), 'utf8'));

/** The golden events of the event store, as if they had happened in this order. */
const history: readonly (readonly [string, readonly string[]])[] = [
  ['project/shop', ['ProjectCreated']],
  ['environment/shop/production', ['EnvironmentCreated']],
  ['key/abcdefghjkmn', ['ApiKeyCreated', 'ApiKeyRotated', 'ApiKeyRevoked']],
  ['metric/shop/revenue', ['MetricDefined']],
  ['feature/shop/button-colour', ['FeatureDefined']],
  [
    'experiment/shop/button',
    [
      'ExperimentDefined',
      'ExperimentStarted',
      'ExperimentRedefined',
      'ExperimentPaused',
      'ExperimentResumed',
      'EnrolmentFrozen',
      'ExperimentDecided',
      'ExperimentArchived',
    ],
  ],
];

const goldenEvents = readdirSync(join(repository, 'libs', 'event-store', 'golden'));
const newest = (type: string): string =>
  goldenEvents
    .filter((file) => file.startsWith(`${type}.v`))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
    .at(-1) ?? `${type} has no golden file`;

const messagesOf = (stream: string, types: readonly string[]): readonly DefinitionMessage[] => {
  const events = types.map((type, index): StoredEvent => {
    const { data } = read('libs', 'event-store', 'golden', newest(type));
    const event = { ...data, type } as RampartEvent;
    return { position: index + 1, stream, version: index + 1, event, atUs: 0, actor: 'a', reason: null, requestId: null };
  });
  return events.flatMap((_, index) => messagesAfter(events.slice(0, index + 1)));
};

const all = history.flatMap(([stream, types]) => messagesOf(stream, types));

describe('definitions.v1', () => {
  // Consumers parse this file in their specs: whoever changes a message sees who reads it.
  it('says what the golden messages say', () => {
    expect(JSON.parse(JSON.stringify(all))).toEqual(read('libs', 'contracts', 'golden', 'definitions.v1.json'));
  });

  it('holds definitions that the contracts accept unchanged', () => {
    const checked = all.map(({ value }) => {
      if (!('kind' in value)) return 'head';
      if (value.kind === 'metric') expect(metricDefinition.parse(value.value)).toEqual(value.value);
      if (value.kind === 'experiment') expect(experimentDefinition.parse(value.value)).toEqual(value.value);
      return value.kind;
    });
    expect(new Set(checked)).toEqual(
      new Set(['head', 'project', 'environment', 'key', 'metric', 'feature', 'experiment', 'experiment-state']),
    );
  });

  it('never says two things under a key that does not change', () => {
    const immutable = all.filter(({ key }) => !key.startsWith('head/')).map(({ key }) => key);
    expect(new Set(immutable).size).toBe(immutable.length);
  });

  it('points to a revision only after that was said', () => {
    const said = new Set<string>();
    for (const { key, value } of all) {
      if ('revision' in value && !('kind' in value)) {
        const [, project, kind, id, environment] = key.split('/');
        const isThere = [
          `v/${project}/${kind}/${id}/${value.revision}`,
          `h/${project}/${kind}/${id}/${environment}/${value.revision}`,
        ].some((target) => said.has(target));
        expect([key, isThere]).toEqual([key, true]);
      }
      said.add(key);
    }
  });
});
