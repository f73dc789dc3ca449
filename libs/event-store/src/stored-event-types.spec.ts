import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  allocationDecider,
  apiKeyDecider,
  environmentDecider,
  experimentDecider,
  featureDecider,
  fold,
  metricDecider,
  projectDecider,
  rolloutDecider,
  webhookDecider,
} from '@rampart/domain';
import { currentVersion, EVENT_TYPES, type EventData, type RampartEvent, upcast } from './stored-event-types.js';

const folder = join(import.meta.dirname, '..', 'golden');
const golden = (type: string, version: number): { type: string; version: number; data: EventData } =>
  JSON.parse(readFileSync(join(folder, `${type}.v${version}.json`), 'utf8'));
const today = (type: RampartEvent['type'], version = currentVersion(type)): never => {
  const { data } = golden(type, version);
  return upcast(type, version, data) as never;
};

describe('stored events', () => {
  it('have a golden file for every version that was ever written, and no other', () => {
    const expected = EVENT_TYPES.flatMap((type) =>
      Array.from({ length: currentVersion(type) }, (_, index) => `${type}.v${index + 1}.json`),
    );
    expect(readdirSync(folder).sort()).toEqual([...expected].sort());
  });

  it('of older versions become what the newest version says', () => {
    for (const type of EVENT_TYPES)
      for (let version = 1; version <= currentVersion(type); version++)
        expect(today(type, version)).toEqual({ ...golden(type, currentVersion(type)).data, type });
  });

  it('fold into a project, an environment and a key', () => {
    expect(fold(projectDecider, [today('ProjectCreated')])).toMatchObject({ status: 'existing', project: 'shop', name: 'The shop' });
    expect(fold(environmentDecider, [today('EnvironmentCreated')])).toMatchObject({ status: 'existing', kind: 'live' });
    const key = fold(apiKeyDecider, [today('ApiKeyCreated'), today('ApiKeyRotated'), today('ApiKeyLimited'), today('ApiKeyRevoked')]);
    expect(key).toMatchObject({
      status: 'revoked',
      quota: { eventsPerSecond: 100 },
      hash: '1'.repeat(64),
      role: 'emit',
      environment: 'production',
    });
  });

  it('fold into a layer, a holdout that was ended and an override that was removed', () => {
    expect(fold(allocationDecider, [today('LayerDefined')])).toMatchObject({ kind: 'layer', definition: { seed: 'layer-seed' } });
    const holdout = fold(allocationDecider, [today('HoldoutDefined'), today('HoldoutEnded')]);
    expect(holdout).toMatchObject({ kind: 'holdout', isActive: false, definition: { share: 0.05 } });
    const override = fold(allocationDecider, [today('OverrideDefined'), today('OverrideRemoved')]);
    expect(override).toMatchObject({ kind: 'override', isActive: false, environment: 'production' });
  });

  it('fold into a webhook with another secret, that was removed', () => {
    const webhook = fold(webhookDecider, [today('WebhookDefined'), today('WebhookRotated'), today('WebhookRemoved')]);
    expect(webhook).toMatchObject({ status: 'removed', sealedSecret: 'c2VhbGVkIGFnYWlu', definition: { key: 'deploys' } });
  });

  it('fold into a project that was removed', () => {
    expect(fold(projectDecider, [today('ProjectCreated'), today('ProjectRemoved')])).toMatchObject({ status: 'removed', project: 'shop' });
  });

  it('fold into a metric and a feature', () => {
    expect(fold(metricDecider, [today('MetricDefined')]).versions).toMatchObject([
      { version: 1, definition: { type: 'ratio', capUpper: '1000.5' } },
    ]);
    expect(fold(featureDecider, [today('FeatureDefined')]).versions).toMatchObject([
      { version: 1, definition: { defaultVariant: 'blue' } },
    ]);
    const killed = [today('FeatureDefined'), today('FeatureKilled')];
    expect(fold(featureDecider, killed).switches).toEqual({ production: { isKilled: true, revision: 1 } });
    expect(fold(featureDecider, [...killed, today('FeatureRestored')]).switches).toEqual({ production: { isKilled: false, revision: 2 } });
  });

  it('fold into an experiment that went all the way', () => {
    const experiment = fold(experimentDecider, [
      today('ExperimentDefined'),
      today('ExperimentStarted'),
      today('ExperimentRedefined'),
      today('ExperimentPaused'),
      today('ExperimentResumed'),
      today('EnrolmentFrozen'),
      today('ExperimentDecided'),
      today('ExperimentArchived'),
    ]);
    expect(experiment.versions.map(({ version }) => version)).toEqual([1, 2]);
    expect(experiment.runs.production).toMatchObject({
      status: 'archived',
      revision: 7,
      version: 2,
      segments: [{ comparison: 1 }, { coverage: 0 }, { comparison: 2, seed: 'seed-2' }, { segment: 4 }],
      decision: { outcome: 'ship', arm: 'green' },
    });
  });
});

describe('stored events of a ramp', () => {
  it('fold into a run that was stopped and begins once more, with a comparison of its own', () => {
    const stopped = [today('ExperimentDefined'), today('ExperimentStarted'), today('ExperimentRedefined'), today('ExperimentDecided')];
    const { runs } = fold(experimentDecider, [...stopped, today('ExperimentRestarted')]);
    expect(runs.production).toMatchObject({
      status: 'running',
      version: 2,
      ramp: { run: 2 },
      segments: [{}, { comparison: 3, seed: 'seed-3' }],
    });
    expect(runs.production).not.toHaveProperty('decision');
  });

  it('fold into a run that was moved by its rollout', () => {
    const { runs } = fold(experimentDecider, [today('ExperimentDefined'), today('ExperimentStarted'), today('RampMoved')]);
    expect(runs.production).toMatchObject({
      status: 'running',
      ramp: { rollout: 'greener', stage: 'half' },
      segments: [{}, { coverage: 0.5 }],
    });
  });

  it('fold into a rollout that went all the way, and one that went back', () => {
    const begun = (['RolloutDefined', 'RolloutRedefined', 'RolloutStarted', 'RolloutHeld', 'RolloutPaused', 'RolloutResumed'] as const).map(
      (type) => today(type),
    );
    const moved = [...begun, today('RolloutAdvanced'), today('RolloutWouldHaveActed'), today('RolloutApproved')];
    expect(fold(rolloutDecider, moved)).toMatchObject({
      status: 'running',
      definition: { name: 'Greener button' },
      stage: { index: 1, approvedBy: 'key-1', told: ['hold-deadline'] },
    });
    const record = 'a'.repeat(64);
    expect(fold(rolloutDecider, [...moved, today('RolloutReleased')])).toMatchObject({ status: 'released', end: { record } });
    expect(fold(rolloutDecider, [...begun, today('RolloutRolledBack')])).toMatchObject({
      status: 'rolled-back',
      stage: { index: 0, seen: ['quality'] },
    });
  });
});

describe('upcasting', () => {
  const upcasters = {
    Moved: [(data: EventData) => ({ place: data.where }), (data: EventData) => ({ place: { name: data.place } })],
  };

  it('takes every step from the stored version to the newest', () => {
    expect(upcast('Moved', 1, { where: 'home' }, upcasters)).toEqual({ type: 'Moved', place: { name: 'home' } });
    expect(upcast('Moved', 2, { place: 'home' }, upcasters)).toEqual({ type: 'Moved', place: { name: 'home' } });
    expect(upcast('Moved', 3, { place: { name: 'home' } }, upcasters)).toEqual({ type: 'Moved', place: { name: 'home' } });
    expect(currentVersion('Moved', upcasters)).toBe(3);
  });

  it('refuses what a newer program wrote', () => {
    expect(() => upcast('Moved', 4, {}, upcasters)).toThrow(/version 4.*up to 3/);
    expect(() => upcast('Unheard', 1, {}, upcasters)).toThrow(/unknown/);
  });
});
