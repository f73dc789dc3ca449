import { describe, expect, it } from '@jest/globals';
import type { RampartEvent, StoredEvent } from '@rampart/event-store';
import { MOST_ATTEMPTS, messageId, messageOf, pauseAfter, signedHeaders } from './webhook-message.js';
import { isInner } from './webhook-target.js';

const stored = (stream: string, ...events: readonly object[]): readonly StoredEvent[] =>
  events.map((event, index) => ({
    ...{ stream, position: index + 10, version: index + 1, atUs: 1_769_860_800_000_000, actor: 'key-1', reason: 'why', requestId: null },
    event: event as RampartEvent,
  }));

const stage = {
  name: 'canary',
  coverage: 0.01,
  bakeSeconds: 60,
  minUnits: 10,
  requiresApproval: false,
  deadlineSeconds: null,
  monitored: true,
};
const definition = {
  ...{ key: 'greener', name: 'Greener', experiment: 'button', environment: 'production', freshnessSeconds: 60, mode: 'act' },
  stages: [stage, { ...stage, name: 'half', coverage: 0.5 }],
};
const RECORD = 'a'.repeat(64);
const defined = { type: 'RolloutDefined', definition, atUs: 1 };
const started = { type: 'RolloutStarted', run: 1, sentence: 'started at 1 %', atUs: 2 };
const advanced = { type: 'RolloutAdvanced', from: 0, to: 1, forcedOver: [], sentence: '12 of 10 units', record: RECORD, atUs: 3 };
const about = (...events: readonly object[]) => messageOf(stored('rollout/shop/greener', ...events));

describe('a message', () => {
  it('of an advance says both stages, who, why, with both numbers, and upon which record', () => {
    expect(about(defined, started, advanced)).toMatchObject({
      ...{ type: 'feature.rampSchedule.actions.step.advanced', subject: 'rollout/greener', source: 'rampart/shop' },
      data: {
        ...{ project: 'shop', environment: 'production', resource: 'rollout', key: 'greener', revision: 3 },
        before: { status: 'running', stage: 'canary', coverage: 0.01 },
        after: { status: 'running', stage: 'half', coverage: 0.5 },
        ...{ actor: 'key-1', reason: 'why', sentence: '12 of 10 units', record: RECORD },
      },
    });
  });

  it('of a new definition says which fields it changes, and no others', () => {
    const changed = { ...definition, mode: 'shadow', stages: [stage] };
    expect(about(defined, { type: 'RolloutRedefined', definition: changed, atUs: 2 })?.data).toMatchObject({
      before: { status: 'draft', mode: 'act', stages: definition.stages },
      after: { status: 'draft', mode: 'shadow', stages: [stage] },
    });
    expect(about(defined, { type: 'RolloutRedefined', definition: changed, atUs: 2 })?.data.after).not.toHaveProperty('name');
  });

  it('is about phases alone', () => {
    expect(messageOf(stored('metric/shop/converted', { type: 'MetricDefined', version: 1, definition: {}, atUs: 1 }))).toBeUndefined();
    expect(messageOf([])).toBeUndefined();
  });

  it('has one id, without the dots that keys may hold', () => {
    const dotted = () => messageOf(stored('rollout/shop/v1.2', defined))?.id;
    expect(dotted()).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(dotted()).toBe(dotted());
    expect(messageId('a')).not.toBe(messageId('b'));
  });
});

describe('a signature', () => {
  /** Of the scheme's published libraries. */
  const published = {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    sent: { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', atSeconds: 1_614_265_330 },
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };

  it('is the scheme’s own', () => {
    const headers = signedHeaders([published.secret], published.sent);
    expect(headers['webhook-signature']).toBe(published.signature);
    expect([headers['webhook-id'], headers['webhook-timestamp']]).toEqual([published.sent.id, '1614265330']);
  });

  it('is made with each secret that counts', () => {
    const both = signedHeaders(['whsec_bmV3', published.secret], published.sent)['webhook-signature']?.split(' ');
    expect(both).toHaveLength(2);
    expect(both?.[1]).toBe(published.signature);
  });
});

describe('the next try', () => {
  it('comes after 1, 4, 16 … seconds, an hour at most, ten times in all', () => {
    const pauses = Array.from({ length: MOST_ATTEMPTS }, (_, index) => pauseAfter(index + 1));
    expect(pauses).toEqual([1, 4, 16, 64, 256, 1_024, 3_600, 3_600, 3_600, undefined]);
  });
});

describe('an address', () => {
  it.each([
    ...['127.0.0.1', '10.1.2.3', '192.168.0.1', '172.16.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255'],
    ...[
      '::1',
      '::',
      'fd00::1',
      'fe80::1',
      '::ffff:10.0.0.1',
      '::ffff:7f00:1',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      'fec0::1',
      '::ffff:0:7f00:1',
    ],
  ])('%s is of this machine or its network', (address) => expect(isInner(address)).toBe(true));
  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is somebody else’s', (address) =>
    expect(isInner(address)).toBe(false),
  );
});
