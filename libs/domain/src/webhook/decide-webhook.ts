/** When a webhook may be made, signed with another secret, and removed. */
import type { Decider } from '../decider.js';
import { DomainError } from '../errors.js';
import { requireSlug } from '../tenancy/slug.js';
import { evolveWebhook, initialWebhook, type Webhook, type WebhookDefinition, type WebhookEvent } from './webhook.js';

export type WebhookCommand =
  | { readonly type: 'DefineWebhook'; readonly definition: WebhookDefinition; readonly sealedSecret: string; readonly atUs: number }
  | { readonly type: 'RotateWebhook'; readonly sealedSecret: string; readonly atUs: number }
  | { readonly type: 'RemoveWebhook'; readonly atUs: number };

const decide = (command: WebhookCommand, state: Webhook): readonly WebhookEvent[] => {
  switch (command.type) {
    case 'DefineWebhook': {
      const { definition, sealedSecret, atUs } = command;
      requireSlug('webhook', definition.key);
      // Whoever replaced the address would have its new owner sent the old one's secret: it is removed, and made anew.
      if (state.status === 'active')
        throw new DomainError('webhook-exists', `there is a webhook "${definition.key}" already: remove it, or choose another key`, {
          path: '/key',
        });
      return [{ type: 'WebhookDefined', definition, sealedSecret, atUs }];
    }
    case 'RotateWebhook':
      if (state.status !== 'active') throw notFound();
      return [{ type: 'WebhookRotated', sealedSecret: command.sealedSecret, atUs: command.atUs }];
    case 'RemoveWebhook':
      if (state.status === 'absent') throw notFound();
      return state.status === 'removed' ? [] : [{ type: 'WebhookRemoved', atUs: command.atUs }];
  }
};

const notFound = (): DomainError => new DomainError('webhook-not-found', 'there is no such webhook in this project: make it first');

export const webhookDecider: Decider<Webhook, WebhookCommand, WebhookEvent> = {
  initialState: initialWebhook,
  decide,
  evolve: evolveWebhook,
};
