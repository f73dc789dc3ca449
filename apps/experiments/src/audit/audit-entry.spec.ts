import { describe, expect, it } from '@jest/globals';
import type { AuditEntry } from '@rampart/contracts';
import type { StoredEvent } from '@rampart/event-store';
import { rowOfEvent, rowOfMessage } from './audit-entry.js';

const told: AuditEntry = {
  ...{ atUs: 1, service: 'analysis', outcome: 'denied', actor: 'k', role: 'emit', project: 'shop', environment: null },
  ...{ action: 'GET /v1/metrics/:key', target: { key: 'a' }, status: 403, code: 'wrong-role', requestId: 'r', address: null, count: 1 },
};
const rowOf = (value: unknown) => rowOfMessage(7n, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

describe('what happened to a key', () => {
  const stored = (event: StoredEvent['event'], stream = 'key/k1'): StoredEvent => ({
    ...{ position: 9, stream, version: 2, event, atUs: 2, actor: 'admin', reason: null, requestId: null },
  });
  const created = (project: string | null): StoredEvent['event'] => ({
    ...{ type: 'ApiKeyCreated', id: 'k1', hash: 'h', role: 'analyst', project, environment: null, name: 'k', atUs: 1 },
  });
  const changes: readonly StoredEvent['event'][] = [
    { type: 'ApiKeyRotated', hash: 'h2', atUs: 2 },
    { type: 'ApiKeyLimited', quota: null, atUs: 2 },
    { type: 'ApiKeyRevoked', atUs: 2 },
  ];

  it.each(changes)('is about its project ($type)', (event) => {
    expect(rowOfEvent(stored(event), stored(created('shop')))).toMatchObject({ project: 'shop', entry: { project: 'shop' } });
    expect(rowOfEvent(stored(event), stored(created(null))).project).toBeNull();
  });
});

describe('what a service told', () => {
  it('is a line with the id of its place', () => {
    expect(rowOf(told)).toEqual({
      ...{ id: 'log/7', actor: 'k', project: 'shop', outcome: 'denied' },
      entry: { ...told, reason: null },
    });
  });

  it('has a target that a database keeps, whatever stood in the path', () => {
    expect(rowOf({ ...told, target: { key: 'a\0b', id: 'x\ud800' } })?.entry.target).toEqual({ key: 'a\ufffdb', id: 'x\ufffd' });
  });

  it('is passed over where it can not be read', () => {
    const wrong = ['', 'null', '[]', '{"atUs":1', { ...told, outcome: 'x' }, { ...told, target: null }, { ...told, atUs: '1' }];
    expect(wrong.map(rowOf)).toEqual(wrong.map(() => undefined));
  });
});
