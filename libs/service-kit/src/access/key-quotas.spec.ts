import { describe, expect, it } from '@jest/globals';
import type { KeyRecord, Role } from './api-keys.js';
import { KeyQuotas } from './key-quotas.js';

const keyOf = (role: Role, more: Partial<KeyRecord> = {}): KeyRecord => ({
  ...{ id: role, hash: '', role, project: 'shop', environment: null, revoked: false },
  ...more,
});
const still = () => 0;

describe('the quota of a key', () => {
  it('is its own, before that of the service', () => {
    const quota = { eventsPerSecond: 3, burst: 4 };
    expect(new KeyQuotas(7).of(keyOf('client', { quota }))).toBe(quota);
    expect(new KeyQuotas(undefined).of(keyOf('import', { quota }))).toBe(quota);
  });

  it('is that of the service for keys that send, and none for imports, people and the platform’s own key', () => {
    const quotas = new KeyQuotas(7);
    const ofRoles = (['emit', 'client', 'import', 'analyst', 'manager', 'admin'] as const).map((role) => quotas.of(keyOf(role))?.burst);
    expect(ofRoles).toEqual([70, 70, undefined, undefined, undefined, undefined]);
    expect(quotas.of(undefined)).toBeUndefined();
  });

  it('takes, gives back and owes by key', () => {
    const quotas = new KeyQuotas(1, still);
    const [sender, other] = [keyOf('client'), keyOf('client', { id: 'other' })];
    expect(quotas.take(sender, 10)).toBeUndefined();
    expect(quotas.take(sender, 1)).toBe(1_000);
    quotas.giveBack(sender, 10);
    expect(quotas.take(sender, 1)).toBeUndefined();
    quotas.owe(sender, 19);
    expect(quotas.take(sender, 1)).toBe(11_000);
    expect(quotas.take(other, 1)).toBeUndefined();
  });

  it('that there is none of lets everything through', () => {
    const quotas = new KeyQuotas(undefined, still);
    quotas.owe(keyOf('client'), 1_000_000);
    expect(quotas.take(keyOf('client'), 1_000_000)).toBeUndefined();
  });
});
