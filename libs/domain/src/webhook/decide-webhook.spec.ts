import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { scenario } from '../scenario.contract.js';
import { webhookDecider } from './decide-webhook.js';
import { sealedSecretsOf, type WebhookEvent } from './webhook.js';

const { given } = scenario(webhookDecider);
const definition = { key: 'deploys', url: 'https://hooks.example/rampart' };
const define = { type: 'DefineWebhook', definition, sealedSecret: 'a', atUs: 1 } as const;
const defined: WebhookEvent = { type: 'WebhookDefined', definition, sealedSecret: 'a', atUs: 1 };
const rotated: WebhookEvent = { type: 'WebhookRotated', sealedSecret: 'b', atUs: 2 };
const removed: WebhookEvent = { type: 'WebhookRemoved', atUs: 3 };
const DAY_US = 86_400_000_000;

describe('a webhook', () => {
  it('is made once, and never replaced: another address gets another secret', () => {
    given([]).when(define).then([defined]);
    given([defined])
      .when({ ...define, definition: { ...definition, url: 'https://elsewhere.example' } })
      .thenRefuses('webhook-exists', 'remove it');
    given([defined, removed]).when(define).then([defined]);
  });

  it('gets another secret only while it is there', () => {
    given([defined]).when({ type: 'RotateWebhook', sealedSecret: 'b', atUs: 2 }).then([rotated]);
    given([]).when({ type: 'RotateWebhook', sealedSecret: 'b', atUs: 2 }).thenRefuses('webhook-not-found');
    given([defined, removed]).when({ type: 'RotateWebhook', sealedSecret: 'b', atUs: 4 }).thenRefuses('webhook-not-found');
  });

  it('is removed once', () => {
    given([defined]).when({ type: 'RemoveWebhook', atUs: 3 }).then([removed]);
    given([defined, removed]).when({ type: 'RemoveWebhook', atUs: 4 }).then([]);
    given([]).when({ type: 'RemoveWebhook', atUs: 4 }).thenRefuses('webhook-not-found');
  });

  it('signs with the secret before for a day, and never with that of an earlier life', () => {
    const secretsAt = (atUs: number, ...events: readonly WebhookEvent[]) => {
      const webhook = fold(webhookDecider, events);
      return webhook.status === 'absent' ? [] : sealedSecretsOf(webhook, atUs);
    };
    expect(secretsAt(5, defined)).toEqual(['a']);
    expect(secretsAt(DAY_US, defined, rotated)).toEqual(['b', 'a']);
    expect(secretsAt(DAY_US + 2, defined, rotated)).toEqual(['b']);
    expect(secretsAt(5, defined, rotated, removed, { ...defined, sealedSecret: 'c' })).toEqual(['c']);
  });
});
