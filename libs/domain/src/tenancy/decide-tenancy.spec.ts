import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { scenario } from '../scenario.contract.js';
import type { ApiKeyEvent } from './api-key.js';
import { type ApiKeyCommand, apiKeyDecider } from './decide-api-key.js';
import { environmentDecider } from './decide-environment.js';
import { projectDecider } from './decide-project.js';

describe('a project', () => {
  const { given } = scenario(projectDecider);
  const command = { type: 'CreateProject', project: 'shop', name: 'Shop', atUs: 1 } as const;
  it('is created once', () => {
    const created = { type: 'ProjectCreated', project: 'shop', name: 'Shop', atUs: 1 } as const;
    given([]).when(command).then([created]);
    given([created]).when(command).thenRefuses('project-exists', 'shop');
  });
  it('has a key that can be in an address', () => {
    for (const project of ['', '-', '.hidden', 'a/b', 'Großes', 'a b'])
      given([])
        .when({ ...command, project })
        .thenRefuses('invalid-slug', '1–80');
    for (const project of ['null', 'undefined'])
      given([])
        .when({ ...command, project })
        .thenRefuses('reserved-slug');
  });
});

describe('an environment', () => {
  const { given } = scenario(environmentDecider);
  const command = { type: 'CreateEnvironment', project: 'shop', environment: 'past', kind: 'historical', atUs: 1 } as const;
  it('is created once, of one kind for ever', () => {
    const created = { type: 'EnvironmentCreated', project: 'shop', environment: 'past', kind: 'historical', atUs: 1 } as const;
    given([]).when(command).then([created]);
    given([created])
      .when({ ...command, kind: 'live' })
      .thenRefuses('environment-exists', 'of kind historical');
  });
});

describe('a key', () => {
  const { given } = scenario(apiKeyDecider);
  const live = { key: 'production', kind: 'live' } as const;
  const past = { key: 'past', kind: 'historical' } as const;
  const create = (change: Partial<Extract<ApiKeyCommand, { type: 'CreateApiKey' }>>): ApiKeyCommand => ({
    type: 'CreateApiKey',
    id: 'k',
    hash: 'h1',
    role: 'emit',
    project: 'shop',
    environment: live,
    name: 'web',
    expiresAtUs: null,
    quota: null,
    atUs: 1,
    ...change,
  });
  const created: ApiKeyEvent = {
    type: 'ApiKeyCreated',
    id: 'k',
    hash: 'h1',
    role: 'emit',
    project: 'shop',
    environment: 'production',
    name: 'web',
    atUs: 1,
  };
  const revoked: ApiKeyEvent = { type: 'ApiKeyRevoked', atUs: 3 };

  it('reaches as far as its role', () => {
    given([]).when(create({})).then([created]);
    given([])
      .when(create({ role: 'import', environment: past }))
      .then([{ ...created, role: 'import', environment: 'past' }]);
    given([])
      .when(create({ role: 'analyst', environment: null }))
      .then([{ ...created, role: 'analyst', environment: null }]);
    given([])
      .when(create({ role: 'admin', project: null, environment: null }))
      .then([{ ...created, role: 'admin', project: null, environment: null }]);
  });
  it.each([
    ['an admin of one project', { role: 'admin', environment: null }, 'leave out project'],
    ['a manager of everything', { role: 'manager', project: null, environment: null }, 'belongs to one project'],
    ['an analyst of one environment', { role: 'analyst' }, 'leave out "production"'],
    ['a sender to every environment', { environment: null }, 'belongs to one live environment'],
    ['a sender to history', { environment: past }, 'use role import'],
    ['an importer to a live environment', { role: 'import' }, 'use role emit'],
  ] as const)('is not %s', (_, change, sentence) => {
    given([]).when(create(change)).thenRefuses('key-reach', sentence);
  });
  const rotate = (change: Partial<Extract<ApiKeyCommand, { type: 'RotateApiKey' }>> = {}): ApiKeyCommand => ({
    type: 'RotateApiKey',
    hash: 'h2',
    overlapUs: 0,
    expiresAtUs: null,
    atUs: 2,
    ...change,
  });
  it('gets a new secret by rotation', () => {
    given([created])
      .when(rotate())
      .then([{ type: 'ApiKeyRotated', hash: 'h2', atUs: 2 }]);
    const rotated = fold(apiKeyDecider, [created, { type: 'ApiKeyRotated', hash: 'h2', atUs: 2 }]);
    expect(rotated).toMatchObject({ hash: 'h2', rotatedAtUs: 2, previous: null });
  });
  it('keeps the secret before for as long as it was given, and never an older one', () => {
    const overlapping: ApiKeyEvent = { type: 'ApiKeyRotated', hash: 'h2', previousUntilUs: 12, atUs: 2 };
    given([created])
      .when(rotate({ overlapUs: 10 }))
      .then([overlapping]);
    expect(fold(apiKeyDecider, [created, overlapping])).toMatchObject({ hash: 'h2', previous: { hash: 'h1', untilUs: 12 } });
    const again: ApiKeyEvent = { type: 'ApiKeyRotated', hash: 'h3', previousUntilUs: 20, atUs: 3 };
    expect(fold(apiKeyDecider, [created, overlapping, again])).toMatchObject({ hash: 'h3', previous: { hash: 'h2', untilUs: 20 } });
  });
  it('may expire, in the future only', () => {
    given([])
      .when(create({ expiresAtUs: 5 }))
      .then([{ ...created, expiresAtUs: 5 }]);
    for (const expiresAtUs of [0, 1]) given([]).when(create({ expiresAtUs })).thenRefuses('key-expiry', 'which is over');
    given([created])
      .when(rotate({ expiresAtUs: 2 }))
      .thenRefuses('key-expiry');
  });
  it('that expired gets a new secret only with a later end, and its old secret never comes back', () => {
    const expired = { ...created, expiresAtUs: 5 };
    given([expired])
      .when(rotate({ atUs: 5, overlapUs: 10 }))
      .thenRefuses('key-is-expired', 'later expiresAt');
    given([expired])
      .when(rotate({ atUs: 5, overlapUs: 10, expiresAtUs: 100 }))
      .then([{ type: 'ApiKeyRotated', hash: 'h2', expiresAtUs: 100, atUs: 5 }]);
  });
  it('that is rotated before it expires gets a later end for its new secret only', () => {
    const expiring = { ...created, expiresAtUs: 5 };
    given([expiring])
      .when(rotate({ overlapUs: 10, expiresAtUs: 100 }))
      .then([{ type: 'ApiKeyRotated', hash: 'h2', previousUntilUs: 5, expiresAtUs: 100, atUs: 2 }]);
    given([expiring])
      .when(rotate({ overlapUs: 2, expiresAtUs: 100 }))
      .then([{ type: 'ApiKeyRotated', hash: 'h2', previousUntilUs: 4, expiresAtUs: 100, atUs: 2 }]);
    given([expiring])
      .when(rotate({ overlapUs: 10 }))
      .then([{ type: 'ApiKeyRotated', hash: 'h2', previousUntilUs: 5, atUs: 2 }]);
  });
  it('may be limited where it sends events', () => {
    const quota = { eventsPerSecond: 10, burst: 100 };
    given([])
      .when(create({ quota }))
      .then([{ ...created, quota }]);
    given([])
      .when(create({ role: 'analyst', environment: null, quota }))
      .thenRefuses('key-quota', 'sends no events');
    given([created])
      .when({ type: 'LimitApiKey', quota, atUs: 2 })
      .then([{ type: 'ApiKeyLimited', quota, atUs: 2 }]);
    given([{ ...created, quota }])
      .when({ type: 'LimitApiKey', quota, atUs: 2 })
      .then([]);
    given([{ ...created, quota }])
      .when({ type: 'LimitApiKey', quota: null, atUs: 2 })
      .then([{ type: 'ApiKeyLimited', quota: null, atUs: 2 }]);
    given([created, revoked]).when({ type: 'LimitApiKey', quota, atUs: 4 }).thenRefuses('key-is-revoked');
  });
  it('stays revoked', () => {
    given([created]).when({ type: 'RevokeApiKey', atUs: 3 }).then([revoked]);
    given([created, revoked]).when({ type: 'RevokeApiKey', atUs: 4 }).then([]);
    given([created, revoked])
      .when(rotate({ atUs: 4 }))
      .thenRefuses('key-is-revoked', 'create a new one');
  });
  it('is created once, and must be there to be changed', () => {
    given([created]).when(create({})).thenRefuses('key-exists');
    given([]).when({ type: 'RevokeApiKey', atUs: 3 }).thenRefuses('key-not-found');
    given([]).when(rotate()).thenRefuses('key-not-found');
  });
});
